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

// clockWindow is a row of samples and the PIT ticks that it took. The PIT
// counts through its 16 bits in 55 ms: if the processor was away for longer
// between two samples, the window makes the TSC several times as fast as it
// is, never slower.
type clockWindow struct {
	first, last clockSample
	ticks       uint64
}

// add takes the next sample. It reports true at the end of the window.
func (w *clockWindow) add(s clockSample) bool {
	w.ticks += uint64(uint16(w.last.pit - s.pit))
	w.last = s
	return w.ticks >= pitWindow
}

// frequencies are those of the TSC and the APIC timer in Hz; 0 if the PIT did
// not count.
func (w *clockWindow) frequencies() (tsc, apic uint64) {
	if w.ticks == 0 {
		return 0, 0
	}
	return (w.last.tsc - w.first.tsc) * pitHz / w.ticks, uint64(w.first.apic-w.last.apic) * pitHz / w.ticks
}

// calibration finds the windows that were not disturbed: they agree, and no
// other shows a slower TSC.
type calibration struct{ tsc, apic uint64 }

// add takes a window. It reports true once the slowest TSC so far has been seen
// twice, within a quarter of a percent.
func (c *calibration) add(w *clockWindow) bool {
	tsc, apic := w.frequencies()
	if tsc == 0 {
		return false
	}
	if c.tsc != 0 && max(tsc, c.tsc)-min(tsc, c.tsc) <= c.tsc/400 {
		return true
	}
	if c.tsc == 0 || tsc < c.tsc {
		c.tsc, c.apic = tsc, apic
	}
	return false
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
	var c calibration
	for tries := 0; tries < 100; tries++ {
		if w := measureWindow(); c.add(&w) {
			return chooseTSC(c.tsc, tscFromCPUID()), c.apic
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
