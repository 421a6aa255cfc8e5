package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/asm"
)

// exitCases: each kind of exit comes from the instruction that makes it, and
// is completed as hv/vcpu/exit.go says.
func exitCases() []Case {
	var cases []Case
	for _, m := range modes {
		cases = append(cases,
			Case{Name: "exit/in/" + m.name, run: func(r *rig) { portIn(r, m) }},
			Case{Name: "exit/out/" + m.name, run: func(r *rig) { portOut(r, m) }},
			Case{Name: "exit/cpuid/" + m.name, run: func(r *rig) { cpuidSlow(r, m) }},
			Case{Name: "exit/msr/" + m.name, run: func(r *rig) { msrs(r, m) }},
			Case{Name: "exit/hypercall/" + m.name, run: func(r *rig) { hypercall(r, m) }},
			Case{Name: "exit/prefixes/" + m.name, run: func(r *rig) { prefixes(r, m) }},
		)
	}
	return append(cases,
		Case{Name: "exit/string-port", run: stringPort},
		Case{Name: "exit/cpuid-table", run: cpuidTable},
		Case{Name: "exit/xsetbv", run: xsetbv},
		Case{Name: "exit/emulated", run: emulated},
		Case{Name: "exit/refused", run: refused},
		Case{Name: "exit/triple-fault", run: tripleFault},
		Case{Name: "exit/counters", run: counters},
	)
}

const devicePort = 0x1F4 // beyond what an immediate can name

// portIn: each width of IN changes its part of RAX only, and 32 bits clear the
// upper half.
func portIn(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(devicePort))
		for _, reg := range []asm.Reg{asm.AL, asm.AX, asm.EAX} {
			a.Mov(asm.EAX, asm.Imm(0x11223344))
			a.In(reg, asm.DX)
			a.Out(asm.Imm(markPort), asm.AL)
		}
	})
	for _, c := range []struct {
		size uint8
		rax  uint64
	}{{1, 0x112233D4}, {2, 0x1122C3D4}, {4, 0xA1B2C3D4}} {
		e := r.next(vcpu.KindPIO)
		want(r, "port", e.Port, devicePort)
		want(r, "size", e.Size, c.size)
		want(r, "a write", e.Write, false)
		want(r, "a string form", e.String, false)
		e.Data = 0xA1B2C3D4
		r.reached(0xD4)
		want(r, "RAX", r.area().GPR[x86.RAX], c.rax)
	}
}

func portOut(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(devicePort))
		a.Mov(asm.EAX, asm.Imm(0x11223344))
		for _, reg := range []asm.Reg{asm.AL, asm.AX, asm.EAX} {
			a.Out(asm.DX, reg)
		}
		a.Out(asm.Imm(0xFE), asm.EAX)
		mark(a, 1)
	})
	for _, c := range []struct {
		port uint16
		size uint8
		data uint64
	}{{devicePort, 1, 0x44}, {devicePort, 2, 0x3344}, {devicePort, 4, 0x11223344}, {0xFE, 4, 0x11223344}} {
		e := r.next(vcpu.KindPIO)
		want(r, "port", e.Port, c.port)
		want(r, "size", e.Size, c.size)
		want(r, "a write", e.Write, true)
		want(r, "data", e.Data, c.data)
	}
	r.reached(1)
}

// stringPort: a string form is left to the caller, who moves RIP itself.
func stringPort(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(devicePort))
		a.Mov(asm.ECX, asm.Imm(3))
		a.Mov(asm.ESI, asm.Imm(scratch))
		a.Label("outs")
		a.Rep()
		a.Outs(8)
		mark(a, 1)
	})
	e := r.next(vcpu.KindPIO)
	want(r, "a string form", e.String, true)
	want(r, "a write", e.Write, true)
	want(r, "port", e.Port, devicePort)
	want(r, "size", e.Size, 1)
	want(r, "repeated", e.Rep, true)
	e.Emulated = true
	r.area().RIP += 2
	r.area().GPR[x86.RCX] = 0
	r.reached(1)
}

