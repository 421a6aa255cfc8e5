package tiny

import (
	. "ringo/x86/asm"
)

const (
	stubBytes  = 16
	exceptions = 32
	gateKernel = 0x8e00 // present, 64-bit interrupt gate
)

// hasErrorCode are the exceptions that push an error code: #DF, #TS, #NP, #SS,
// #GP, #PF, #AC, #CP, #VC, #SX.
var hasErrorCode = map[int]bool{8: true, 10: true, 11: true, 12: true, 13: true, 14: true, 17: true, 21: true, 29: true, 30: true}

// Gate makes vector's handler the code at label, on interrupt stack ist of the
// TSS (0: the current stack).
func (g *Guest) Gate(vector int, label string, ist int64) {
	g.Lea(RAX, At(label))
	g.Mov(ECX, Imm(int64(vector)))
	g.Mov(ESI, Imm(ist))
	g.Call("gate")
}

// Interrupts loads RAX with the number of interrupts that the counting handler
// took for vector.
func (g *Guest) Interrupts(vector int) { g.Mov(RAX, Abs(int64(counters+8*vector))) }

func (g *Guest) interruptCode() {
	g.Label("gate") // RAX = handler, ECX = vector, ESI = IST
	g.Shl(ECX, Imm(4))
	g.Add(ECX, Imm(idtBase))
	g.Mov(Ptr(RCX, 0), AX)
	g.Mov(Ptr(RCX, 2).Word(), Imm(selCode64))
	g.Or(ESI, Imm(gateKernel))
	g.Mov(Ptr(RCX, 4), SI)
	g.Shr(RAX, Imm(16))
	g.Mov(Ptr(RCX, 6), AX)
	g.Shr(RAX, Imm(16))
	g.Mov(Ptr(RCX, 8), RAX)
	g.Ret()

	g.Label("idt") // fills the whole table and loads it
	g.Push(RBX)
	g.Xor(EBX, EBX)
	g.Label("idt.next")
	g.Mov(EAX, EBX)
	g.Shl(EAX, Imm(4)) // stubBytes
	g.Add(RAX, Addr{Label: "stubs"})
	g.Mov(ECX, EBX)
	g.Xor(ESI, ESI)
	g.Call("gate")
	g.Inc(EBX)
	g.Cmp(EBX, Imm(256))
	g.JccShort(B, "idt.next")
	g.Pop(RBX)
	g.Label("idt.load")
	g.Lidt(At("idtr"))
	g.Ret()
	g.Label("idtr")
	g.Data16(256*16 - 1)
	g.Data64(idtBase)

	g.countingHandler()
	g.exceptionHandler()
	g.stubs()
}

// stubs pushes an error code where the processor does not, and the vector.
func (g *Guest) stubs() {
	g.Align(stubBytes, 0xcc)
	g.Label("stubs")
	for v := range 256 {
		if !hasErrorCode[v] {
			g.Push(Imm(0))
		}
		g.Push(Imm(int64(v)))
		if v < exceptions {
			g.Jmp("exception")
		} else {
			g.Jmp("count")
		}
		g.Align(stubBytes, 0xcc)
	}
}

// countingHandler counts the vector and acknowledges it. It changes nothing
// else.
func (g *Guest) countingHandler() {
	g.Label("count")
	for _, r := range []Reg{RAX, RCX, RDX, RDI} {
		g.Push(r)
	}
	g.Mov(ECX, Ptr(RSP, 4*8)) // the vector
	g.Lock()
	g.Inc(Mem{Index: RCX, Scale: 8, Disp: counters, Size: 64})
	g.Call("eoi")
	for _, r := range []Reg{RDI, RDX, RCX, RAX} {
		g.Pop(r)
	}
	g.Lea(RSP, Ptr(RSP, 16))
	g.Iret(64)
}

// exceptionHandler reports vector, error code and RIP, and ends the guest.
func (g *Guest) exceptionHandler() {
	g.Label("exception")
	g.Print("FAIL exception ")
	g.Pop(RAX)
	g.PrintDecimal()
	g.Print(" error ")
	g.Pop(RAX)
	g.PrintHex()
	g.Print(" at ")
	g.Pop(RAX)
	g.PrintHex()
	g.Print(" cr2 ")
	g.Mov(RAX, CR2)
	g.PrintHex()
	g.Print("\n")
	g.Exit(ExitException)
}
