package entry

import (
	. "ringo/x86/asm"
)

const (
	com1      = 0x3f8
	vgaText   = 0xb8000
	vgaWhite  = 0x0f00
	noLong    = "Ringo: this processor has no 64-bit mode (long mode); Ringo needs one that has"
	eflagsID  = 21
	cpuidLM   = 29 // CPUID 8000_0001h EDX
	thrEmpty  = 1 << 5
	sendTries = 1 << 16
)

// refuse emits "check", which returns if the processor has long mode and else
// says so on the serial line and the screen, and stops.
func refuse(a *Asm) {
	a.Label("check")
	a.Pushf()
	a.Pop(EAX)
	a.Mov(ECX, EAX)
	a.Xor(EAX, Imm(1<<eflagsID))
	a.Push(EAX)
	a.Popf()
	a.Pushf()
	a.Pop(EAX)
	a.Cmp(EAX, ECX) // the bit does not change where there is no CPUID
	a.JccShort(E, "refused")
	a.Mov(EAX, Imm(0x8000_0000))
	a.Cpuid()
	a.Cmp(EAX, Imm(0x8000_0001))
	a.JccShort(B, "refused")
	a.Mov(EAX, Imm(0x8000_0001))
	a.Cpuid()
	a.Bt(EDX, Imm(cpuidLM))
	a.JccShort(NC, "refused")
	a.Ret()

	a.Label("refused")
	for _, w := range [][2]int64{{1, 0}, {3, 0x80}, {0, 1}, {1, 0}, {3, 3}, {2, 7}, {4, 3}} { // 115200 8N1
		a.Mov(EDX, Imm(com1+w[0]))
		a.Mov(AL, Imm(w[1]))
		a.Out(DX, AL)
	}
	a.Lea(ESI, Mem{Base: EBP, Label: "refused.text"})
	a.Mov(EDI, Imm(vgaText))
	a.Label("refused.next")
	a.Lods(8)
	a.Test(AL, AL)
	a.JccShort(Z, "refused.halt")
	a.Movzx(EBX, AL)
	a.Or(EBX, Imm(vgaWhite))
	a.Mov(Ptr(EDI, 0), BX)
	a.Add(EDI, Imm(2))
	a.Mov(ECX, Imm(sendTries)) // there may be no serial port
	a.Mov(EDX, Imm(com1+5))
	a.Label("refused.wait")
	a.In(AL, DX)
	a.Test(AL, Imm(thrEmpty))
	a.JccShort(NZ, "refused.send")
	a.Loop("refused.wait")
	a.Label("refused.send")
	a.Mov(EDX, Imm(com1))
	a.Mov(EAX, EBX)
	a.Out(DX, AL)
	a.JmpShort("refused.next")
	a.Label("refused.halt")
	a.Cli()
	a.Hlt()
	a.JmpShort("refused.halt")
	a.Label("refused.text")
	a.String(noLong + "\r\n")
}