// cpuidSlow: a leaf marked Slow comes out and takes the caller's registers.
func cpuidSlow(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(0x1234))
		a.Xor(asm.ECX, asm.ECX)
		a.Cpuid()
		a.Mov(asm.Abs(scratch), asm.EBX)
		mark(a, 1)
	})
	r.area().CPUID[0] = vcpu.CPUIDEntry{Leaf: 0x1234, Slow: 1}
	r.area().NumCPUID = 1
	r.next(vcpu.KindCPUID)
	want(r, "leaf", r.area().GPR[x86.RAX], 0x1234)
	r.area().GPR[x86.RBX] = 0xCAFE
	r.reached(1)
	want(r, "EBX in the guest", r.word32(scratch), 0xCAFE)
}

// cpuidTable: other leaves are answered from the table without an exit,
// whatever stands in the upper halves of the registers.
func cpuidTable(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.RAX, asm.Imm(-1))
		a.Mov(asm.RBX, asm.RAX)
		a.Mov(asm.EAX, asm.Imm(7))
		a.Mov(asm.ECX, asm.Imm(1))
		a.Cpuid()
		a.Mov(asm.Abs(scratch), asm.EAX)
		a.Mov(asm.Abs(scratch+4), asm.EDX)
		mark(a, 1)
	})
	a := r.area()
	a.CPUID[0] = vcpu.CPUIDEntry{Leaf: 7, Subleaf: 0, Match: 1, EAX: 10}
	a.CPUID[1] = vcpu.CPUIDEntry{Leaf: 7, Subleaf: 1, Match: 1, EAX: 11, EBX: 12, ECX: 13, EDX: 14}
	a.NumCPUID = 2
	r.reached(1)
	want(r, "EAX in the guest", r.word32(scratch), 11)
	want(r, "EDX in the guest", r.word32(scratch+4), 14)
	want(r, "RBX", a.GPR[x86.RBX], 12)
	want(r, "exits", a.Exits[vcpu.KindCPUID], 1)
	want(r, "fast exits", a.Fast[vcpu.KindCPUID], 1)
}

// unknownMSR is a number that no processor and no bitmap has.
const unknownMSR = 0x0123_4567

func msrs(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.ECX, asm.Imm(unknownMSR))
		a.Rdmsr()
		a.Mov(asm.Abs(scratch), asm.EAX)
		a.Mov(asm.Abs(scratch+4), asm.EDX)
		a.Mov(asm.EAX, asm.Imm(0x55667788))
		a.Mov(asm.EDX, asm.Imm(0x11223344))
		a.Wrmsr()
		mark(a, 1)
	})
	e := r.next(vcpu.KindRDMSR)
	want(r, "MSR", e.MSR, unknownMSR)
	e.Data = 0x99AABBCC_DDEEFF00
	e = r.next(vcpu.KindWRMSR)
	want(r, "MSR", e.MSR, unknownMSR)
	want(r, "data", e.Data, 0x11223344_55667788)
	want(r, "EAX in the guest", r.word32(scratch), 0xDDEEFF00)
	want(r, "EDX in the guest", r.word32(scratch+4), 0x99AABBCC)
	r.reached(1)
}

// hypercall: the vendor's own instruction comes out.
func hypercall(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(42))
		if r.b.Name() == "vmx" {
			a.Vmcall()
		} else {
			a.Vmmcall()
		}
		a.Mov(asm.Abs(scratch), asm.EAX)
		mark(a, 1)
	})
	r.next(vcpu.KindHypercall)
	want(r, "RAX", r.area().GPR[x86.RAX], 42)
	r.area().GPR[x86.RAX] = 43
	r.reached(1)
	want(r, "EAX in the guest", r.word32(scratch), 43)
}

// prefixes: superfluous prefixes are part of the length that is stepped over.
func prefixes(r *rig, m mode) {
	const cs = 0x2E
	r.start(m, func(a *asm.Asm) {
		a.Mov(asm.ECX, asm.Imm(unknownMSR))
		a.Raw(cs, cs, cs)
		a.Rdmsr()
		a.Mov(asm.EAX, asm.Imm(0x1234))
		a.Raw(cs, cs)
		a.Cpuid()
		a.Raw(cs)
		a.In(asm.AL, asm.Imm(0x70))
		mark(a, 1)
	})
	r.area().CPUID[0] = vcpu.CPUIDEntry{Leaf: 0x1234, Slow: 1}
	r.area().NumCPUID = 1
	r.next(vcpu.KindRDMSR)
	r.next(vcpu.KindCPUID)
	want(r, "port", r.next(vcpu.KindPIO).Port, 0x70)
	r.reached(1)
}

