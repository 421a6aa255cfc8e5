package tiny

import (
	. "ringo/x86/asm"
)

// chaosPorts accesses random ports.
func (g *Guest) chaosPorts(o ChaosOptions) {
	g.Label("ports")
	g.Mov(EBX, Imm(32))
	g.Label("port")
	g.Random()
	g.Movzx(EDX, AX)
	for _, p := range append([]uint16{ExitPort}, o.AvoidPorts...) {
		g.Lea(ECX, Ptr(RDX, 3-int64(p))) // a 32-bit access covers three more
		g.Movzx(ECX, CX)
		g.Cmp(ECX, Imm(3+3)) // nor string accesses that go on
		g.Jcc(BE, "port")
	}
	g.Mov(EDI, Imm(chaosBuffer))
	g.Mov(ESI, Imm(chaosBuffer))
	g.Mov(ECX, Imm(7))
	g.Mov(R8D, EDX)
	g.choosePort()
	g.Label("port.done")
	g.Dec(EBX)
	g.Jcc(NZ, "port")
	g.Jmp("next")
}

func (g *Guest) choosePort() {
	accesses := []func(){
		func() { g.In(AL, DX) },
		func() { g.In(AX, DX) },
		func() { g.In(EAX, DX) },
		func() { g.Out(DX, AL) },
		func() { g.Out(DX, AX) },
		func() { g.Out(DX, EAX) },
		func() { g.Rep(); g.Ins(8) },
		func() { g.Rep(); g.Outs(32) },
	}
	g.oneOf("port", accesses, "port.done", func() {
		g.Mov(EDX, R8D)
		g.Mov(ECX, Imm(7))
	})
}

// oneOf runs one of eight pieces by chance, each after prepare, and goes on at
// done.
func (g *Guest) oneOf(name string, pieces []func(), done string, prepare func()) {
	labels := make([]string, len(pieces))
	for i := range labels {
		labels[i] = g.Unique(name)
	}
	g.choose(g.Unique(name+".table"), labels...)
	for i, piece := range pieces {
		g.Label(labels[i])
		prepare()
		piece()
		g.Jmp(done)
	}
}

// chaosMMIO accesses random addresses above RAM.
func (g *Guest) chaosMMIO(o ChaosOptions) {
	const chipset = 0xfe000000
	g.Label("mmio")
	g.Random()
	g.Mov(EBX, EAX)
	g.Bt(RAX, Imm(40))
	g.Jcc(NC, "mmio.low")
	g.Or(EBX, Imm(chipset)) // half of them where devices are
	g.Label("mmio.low")
	g.Cmp(EBX, Imm(int64(o.RAM)))
	g.Jcc(B, "mmio")
	g.chooseMMIO()

	// Beyond 4 GiB, and with physical addresses that are too long.
	g.Label("mmio.high")
	g.Random()
	g.Mov(RCX, Imm(0x7fff_ffe0_0000))
	g.And(RAX, RCX)
	g.Mov(RCX, Imm(1<<32))
	g.Or(RAX, RCX)
	g.Mov(RCX, RAX)
	g.Or(RCX, Imm(0x83))
	g.Mov(Abs(chaosPD), RCX)
	g.Random()
	g.Mov(EBX, EAX)
	g.And(EBX, Imm(0x1fffff-64))
	g.Mov(RCX, Imm(chaosWindow))
	g.Add(RBX, RCX)
	g.Invlpg(Ptr(RBX, 0))
	g.chooseMMIO()
}

func (g *Guest) chooseMMIO() {
	accesses := []func(){
		func() { g.Mov(AL, Ptr(RBX, 0)) },
		func() { g.Mov(Ptr(RBX, 0), AX) },
		func() { g.Mov(EAX, Ptr(RBX, 0)) },
		func() { g.Mov(Ptr(RBX, 0), RAX) },
		func() { g.Lock(); g.Add(Ptr(RBX, 0).Dword(), Imm(1)) },
		func() { g.Movups(XMM0, Ptr(RBX, 0)) },
		func() { g.Rep(); g.Movs(8) },
		func() { g.Rep(); g.Stos(32) },
	}
	g.oneOf("mmio", accesses, "next", func() {
		g.Mov(ECX, Imm(5))
		g.Mov(RDI, RBX)
		g.Mov(RSI, RBX)
	})
}

// chaosMSR reads and writes random MSRs, but not those whose loss ends the
// program: APIC base and EFER.
func (g *Guest) chaosMSR() {
	ranges := [8]struct{ base, mask uint32 }{
		{0, 0x1fff}, {0xc0000000, 0x3ff}, {0xc0010000, 0x3ff}, {0x40000000, 0xff},
		{0x4b564d00, 7}, {0x800, 0x3f}, {0x200, 0x1f}, {0, 0xffffffff},
	}
	g.Label("msr")
	g.Mov(EBX, Imm(32))
	g.Label("msr.next")
	g.Dec(EBX)
	g.Jcc(Z, "next")
	g.Random()
	g.Mov(R8, RAX)
	g.And(EAX, Imm(7))
	g.Mov(RDX, Addr{Label: "msr.ranges"})
	g.Lea(RDX, Ptr(RDX, 0).Plus(RAX, 8))
	g.Mov(RCX, R8)
	g.Shr(RCX, Imm(8))
	g.And(ECX, Ptr(RDX, 4))
	g.Or(ECX, Ptr(RDX, 0))
	g.Cmp(ECX, Imm(msrAPICBase))
	g.Jcc(E, "msr.next")
	g.Mov(EAX, Imm(msrEFER))
	g.Cmp(ECX, EAX)
	g.Jcc(E, "msr.next")
	g.Bt(R8, Imm(60))
	g.Jcc(C, "msr.write")
	g.Rdmsr() // most reads fault, which ends the round
	g.Jmp("msr.next")
	g.Label("msr.write")
	g.Random()
	g.Mov(RDX, RAX)
	g.Shr(RDX, Imm(32))
	g.Wrmsr()
	g.Jmp("msr.next")
	g.Align(8, 0)
	g.Label("msr.ranges")
	for _, r := range ranges {
		g.Data32(r.base, r.mask)
	}
}
