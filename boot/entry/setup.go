package entry

import (
	. "ringo/x86/asm"
)

// Offsets in boot_params ("The zero page").
const (
	bpScratch     = 0x1e4 // free for the 32-bit entry
	bpE820Entries = 0x1e8
	bpE820Table   = 0x2d0
	bpSize        = 0x1000

	e820Max       = 128
	e820EntrySize = 20
	smap          = 0x534d4150 // "SMAP"
	e820RAM       = 1
)

// Selectors of the setup code's GDT, fixed by the boot protocol.
const (
	bootCS = 0x10
	bootDS = 0x18
)

// tag16 in EDX tells the 32-bit entry that our own 16-bit code jumped to it,
// and not a loader.
const tag16 = 0x36314f48

const setupStack = 2048

// setup makes the setup part without its header: offsets in the segment
// that it is loaded to are offsets in the file. The boot_params page and the
// stack are part of it, so it depends on no heap of the loader's.
func setup() *Asm {
	a := New(Bits16, 0)
	a.Space(headerEnd)
	setupEntry(a)
	setupA20(a)
	setupMemory(a)
	setupProtected(a)
	setupData(a)
	return a
}

// setupEntry runs at DS+0x20:headerEnd-0x200, with DS the segment that the
// setup part was loaded to. It makes CS equal to DS, so that labels are right.
func setupEntry(a *Asm) {
	a.Cli()
	a.Cld()
	a.Mov(AX, DS)
	a.Mov(ES, AX)
	a.Mov(SS, AX)
	a.Mov(SP, Addr{Label: "stack.top"})
	a.Push(AX)
	a.Push(Addr{Label: "main"})
	a.RetFar(16)

	a.Label("main")
	a.Sti()
	a.Mov(SI, Imm(headerOffset))
	a.Mov(DI, Addr{Label: "boot_params", Add: headerOffset})
	a.Mov(CX, Imm(headerEnd-headerOffset))
	a.Rep()
	a.Movs(8)
	a.Call("a20")
	a.Call("memory")
	a.Jmp("protected")
}

// setupA20 opens address line 20, or says that it cannot and stops.
func setupA20(a *Asm) {
	a.Label("a20")
	a.Call("a20.test")
	a.Jcc(NE, "a20.done")
	a.Mov(AX, Imm(0x2401)) // BIOS: enable A20
	a.Int(0x15)
	a.Call("a20.test")
	a.Jcc(NE, "a20.done")
	a.In(AL, Imm(0x92)) // the fast gate
	a.Or(AL, Imm(2))
	a.And(AL, Imm(^1&0xff)) // bit 0 is a reset
	a.Out(Imm(0x92), AL)
	a.Call("a20.test")
	a.Jcc(NE, "a20.done")
	a.Mov(SI, Addr{Label: "a20.message"})
	a.Label("a20.print")
	a.Lods(8)
	a.Test(AL, AL)
	a.JccShort(E, "a20.halt")
	a.Mov(AH, Imm(0x0e)) // BIOS: teletype output
	a.Mov(BX, Imm(7))
	a.Int(0x10)
	a.JmpShort("a20.print")
	a.Label("a20.halt")
	a.Hlt()
	a.JmpShort("a20.halt")
	a.Label("a20.done")
	a.Ret()

	// NE if a word at 1 MiB + n is not the one at n. It changes the low one
	// some times, because the two may be equal by chance and the gate is slow.
	const vector80 = 0x200 // an interrupt vector that nobody uses
	a.Label("a20.test")
	a.Xor(AX, AX)
	a.Mov(FS, AX)
	a.Dec(AX)
	a.Mov(GS, AX)
	a.Cli()
	a.Push(Abs(vector80).In(FS).Word())
	a.Mov(CX, Imm(32))
	a.Label("a20.again")
	a.Inc(AX)
	a.Mov(Abs(vector80).In(FS), AX)
	a.Out(Imm(0x80), AL) // a slow write that nobody hears
	a.Cmp(AX, Abs(vector80+0x10).In(GS))
	a.JccShort(NE, "a20.differs")
	a.Loop("a20.again")
	a.Label("a20.differs")
	a.Pop(Abs(vector80).In(FS).Word())
	a.Sti()
	a.Ret()
}

// setupProtected goes to 32-bit mode and to code32_start with ESI =
// boot_params.
func setupProtected(a *Asm) {
	a.Label("protected")
	a.Cli()
	a.Mov(AL, Imm(0xff)) // mask both interrupt controllers
	a.Out(Imm(0xa1), AL)
	a.Out(Imm(0x80), AL)
	a.Out(Imm(0x21), AL)
	a.Xor(EBX, EBX)
	a.Mov(BX, DS)
	a.Shl(EBX, Imm(4)) // linear address of this segment
	a.Lea(EAX, Mem{Base: EBX, Label: "gdt"})
	a.Mov(At("gdtr").Off(2), EAX)
	a.Lidt(At("idtr"))
	a.Lgdt(At("gdtr"))
	a.Lea(EAX, Mem{Base: EBX, Label: "flat"})
	a.Lea(ESI, Mem{Base: EBX, Label: "boot_params"})
	a.Mov(ECX, CR0)
	a.Or(CL, Imm(1)) // PE
	a.Mov(CR0, ECX)
	a.PushImm32(Imm(bootCS))
	a.Push(EAX)
	a.RetFar(32)

	a.Bits(Bits32)
	a.Label("flat")
	a.Mov(EAX, Imm(bootDS))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		a.Mov(s, EAX)
	}
	a.Mov(EDX, Imm(tag16))
	a.Mov(EAX, Ptr(ESI, 0x214)) // code32_start: a loader may have changed it
	a.Xor(EBX, EBX)
	a.Xor(EBP, EBP)
	a.Xor(EDI, EDI)
	a.JmpTo(EAX)
	a.Bits(Bits16)
}

func setupData(a *Asm) {
	a.Label("a20.message")
	a.String("Ringo: address line A20 stays closed; enable it in the firmware setup\r\n")
	a.Label("version")
	a.String("Ringo")
	a.Align(8, 0)
	a.Label("gdt")
	a.Data64(0, 0)
	a.Data64(descriptorCode32, descriptorData)
	a.Label("gdtr")
	a.Data16(4*8 - 1)
	a.Data32(0)
	a.Label("idtr")
	a.Data16(0)
	a.Data32(0)
	a.Align(16, 0)
	a.Label("boot_params")
	a.Space(bpSize)
	a.Space(setupStack)
	a.Label("stack.top")
	a.Align(512, 0)
}
