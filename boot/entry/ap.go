package entry

import (
	. "ringo/x86/asm"
)

// Parameters of the AP blob: offsets from its start, 8 bytes each, filled in
// by the host before each start-up IPI.
const (
	APParamCR3      = 0x1c0 // page tables, below 4 GiB; they identity-map the blob's page
	APParamEntry    = 0x1c8 // virtual address to jump to
	APParamStack    = 0x1d0 // RSP
	APParamArgument = 0x1d8 // RDI
	APParamEFER     = 0x1e0 // LME is added, LMA is masked
	APParamCR4      = 0x1e8 // PAE is added; no PCIDE, which needs 64-bit mode
	APParamCR0      = 0x1f0 // PG and PE are added

	// APTrampolineSize is the size of the blob.
	APTrampolineSize = 0x200
)

const (
	cr0PE = 1 << 0
	cr0PG = 1 << 31

	cr4PAE  = 1 << 5
	cr4LA57 = 1 << 12

	msrEFER = 0xc0000080
	eferLME = 1 << 8
	eferLMA = 1 << 10
	eferNXE = 1 << 11
)

// APTrampoline makes the code that an application processor starts with. The
// host copies it to a page below 1 MiB, fills in the parameters and sends a
// start-up IPI with the page's number. It is run by one processor at a time.
// It enters the host with CS 0x08, the other segment registers 0x10, of a GDT
// in the blob: the host loads its own.
func APTrampoline() ([]byte, error) { return apTrampoline().Bytes() }

func apTrampoline() *Asm {
	a := New(Bits16, 0)
	apReal(a)
	apProtected(a)
	apLong(a)
	a.Align(8, 0)
	a.Label("gdt")
	a.Data64(0, descriptorCode64, descriptorData, descriptorCode32)
	a.Label("gdtr")
	a.Data16(4*8 - 1)
	a.Data32(0)
	a.Label("far32") // offset and selector, for the jump to 32-bit code
	a.Data32(0)
	a.Data16(selectorCode32)
	a.Label("far64")
	a.Data32(0)
	a.Data16(selectorCode64)
	a.Pad(APTrampolineSize, 0)
	return a
}

// apReal runs at page:0 in real mode and goes to 32-bit protected mode with
// EBX = address of the blob.
func apReal(a *Asm) {
	a.Cli()
	a.Cld()
	a.Xor(EBX, EBX)
	a.Mov(BX, CS)
	a.Mov(DS, BX)
	a.Shl(EBX, Imm(4))
	a.Lea(EAX, Mem{Base: EBX, Label: "gdt"})
	a.Mov(At("gdtr").Off(2), EAX)
	a.Lea(EAX, Mem{Base: EBX, Label: "protected"})
	a.Mov(At("far32"), EAX)
	a.Lea(EAX, Mem{Base: EBX, Label: "long"})
	a.Mov(At("far64"), EAX)
	a.Lgdt(At("gdtr"))
	a.Mov(EAX, CR0)
	a.Or(AL, Imm(cr0PE))
	a.Mov(CR0, EAX)
	a.JmpFarTo(At("far32").Dword())
}

// apProtected turns on long mode with the host's control registers.
func apProtected(a *Asm) {
	a.Bits(Bits32)
	a.Label("protected")
	a.Mov(EAX, Imm(selectorData))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		a.Mov(s, EAX)
	}
	a.Mov(EAX, Ptr(EBX, APParamCR4))
	a.Or(EAX, Imm(cr4PAE))
	a.Mov(CR4, EAX)
	a.Mov(EAX, Ptr(EBX, APParamCR3))
	a.Mov(CR3, EAX)
	a.Mov(ECX, Imm(msrEFER))
	a.Mov(EAX, Ptr(EBX, APParamEFER))
	a.Mov(EDX, Ptr(EBX, APParamEFER+4))
	a.Or(EAX, Imm(eferLME))
	a.And(EAX, Imm(^eferLMA&0xffff_ffff))
	a.Wrmsr()
	a.Mov(EAX, Ptr(EBX, APParamCR0))
	a.Or(EAX, Imm(cr0PG|cr0PE))
	a.Mov(CR0, EAX)
	a.JmpFarTo(Mem{Base: EBX, Label: "far64", Size: 32})
}

// apLong enters the host.
func apLong(a *Asm) {
	a.Bits(Bits64)
	a.Label("long")
	a.Mov(EBX, EBX) // the upper half is not defined after a mode switch
	a.Mov(RSP, Ptr(RBX, APParamStack))
	a.Mov(RDI, Ptr(RBX, APParamArgument))
	a.Mov(RAX, Ptr(RBX, APParamEntry))
	a.JmpTo(RAX)
}
