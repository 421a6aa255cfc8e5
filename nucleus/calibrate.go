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

// clockWindow is a stretch of samples. The PIT counts through its 16 bits in
// 55 ms: a processor that was away for longer between two samples would take
// the TSC for several times as fast as it is, so the widest step is kept.
type clockWindow struct {
	first, last clockSample
	widest      uint64 // longest step between two samples, in TSC ticks
}

// add takes the next sample. It reports true at the end of the window.
func (w *clockWindow) add(s clockSample) bool {
	w.widest = max(w.widest, s.tsc-w.last.tsc)
	w.last = s
	return w.first.pit-s.pit >= pitWindow
}

// sound says whether the window counts: the PIT counted down, and no single
// step is half of it.
func (w *clockWindow) sound() bool {
	return w.last.pit < w.first.pit && w.widest <= (w.last.tsc-w.first.tsc)/2
}

// frequencies are those of the TSC and the APIC timer in Hz.
func (w *clockWindow) frequencies() (tsc, apic uint64) {
	ticks := uint64(w.first.pit - w.last.pit)
	return (w.last.tsc - w.first.tsc) * pitHz / ticks, uint64(w.first.apic-w.last.apic) * pitHz / ticks
}

// measureWindow starts the PIT and the APIC timer and samples them for
// pitWindow.
func measureWindow() clockWindow {
	reg.Out8(portGate, reg.In8(portGate)&^2|1) // gate on, speaker off
	reg.Out8(portPITCmd, 0xB0)                 // channel 2, both bytes, mode 0
	reg.Out8(portPIT2, 0xff)
	reg.Out8(portPIT2, 0xff)
	apicTimerStart(^uint32(0))
	var w clockWindow
	w.first = sampleClocks()
	w.last = w.first
	for tries := 0; tries < 1<<20; tries++ {
		if w.add(sampleClocks()) {
			break
		}
	}
	apicTimerStart(0)
	return w
}

// calibrate measures both frequencies in Hz.
func calibrate() (tsc, apic uint64) {
	for tries := 0; tries < 50; tries++ {
		if w := measureWindow(); w.sound() {
			tsc, apic = w.frequencies()
			return chooseTSC(tsc, tscFromCPUID()), apic
		}
	}
	fatal("boot: the 8254 timer (PIT) does not count down steadily: the TSC frequency cannot be measured")
	return 0, 0
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
