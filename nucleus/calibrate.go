package nucleus

import "ringo/nucleus/reg"

// The frequencies of the TSC and of the local APIC timer come from channel 2 of
// the PIT (Intel 8254 data sheet), whose 1.193182 MHz every PC has. All three
// are sampled together, twice; a sample that took long, because the processor
// was away in firmware or under a hypervisor, is taken again.

const (
	pitHz      = 1193182
	pitWindow  = pitHz / 100 // 10 ms
	portPIT2   = 0x42
	portPITCmd = 0x43
	portGate   = 0x61
)

type clockSample struct {
	tsc, width uint64
	pit, apic  uint32
}

// sampleClocks takes the narrowest of several samples.
func sampleClocks() clockSample {
	var best clockSample
	for i := 0; i < 16; i++ {
		var s clockSample
		t0 := reg.ReadTSC()
		reg.Out8(portPITCmd, 0x80) // latch channel 2
		s.apic = apicTimerCount()
		s.tsc = reg.ReadTSC()
		s.width = s.tsc - t0
		s.pit = uint32(reg.In8(portPIT2))
		s.pit |= uint32(reg.In8(portPIT2)) << 8
		if i == 0 || s.width < best.width {
			best = s
		}
	}
	return best
}

// calibrate measures both frequencies in Hz.
func calibrate() (tsc, apic uint64) {
	reg.Out8(portGate, reg.In8(portGate)&^2|1) // gate on, speaker off
	reg.Out8(portPITCmd, 0xB0)                 // channel 2, both bytes, mode 0
	reg.Out8(portPIT2, 0xff)
	reg.Out8(portPIT2, 0xff)
	apicTimerStart(^uint32(0))
	first := sampleClocks()
	last := first
	for tries := 0; first.pit-last.pit < pitWindow; tries++ {
		last = sampleClocks()
		if tries > 1<<20 || last.pit > first.pit {
			fatal("boot: the 8254 timer (PIT) does not count down: the TSC frequency cannot be measured")
		}
	}
	apicTimerStart(0)
	ticks := uint64(first.pit - last.pit)
	tsc = (last.tsc - first.tsc) * pitHz / ticks
	apic = uint64(first.apic-last.apic) * pitHz / ticks
	return chooseTSC(tsc, tscFromCPUID()), apic
}

// chooseTSC takes the frequency that CPUID claims, which is exact, unless it is
// 0 or more than a sixteenth off the measured one: under an emulator or a
// hypervisor that passes the leaf on, it is that of another machine.
func chooseTSC(measured, claimed uint64) uint64 {
	if claimed == 0 || max(claimed, measured)-min(claimed, measured) > measured/16 {
		return measured
	}
	return claimed
}

// tscFromCPUID is the frequency that CPUID leaf 15H gives, or 0.
func tscFromCPUID() uint64 {
	if top, _, _, _ := reg.CPUID(0, 0); top < 0x15 {
		return 0
	}
	den, num, crystal, _ := reg.CPUID(0x15, 0)
	if den == 0 || num == 0 || crystal == 0 {
		return 0
	}
	return uint64(crystal) * uint64(num) / uint64(den)
}
