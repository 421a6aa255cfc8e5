package tiny

import (
	. "ringo/x86/asm"
)

// Real-mode memory of ChaosReal.
const (
	realCode  = 0x10000 // random code, one segment
	realData  = 0x20000 // where DS, ES, SS, FS and GS point
	realBytes = 512     // of random code, and of register values behind it
	realTick  = 1193    // PIT counts: a millisecond
)

// ChaosReal runs random bytes in real mode, cut off by the timer's interrupt
// through the PIC. Real mode has no protection, so the guest dies sooner or
// later. Rounds 0 is without end; a guest that outlives them exits with
// ExitOK. The seed must not be 0.
func ChaosReal(seed, rounds uint32) []byte {
	return Real(func(*Asm) {}, realProgram(seed, rounds))
}

// realProgram is what runs in real mode.
func realProgram(seed, rounds uint32) func(a *Asm) {
	return func(a *Asm) {
		a.Call("set_up")
		a.Label("round")
		a.Mov(AX, Imm(realPage>>4))
		a.Mov(SS, AX)
		a.Mov(SP, Imm(realStack))
		if rounds > 0 {
			a.Dec(At("left").In(CS).Dword())
			a.Jcc(Z, "over")
		}
		a.Call("fill")
		a.Mov(AX, Imm(realData>>4))
		for _, s := range []Reg{ES, FS, GS, SS} {
			a.Mov(s, AX)
		}
		a.Mov(SP, Imm(realStack))
		a.Push(Imm(0x202)) // IF
		a.Push(Imm(realCode >> 4))
		a.Push(Imm(0))
		for i, r := range []Reg{EAX, ECX, EDX, EBX, EBP, ESI, EDI} {
			a.Mov(r, Abs(int64(realBytes+4*i))) // DS is still at the code
		}
		a.Push(ES)
		a.Pop(DS)
		a.Iret(16)

		a.Label("recover") // every interrupt and exception
		a.Cld()
		a.Mov(AL, Imm(0x20)) // EOI
		a.Out(Imm(0x20), AL)
		a.Jmp("round")
		a.Label("over")
		exitCode(a)
		realHelpers(a)
		a.Align(4, 0)
		a.Label("left")
		a.Data32(rounds + 1)
		a.Label("state")
		a.Data32(seed)
	}
}

func realHelpers(a *Asm) {
	// All interrupt vectors lead to recovery, and the timer runs.
	a.Label("set_up")
	a.Xor(AX, AX)
	a.Mov(ES, AX)
	a.Mov(DI, AX)
	a.Mov(EAX, Imm(realPage>>4<<16))
	a.Mov(AX, Addr{Label: "recover"})
	a.Mov(CX, Imm(256))
	a.Rep()
	a.Stos(32)
	for _, w := range [][2]int64{ // ICW1 to ICW4, then only IRQ 0
		{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0x21, 0xfe}, {0xa1, 0xff},
		{0x43, 0x34}, {0x40, realTick & 0xff}, {0x40, realTick >> 8}, // counter 0, rate generator
	} {
		a.Mov(AL, Imm(w[1]))
		a.Out(Imm(w[0]), AL)
	}
	a.Ret()

	a.Label("fill") // random code and register values; leaves DS at them
	a.Mov(AX, Imm(realCode>>4))
	a.Mov(ES, AX)
	a.Mov(DS, AX)
	a.Xor(DI, DI)
	a.Mov(CX, Imm((realBytes+7*4)/4))
	a.Mov(EAX, At("state").In(CS))
	a.Label("fill.next") // a xorshift generator
	for _, shift := range []int64{13, -17, 5} {
		a.Mov(EDX, EAX)
		if shift > 0 {
			a.Shl(EDX, Imm(shift))
		} else {
			a.Shr(EDX, Imm(-shift))
		}
		a.Xor(EAX, EDX)
	}
	a.Stos(32)
	a.Loop("fill.next")
	a.Mov(At("state").In(CS), EAX)
	a.Ret()
}
