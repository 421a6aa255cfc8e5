package nucleus

import "ringo/nucleus/reg"

// The TSC's frequency comes from CPUID where it says so, else from channel 2
// of the PIT (Intel 8254 data sheet), whose 1.193182 MHz every PC has.

const (
	pitHz      = 1193182
	pitTicks   = pitHz / 100 // 10 ms
	portPIT2   = 0x42
	portPITCmd = 0x43
	portGate   = 0x61
)

// tscFromCPUID is the frequency that CPUID leaf 15H gives, or 0.
func tscFromCPUID() uint64 {
	max, _, _, _ := reg.CPUID(0, 0)
	if max < 0x15 {
		return 0
	}
	den, num, crystal, _ := reg.CPUID(0x15, 0)
	if den == 0 || num == 0 || crystal == 0 {
		return 0
	}
	return uint64(crystal) * uint64(num) / uint64(den)
}

// calibrate measures the TSC and the local APIC timer against the PIT, and
// returns both frequencies in Hz.
func calibrate() (tsc, apic uint64) {
	reg.Out8(portGate, reg.In8(portGate)&^2|1) // gate on, speaker off
	reg.Out8(portPITCmd, 0xB0)                 // channel 2, both bytes, mode 0
	apicTimerStart(^uint32(0))
	reg.Out8(portPIT2, pitTicks&0xff)
	reg.Out8(portPIT2, pitTicks>>8)
	t0 := reg.ReadTSC()
	a0 := apicTimerCount()
	limit := t0 + 1<<36
	for reg.In8(portGate)&0x20 == 0 {
		if reg.ReadTSC() > limit {
			fatal("boot: the 8254 timer (PIT) does not count: the TSC frequency cannot be measured")
		}
	}
	t1 := reg.ReadTSC()
	a1 := apicTimerCount()
	apicTimerStart(0)
	tsc = (t1 - t0) * pitHz / pitTicks
	apic = uint64(a0-a1) * pitHz / pitTicks
	if hz := tscFromCPUID(); hz != 0 {
		tsc = hz
	}
	return tsc, apic
}