// xsetbv: XSETBV comes out, and Run sets XCR0. QEMU's TCG knows no intercept of
// it: then XCR0 must have followed the guest.
func xsetbv(r *rig) {
	if r.env.NoXSAVE {
		r.t.Logf("exit/xsetbv: this processor has no XSAVE, so XSETBV raises #UD")
		return
	}
	r.start(mode64, func(a *asm.Asm) {
		a.Xor(asm.ECX, asm.ECX)
		a.Xor(asm.EDX, asm.EDX)
		a.Mov(asm.EAX, asm.Imm(x86.XCR0X87|x86.XCR0SSE))
		a.Xsetbv()
		mark(a, 1)
	})
	s := state(mode64)
	s.CR4 |= x86.CR4OSXSAVE
	r.must(r.cpus[0].Load(x86.GroupCR, s), "Load")
	if e := r.run(0); e.Kind == vcpu.KindPIO {
		r.t.Logf("exit/xsetbv: this processor does not intercept XSETBV")
	} else {
		want(r, "exit", e.Kind, vcpu.KindXSETBV)
		want(r, "data", e.Data, x86.XCR0X87|x86.XCR0SSE)
		want(r, "RCX", r.area().GPR[x86.RCX], 0)
		r.reached(1)
	}
	s = new(x86.State)
	r.must(r.cpus[0].Store(x86.GroupFPU, s), "Store")
	want(r, "XCR0", s.XCR0, x86.XCR0X87|x86.XCR0SSE)
}

// emulated: with Emulated set, nothing is completed or stepped over.
func emulated(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(0x77))
		a.In(asm.AL, asm.Imm(0x70)) // two bytes
		mark(a, 1)
		a.Nop()
		a.Label("there")
		a.Out(asm.Imm(markPort), asm.AL)
	})
	e := r.next(vcpu.KindPIO)
	want(r, "the guest's instruction", r.area().RIP, codeBase+5)
	e.Data, e.Emulated = 0x99, true
	r.area().RIP += 2 + 4 + 1
	r.reached(0x77)
	want(r, "Emulated after Run", r.exits[0].Emulated, false)
}

// refused: a hypervisor's instructions are not the guest's. Whether they come
// out or raise #UD at once is the backend's choice; the caller injects #UD.
func refused(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Raw(0x0F, 0x01, 0xD8) // VMRUN
		mark(a, 1)
	})
	// The handler of #UD would return to the same instruction: count, and go
	// on behind it.
	a := asm.New(asm.Bits64, scratch)
	a.Inc(asm.Abs(countBase + 4*x86.VectorUD).Dword())
	a.Add(asm.Ptr(asm.RSP, 0).Qword(), asm.Imm(3))
	a.Iret(64)
	p, err := a.Bytes()
	r.must(err, "assembling")
	r.write(scratch, p)
	r.gate(mode64, x86.VectorUD, scratch)
	e := r.run(0)
	if e.Kind == vcpu.KindInsn {
		e.Emulated = true
		r.must(r.cpus[0].Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD}), "Inject")
		e = r.run(0)
	}
	want(r, "exit", e.Kind, vcpu.KindPIO)
	want(r, "#UD taken", r.count(x86.VectorUD), 1)
}

func tripleFault(r *rig) {
	r.start(mode64, func(a *asm.Asm) { a.Ud2() })
	s := state(mode64)
	s.IDTR = x86.Table{}
	r.must(r.cpus[0].Load(x86.GroupTable, s), "Load")
	r.next(vcpu.KindShutdown)
	got := new(x86.State)
	r.must(r.cpus[0].Store(x86.GroupAll, got), "Store after a triple fault")
}

// counters: every exit that comes out is counted by its kind.
func counters(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		for range 3 {
			mark(a, 1)
		}
		a.Mov(asm.ECX, asm.Imm(unknownMSR))
		a.Rdmsr()
		mark(a, 2)
	})
	r.reached(1)
	r.reached(1)
	r.reached(1)
	r.next(vcpu.KindRDMSR)
	r.reached(2)
	want(r, "port exits", r.area().Exits[vcpu.KindPIO], 4)
	want(r, "RDMSR exits", r.area().Exits[vcpu.KindRDMSR], 1)
	want(r, "fast port exits", r.area().Fast[vcpu.KindPIO], 0)
}
