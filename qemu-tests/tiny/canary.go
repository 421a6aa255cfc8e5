package tiny

import (
	"cmp"

	. "ringo/x86/asm"
)

// CanaryOptions say how Canary provokes exits.
type CanaryOptions struct {
	Rounds int
	Seed   uint64 // of the random values, not 0
	Port   uint8  // is read and written; the host has a device model there
	Tick   uint32 // nanoseconds between timer interrupts; 0: 20,000
}

// Where Canary keeps its values: what the registers were loaded with, and what
// they held afterwards.
const (
	canaryGPR    = programData          // 16 slots of 8 bytes; RSP's is not used
	canaryVector = programData + 0x80   // 16 slots of 32 bytes
	foundGPR     = programData + 0x800  // as canaryGPR
	foundVector  = programData + 0x880  // as canaryVector
	canaryEnd    = programData + 0x280  // end of the values
	varAVX       = programData + 0x1000 // 1: the upper halves take part
	varKept      = programData + 0x1008 // RSP during a round

	canaryTick = 20_000 // CanaryOptions.Tick where it is 0
)

// Canary fills all general and vector registers (with their AVX halves, where
// the processor has them) with random values, provokes an exit, lets timer
// interrupts come at any point, and fails if a register has changed that the
// instruction does not write.
func Canary(o CanaryOptions) []byte { return Long(canary(o)) }

func canary(o CanaryOptions) func(g *Guest) {
	return func(g *Guest) {
		g.Seed(o.Seed)
		g.enableAVX()
		g.APIC()
		g.StartTimer(timerPeriodic|tickVector, int64(cmp.Or(o.Tick, canaryTick)))
		g.Sti()
		g.Mov(Abs(varRound).Qword(), Imm(int64(o.Rounds)))
		g.Label("round")
		g.canaryExit("cpuid", []int{0, 1, 2, 3}, func() { g.Cpuid() })
		g.canaryExit("port read", []int{0}, func() { g.In(AL, Imm(int64(o.Port))) })
		g.canaryExit("port write", nil, func() { g.Out(Imm(int64(o.Port)), AL) })
		g.canaryExit("mmio write", nil, func() { g.StoreMoffs(apicPage+apicEOI, EAX) })
		g.canaryExit("mmio read", []int{0}, func() { g.LoadMoffs(EAX, apicPage+apicID) })
		g.canaryExit("msr read", []int{0, 1, 2}, func() {
			g.Mov(ECX, Imm(msrAPICBase))
			g.Rdmsr()
		})
		g.canaryExit("hlt", nil, func() { g.Hlt() })
		g.canaryExit("pause", []int{1}, func() {
			label := g.Unique("pause")
			g.Mov(ECX, Imm(1000))
			g.Label(label)
			g.Pause()
			g.Loop(label)
		})
		g.Dec(Abs(varRound).Qword())
		g.Jcc(NZ, "round")
		g.Cli()
		g.Print("canaries alive after ")
		g.Interrupts(tickVector)
		g.PrintDecimal()
		g.Print(" interrupts\n")
		g.Exit(ExitOK)
		g.canaryCode()
	}
}

// varRound counts the rounds that are left.
const varRound = programData + 0x1010

// spNumber is RSP among the general registers.
const spNumber = 4

// canaryExit loads all registers, runs body, which may change the general
// registers in written, and compares.
func (g *Guest) canaryExit(name string, written []int, body func()) {
	g.Call("fill")
	g.Mov(Abs(varKept), RSP)
	for n := range 16 {
		if n != spNumber {
			g.Mov(GPR(n, 64), Abs(int64(canaryGPR+8*n)))
		}
	}
	body()
	for n := range 16 {
		g.Mov(Abs(int64(foundGPR+8*n)), GPR(n, 64))
	}
	g.Mov(RSP, Abs(varKept))
	for _, n := range append(written, spNumber) {
		g.Mov(RAX, Abs(int64(canaryGPR+8*n)))
		g.Mov(Abs(int64(foundGPR+8*n)), RAX)
	}
	g.Call("compare")
	ok := g.Unique("same")
	g.Jcc(E, ok)
	g.Cli()
	g.Push(RCX)
	g.Print("words left to compare: ")
	g.Pop(RAX)
	g.PrintDecimal()
	g.Print("\n")
	g.Fail("a register changed: " + name)
	g.Label(ok)
}

// canaryCode is what every round calls.
func (g *Guest) canaryCode() {
	g.Label("fill") // new random values; vectors are loaded
	g.Mov(EDI, Imm(canaryGPR))
	g.Label("fill.next")
	g.Random()
	g.Stos(64)
	g.Cmp(EDI, Imm(canaryEnd))
	g.JccShort(B, "fill.next")
	g.eachVector("fill", func(n int, v, x Reg) {
		slot := int64(canaryVector + 32*n)
		g.moveVector(v, x, slot, true)
	})
	g.Ret()

	g.Label("compare") // ZF is set if all registers kept their values
	g.eachVector("compare", func(n int, v, x Reg) {
		slot := int64(foundVector + 32*n)
		g.moveVector(v, x, slot, false)
	})
	g.Cmp(Abs(varAVX).Byte(), Imm(0))
	g.Jcc(NE, "compare.all")
	for n := range 16 { // the upper halves take no part
		for _, half := range []int64{16, 24} {
			at := int64(32*n) + half
			g.Mov(RAX, Abs(canaryVector+at))
			g.Mov(Abs(foundVector+at), RAX)
		}
	}
	g.Label("compare.all")
	g.Mov(ESI, Imm(canaryGPR))
	g.Mov(EDI, Imm(foundGPR))
	g.Mov(ECX, Imm((canaryEnd-canaryGPR)/8))
	g.Rep()
	g.Cmps(64)
	g.Ret()
}

// eachVector emits each for the sixteen YMM registers if AVX is on, else for
// the XMM registers.
func (g *Guest) eachVector(name string, each func(n int, ymm, xmm Reg)) {
	g.Cmp(Abs(varAVX).Byte(), Imm(0))
	g.Jcc(E, name+".sse")
	for n := range 16 {
		each(n, YMM(n), 0)
	}
	g.Jmp(name + ".done")
	g.Label(name + ".sse")
	for n := range 16 {
		each(n, 0, XMM(n))
	}
	g.Label(name + ".done")
}

// moveVector moves ymm, or xmm if that is 0, from or to its slot.
func (g *Guest) moveVector(ymm, xmm Reg, slot int64, load bool) {
	switch {
	case ymm != 0 && load:
		g.Vmovups(ymm, Abs(slot))
	case ymm != 0:
		g.Vmovups(Abs(slot), ymm)
	case load:
		g.Movups(xmm, Abs(slot))
	default:
		g.Movups(Abs(slot), xmm)
	}
}

// enableAVX turns AVX on if the processor has it.
func (g *Guest) enableAVX() {
	const need, xcr0 = 1<<cpuid1XSAVE | 1<<cpuid1AVX, 7
	g.Mov(EAX, Imm(1))
	g.Cpuid()
	g.And(ECX, Imm(need))
	g.Cmp(ECX, Imm(need))
	g.Jcc(NE, "no_avx")
	g.Mov(RAX, CR4)
	g.Or(EAX, Imm(cr4OSXSAVE))
	g.Mov(CR4, RAX)
	g.Xor(ECX, ECX)
	g.Xor(EDX, EDX)
	g.Mov(EAX, Imm(xcr0))
	g.Xsetbv()
	g.Mov(Abs(varAVX).Byte(), Imm(1))
	g.Label("no_avx")
}
