package tiny

import (
	. "ringo/x86/asm"
)

const (
	realPage  = 0x8000 // a real-mode program, as CS:0; its stack is above it
	realStack = 0x4000 // offset from realPage
)

// Real makes a kernel that runs before's 32-bit code and then, in real mode,
// program, which is assembled for offset 0 of the segment that it runs in and
// has at most 16 KiB with its stack. Firmware that was there can be called.
func Real(before, program func(a *Asm)) []byte {
	return PVH(func(a *Asm) {
		blob, err := realBlob(program).Bytes()
		if err != nil {
			a.Fail(err)
		}
		realEntry(a, before, blob)
	})
}

// realEntry copies the program below 1 MiB and enters it in a 16-bit segment,
// the first step back to real mode (SDM volume 3A, section "Switching Back to
// Real-Address Mode").
func realEntry(a *Asm, before func(a *Asm), blob []byte) {
	a.Cli()
	a.Cld()
	a.Mov(ESP, Imm(realPage+realStack))
	before(a)
	a.Mov(ESI, Addr{Label: "blob"})
	a.Mov(EDI, Imm(realPage))
	a.Mov(ECX, Imm(int64(len(blob))))
	a.Rep()
	a.Movs(8)
	a.Lgdt(At("gdtr"))
	a.Mov(EAX, Imm(0x10))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		a.Mov(s, EAX)
	}
	a.Push(Imm(8))
	a.Push(Imm(0))
	a.RetFar(32)
	a.Align(8, 0)
	a.Label("gdt")
	a.Data64(0,
		0x0000_9b00_8000_ffff, // 16-bit code at realPage
		0x0000_9300_0000_ffff) // 16-bit data at 0
	a.Label("gdtr")
	a.Data16(3*8 - 1)
	a.DataAddr(32, "gdt", 0)
	a.Label("blob")
	a.Raw(blob...)
}

// realBlob leaves protected mode and goes on with program, DS = SS = CS.
func realBlob(program func(a *Asm)) *Asm {
	a := New(Bits16, 0)
	a.Mov(EAX, CR0)
	a.And(AL, Imm(^cr0PE&0xff))
	a.Mov(CR0, EAX)
	a.JmpFar(realPage>>4, "real", 16)
	a.Label("real")
	a.Mov(AX, CS)
	a.Mov(DS, AX)
	a.Mov(SS, AX)
	a.Mov(SP, Imm(realStack))
	a.Lidt(At("real.idtr"))
	a.JmpShort("program")
	a.Label("real.idtr")
	a.Data16(0x3ff)
	a.Data32(0)
	a.Label("program")
	program(a)
	return a
}
