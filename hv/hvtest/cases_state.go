package hvtest

import (
	"math/rand/v2"

	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/asm"
)

// stateCases: every register group comes back as it was loaded, before the
// guest runs and after it ran.
func stateCases() []Case {
	groups := []struct {
		name   string
		group  x86.Groups
		change func(*x86.State, *rand.Rand)
	}{
		{"gpr", x86.GroupGPR, changeGPR},
		{"ip", x86.GroupIP, func(s *x86.State, _ *rand.Rand) { s.RFLAGS |= x86.FlagCF | x86.FlagZF | x86.FlagAC }},
		{"cr", x86.GroupCR, changeCR},
		{"dr", x86.GroupDR, changeDR},
		{"seg", x86.GroupSeg, changeSeg},
		{"table", x86.GroupTable, changeTable},
		{"syscall", x86.GroupSyscall, changeSyscall},
		{"sysenter", x86.GroupSysenter, changeSysenter},
		{"msr", x86.GroupMSR, func(s *x86.State, _ *rand.Rand) { s.PAT, s.TSCAux = 0x0007010600070106, 0x1234 }},
		{"fpu", x86.GroupFPU, changeFPU},
		{"interrupt", x86.GroupInterrupt, func(s *x86.State, _ *rand.Rand) { s.Interrupt.NMIBlocked = true }},
	}
	var cases []Case
	for _, g := range groups {
		cases = append(cases, Case{Name: "state/" + g.name, run: func(r *rig) { r.roundTrip(g.group, g.change) }})
	}
	return append(cases,
		Case{Name: "state/tsc", run: tscRoundTrip},
		Case{Name: "state/groups-are-apart", run: groupsAreApart},
		Case{Name: "state/closed", run: closedVCPU},
	)
}

// roundTrip loads one changed group and looks at it before and after a run in
// which the guest does nothing to it.
func (r *rig) roundTrip(g x86.Groups, change func(*x86.State, *rand.Rand)) {
	r.start(mode64, func(a *asm.Asm) { a.Out(asm.Imm(markPort), asm.AL) })
	s := state(mode64)
	s.RIP, s.GPR[x86.RSP] = codeBase, stackTop
	change(s, rand.New(rand.NewPCG(1, uint64(g))))
	r.must(r.cpus[0].Load(g, s), "Load")
	r.same(g, s, "before the run")
	r.next(vcpu.KindPIO)
	r.same(g, s, "after the run")
}

// same compares one group with what was loaded.
func (r *rig) same(g x86.Groups, s *x86.State, when string) {
	r.t.Helper()
	got := new(x86.State)
	r.must(r.cpus[0].Store(g, got), "Store")
	expect := new(x86.State)
	copyGroups(expect, s, g)
	if g&x86.GroupFPU != 0 { // what is not in XSTATE_BV has no meaning
		const bytes = x86.XSaveXMM0 + 16*16
		want(r, "XCR0 "+when, got.XCR0, expect.XCR0)
		want(r, "XMM registers "+when, string(got.XSAVE[x86.XSaveXMM0:bytes]), string(expect.XSAVE[x86.XSaveXMM0:bytes]))
		want(r, "MXCSR "+when, string(got.XSAVE[x86.XSaveMXCSR:x86.XSaveMXCSR+4]), string(expect.XSAVE[x86.XSaveMXCSR:x86.XSaveMXCSR+4]))
		return
	}
	if *got != *expect {
		r.t.Fatalf("group %#x %s: got %+v, want %+v", g, when, brief(got, g), brief(expect, g))
	}
}

// brief is the part of a state that a message can show.
func brief(s *x86.State, g x86.Groups) any {
	switch g {
	case x86.GroupGPR:
		return s.GPR
	case x86.GroupSeg:
		return s.Seg
	case x86.GroupCR:
		return []uint64{s.CR0, s.CR2, s.CR3, s.CR4, s.CR8, s.EFER}
	case x86.GroupDR:
		return []uint64{s.DR[0], s.DR[1], s.DR[2], s.DR[3], s.DR6, s.DR7, s.DebugCtl}
	case x86.GroupTable:
		return []x86.Table{s.GDTR, s.IDTR}
	case x86.GroupSyscall:
		return []uint64{s.STAR, s.LSTAR, s.CSTAR, s.SFMASK, s.KernelGSBase}
	case x86.GroupMSR:
		return []uint64{s.PAT, s.TSCAux, s.SpecCtrl}
	}
	return []uint64{s.RIP, s.RFLAGS, s.SysenterCS, s.SysenterESP, s.SysenterEIP}
}

func changeGPR(s *x86.State, random *rand.Rand) {
	for i := range s.GPR {
		s.GPR[i] = random.Uint64()
	}
}

