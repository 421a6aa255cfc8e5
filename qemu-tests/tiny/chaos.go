package tiny

import (
	. "ringo/x86/asm"
)

// ChaosOptions say what Chaos may do.
type ChaosOptions struct {
	Seed   uint64 // not 0
	Rounds int    // 0 is without end
	// Kernel adds random code at CPL 0, in 64, 32 and 16-bit segments. Such a
	// guest dies sooner or later: a triple fault, a halt without interrupts,
	// an endless loop.
	Kernel bool
	// RAM is the guest's memory in bytes, at least 6 MiB: wild accesses go
	// above it, so that the program does not destroy itself.
	RAM uint32
	// AvoidPorts are not touched: those that reset the machine or turn it off.
	// The debug-exit port is always avoided.
	AvoidPorts []uint16
}

const (
	chaosVector = 0x42
	chaosTicks  = 50_000 // APIC timer ticks until random code is cut off
	chaosBytes  = 512    // of random code

	varChaosLeft  = programData
	varChaosFault = programData + 0x08
	chaosRegs     = programData + 0x100 // 16 random registers
	chaosBuffer   = chaosPage + 0x10000
	chaosStackEnd = chaosPage + 0x20000
	chaosPD       = pageTables + 0x6000
	chaosWindow   = 4 << 30 // virtual: 2 MiB of any physical address
)

// Chaos misbehaves: random instruction bytes at CPL 3 in 64 and 32-bit
// segments (and at CPL 0, see ChaosOptions), wild port and MMIO accesses of
// all widths, and storms of MSR accesses. Every exception and a timer lead
// back to the next round. What it does depends on the seed, and on the
// timing. If it outlives its rounds it prints how many exceptions it took.
func Chaos(o ChaosOptions) []byte { return Long(chaos(o)) }

func chaos(o ChaosOptions) func(g *Guest) {
	return func(g *Guest) {
		g.Seed(o.Seed)
		g.Mov(Abs(varChaosLeft).Qword(), Imm(int64(o.Rounds)))
		g.chaosSetUp()
		g.Label("round")
		g.Mov(RSP, Imm(stacks+stackBytes))
		g.APIC()
		g.StartTimer(chaosVector, chaosTicks)
		kinds := []string{"user64", "user64", "user32", "ports", "mmio", "mmio.high", "msr", "msr"}
		if o.Kernel {
			kinds[1], kinds[7] = "kernel", "kernel"
		}
		g.choose("kinds", kinds...)

		g.Label("next") // a round is over
		if o.Rounds > 0 {
			g.Dec(Abs(varChaosLeft).Qword())
			g.Jcc(NZ, "round")
			g.Print("chaos: exceptions and interrupts ")
			g.Mov(RAX, Abs(varChaosFault))
			g.PrintDecimal()
			g.Print("\n")
			g.Exit(ExitOK)
		} else {
			g.Jmp("round")
		}
		g.chaosRecover()
		g.chaosCode(o.Kernel)
		g.chaosPorts(o)
		g.chaosMMIO(o)
		g.chaosMSR()
	}
}

// choose jumps to one of the labels, 8 of them, by chance.
func (g *Guest) choose(name string, labels ...string) {
	g.Random()
	g.And(EAX, Imm(7))
	g.Mov(RCX, Addr{Label: name})
	g.JmpTo(Mem{Base: RCX, Index: RAX, Scale: 8, Size: 64})
	g.Label(name)
	for _, l := range labels {
		g.DataAddr(64, l, 0)
	}
}

// chaosSetUp opens chaosPage to CPL 3, makes a stack for every handler and
// leads every vector to recovery.
func (g *Guest) chaosSetUp() {
	const user = 4
	g.Or(Abs(pageTables).Byte(), Imm(user))
	g.Or(Abs(pageTables+0x1000).Byte(), Imm(user))
	g.Or(Abs(pageTables+0x2000+8*(chaosPage>>21)).Byte(), Imm(user))
	g.Mov(Abs(pageTables+0x1000+8*(chaosWindow>>30)).Qword(), Imm(chaosPD|3))
	g.Mov(RAX, CR3)
	g.Mov(CR3, RAX)
	const stack0, stackIST1 = tssBase + 4, tssBase + 0x24
	g.Mov(Abs(stack0).Qword(), Imm(stacks+2*stackBytes))
	g.Mov(Abs(stackIST1).Qword(), Imm(stacks+2*stackBytes))
	g.Mov(Abs(tssBase+0x66).Word(), Imm(tssLimit+1)) // no I/O map: CPL 3 has no ports
	g.Mov(EAX, Imm(selTSS))
	g.Ltr(AX)
	g.Xor(EBX, EBX)
	g.Label("chaos.gates")
	g.Lea(RAX, At("recover"))
	g.Mov(ECX, EBX)
	g.Mov(ESI, Imm(1)) // IST1
	g.Call("gate")
	g.Inc(EBX)
	g.Cmp(EBX, Imm(256))
	g.Jcc(B, "chaos.gates")
	g.allowINT()
}

// allowINT lets CPL 3 raise interrupts 0x80 to 0x8f.
func (g *Guest) allowINT() {
	const dpl3 = 0x60
	for v := int64(0x80); v < 0x90; v++ {
		g.Or(Abs(idtBase+16*v+5).Byte(), Imm(dpl3))
	}
}

// chaosRecover is every handler: it puts the machine into its known state.
func (g *Guest) chaosRecover() {
	g.Label("recover")
	g.Mov(EAX, Imm(longCR4))
	g.Mov(CR4, RAX)
	g.Mov(EAX, Imm(longCR0))
	g.Mov(CR0, RAX)
	g.Mov(EAX, Imm(pageTables))
	g.Mov(CR3, RAX)
	g.Lgdt(At("gdtr"))
	g.Call("idt.load")
	g.Xor(EAX, EAX)
	g.Mov(DR7, RAX)
	g.Mov(EAX, Imm(selData))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		g.Mov(s, EAX)
	}
	g.Mov(RSP, Imm(stacks+stackBytes))
	g.Push(Imm(2)) // only the bit that is always set
	g.Popf()
	g.Call("eoi")
	g.Inc(Abs(varChaosFault).Qword())
	g.Jmp("next")
}
