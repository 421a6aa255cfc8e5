package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/asm"
)

// tscCases: a guest whose time stamp counter runs at another rate than the
// host's.
func tscCases() []Case {
	needs := func(c vcpu.Caps) string {
		if !c.TSCScaling {
			return "the processor does not scale the TSC"
		}
		return ""
	}
	return []Case{
		{Name: "tsc/slower", Needs: needs, run: func(r *rig) { tscRate(r, r.env.TSCHz/8*3) }},
		{Name: "tsc/faster", Needs: needs, run: func(r *rig) { tscRate(r, r.env.TSCHz/2*5) }},
		{Name: "tsc/deadline", Needs: needs, run: tscDeadline},
	}
}

// tscRate: the guest reads a counter that goes on from the value loaded at the
// rate asked for.
func tscRate(r *rig, hz uint64) {
	r.vm.Area().TSCRatio = vcpu.TSCRatio(hz, r.env.TSCHz)
	r.start(mode64, func(a *asm.Asm) {
		for range 3 {
			a.Rdtsc()
			a.Out(asm.Imm(markPort), asm.AL)
		}
	})
	const at = 0x1234_5678_9ABC
	s := &x86.State{TSC: at}
	r.must(r.cpus[0].Load(x86.GroupTSC, s), "Load")
	for range 3 {
		before := r.env.TSC()
		r.next(vcpu.KindPIO)
		after, area := r.env.TSC(), r.area()
		got := area.GPR[x86.RDX]<<32 | area.GPR[x86.RAX]&0xFFFF_FFFF
		first, last := area.GuestTSC(before), area.GuestTSC(after)
		if got < first || got > last || first < at {
			r.t.Fatalf("the guest read TSC %#x; want it from %#x to %#x, and all of them past %#x", got, first, last, at)
		}
		r.must(r.cpus[0].Store(x86.GroupTSC, s), "Store")
		if s.TSC < got || s.TSC > area.GuestTSC(r.env.TSC()) {
			r.t.Fatalf("Store gave TSC %#x after the guest read %#x", s.TSC, got)
		}
		for start := r.env.TSC(); r.env.TSC()-start < r.env.TSCHz/1000; { // the rate shows
		}
	}
}

// tscDeadline: a deadline in the ticks of a slow guest is not reached early.
func tscDeadline(r *rig) {
	r.vm.Area().TSCRatio = vcpu.TSCRatio(r.env.TSCHz/4, r.env.TSCHz)
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Sti()
		a.Hlt()
		mark(a, 2)
	})
	r.enableAPIC()
	r.reached(1)
	const deadlineMode = 2 << 17
	before, area := r.env.TSC(), r.area()
	ticks := r.env.TSCHz / 4 / 200 // 5 ms
	apic.Write(area, vcpu.APICLVTTimer, deadlineMode|vector, before)
	apic.WriteDeadline(area, area.GuestTSC(before)+ticks, before)
	r.reached(2)
	want(r, "interrupts taken", r.count(vector), 1)
	if took := r.env.TSC() - before; took < r.env.TSCHz/200 {
		r.t.Fatalf("a deadline in 5 ms was reached after %d ticks of %d Hz", took, r.env.TSCHz)
	}
}