// changeCR keeps what the guest needs to run.
func changeCR(s *x86.State, random *rand.Rand) {
	s.CR0 |= x86.CR0AM | x86.CR0MP
	s.CR2 = random.Uint64()
	s.CR4 |= x86.CR4TSD | x86.CR4DE | x86.CR4PGE
	s.CR8 = 5
	s.EFER |= x86.EFERSCE
}

func changeDR(s *x86.State, random *rand.Rand) {
	for i := range s.DR {
		s.DR[i] = random.Uint64() >> 20
	}
	s.DR6 |= 0x3
}

func changeSeg(s *x86.State, random *rand.Rand) {
	s.Seg[x86.FS].Base = random.Uint64() >> 20
	s.Seg[x86.GS].Base = random.Uint64() >> 20
	s.Seg[x86.LDTR] = x86.Segment{Selector: 0x18, Attr: x86.AttrP | x86.TypeLDT, Limit: 0x77, Base: 0x3000}
	s.Seg[x86.TR] = x86.Segment{Selector: 0x20, Attr: x86.AttrP | x86.TypeTSSBusy, Limit: 0x67, Base: 0x3800}
}

func changeTable(s *x86.State, random *rand.Rand) {
	s.GDTR = x86.Table{Limit: 0x37, Base: random.Uint64() >> 20}
	s.IDTR = x86.Table{Limit: 0x7FF, Base: random.Uint64() >> 20}
}

func changeSyscall(s *x86.State, random *rand.Rand) {
	s.STAR, s.SFMASK = random.Uint64(), random.Uint64()>>32
	s.LSTAR, s.CSTAR, s.KernelGSBase = random.Uint64()>>20, random.Uint64()>>20, random.Uint64()>>20
}

func changeSysenter(s *x86.State, random *rand.Rand) {
	s.SysenterCS = 0x10
	s.SysenterESP, s.SysenterEIP = random.Uint64()>>20, random.Uint64()>>20
}

func changeFPU(s *x86.State, random *rand.Rand) {
	for i := range 16 * 16 {
		s.XSAVE[x86.XSaveXMM0+i] = byte(random.Uint32())
	}
	s.XSAVE[x86.XSaveHeader] = x86.XCR0X87 | x86.XCR0SSE
	s.XSAVE[x86.XSaveMXCSR], s.XSAVE[x86.XSaveMXCSR+1] = 0xA0, 0x1F
}

// tscRoundTrip: the guest's TSC continues from the value loaded.
func tscRoundTrip(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Rdtsc()
		a.Out(asm.Imm(markPort), asm.AL)
	})
	const at = 0x1234_5678_9ABC
	s := &x86.State{TSC: at}
	r.must(r.cpus[0].Load(x86.GroupTSC, s), "Load")
	r.next(vcpu.KindPIO)
	g := r.area().GPR
	tsc := g[x86.RDX]<<32 | g[x86.RAX]&0xFFFF_FFFF
	if limit := uint64(at) + 60*r.env.TSCHz; tsc < at || tsc > limit {
		r.t.Fatalf("the guest read TSC %#x; want it from %#x to %#x", tsc, uint64(at), limit)
	}
	r.must(r.cpus[0].Store(x86.GroupTSC, s), "Store")
	if s.TSC < tsc {
		r.t.Fatalf("TSC went back from %#x to %#x", tsc, s.TSC)
	}
}

// groupsAreApart: a group that is not named stays as it is, on both sides.
func groupsAreApart(r *rig) {
	r.start(mode64, func(a *asm.Asm) { a.Nop() })
	junk := &x86.State{RIP: 1, CR3: 1, LSTAR: 1, PAT: 1}
	r.must(r.cpus[0].Load(0, junk), "Load")
	got := &x86.State{CR3: 77, LSTAR: 78}
	r.must(r.cpus[0].Store(x86.GroupIP, got), "Store")
	want(r, "RIP", got.RIP, codeBase)
	want(r, "CR3 of the caller", got.CR3, 77)
	want(r, "LSTAR of the caller", got.LSTAR, 78)
}

// closedVCPU: a closed vCPU refuses everything.
func closedVCPU(r *rig) {
	v := r.addCPU()
	r.must(v.Close(), "Close")
	last := len(r.cpus) - 1
	r.cpus, r.exits = r.cpus[:last], r.exits[:last]
	want(r, "Run", v.Run(&vcpu.Exit{}), vcpu.ErrClosed)
	want(r, "Load", v.Load(x86.GroupGPR, &x86.State{}), vcpu.ErrClosed)
	want(r, "Store", v.Store(x86.GroupGPR, &x86.State{}), vcpu.ErrClosed)
	want(r, "Inject", v.Inject(vcpu.Event{Type: vcpu.EventNMI}), vcpu.ErrClosed)
}
