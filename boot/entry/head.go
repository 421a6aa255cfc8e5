package entry

import (
	. "ringo/x86/asm"
)

// Selectors and descriptors of the head's and the AP blob's GDT: flat, with
// the accessed bit set so that the processor never writes to the table.
const (
	selectorCode64 = 0x08
	selectorData   = 0x10
	selectorCode32 = 0x18

	descriptorCode64 = 0x00af_9b00_0000_ffff
	descriptorData   = 0x00cf_9300_0000_ffff
	descriptorCode32 = 0x00cf_9b00_0000_ffff
)

// Control register values that the host starts with.
const (
	bootCR0 = cr0PG | 1<<16 | 1<<5 | 1<<4 | 1<<1 | cr0PE // WP, NE, ET, MP
	bootCR4 = cr4PAE | 1<<9 | 1<<10                      // OSFXSR, OSXMMEXCPT
)

// head makes the code and data in front of the payload, headSize bytes. It is
// position-independent: EBP or RBP holds the load address, and labels are
// offsets from it.
func head(p Payload, l layout, apBlob []byte) *Asm {
	a := New(Bits32, 0)
	a.Label("load")
	entry32(a)
	a.Pad(entry64Offset, 0xcc)
	entry64(a)
	common(a, l)
	tables(a, p, l)
	longMode(a, p, l)
	refuse(a)
	headData(a, p, l, apBlob)
	a.Pad(stackOffset, 0)
	a.Space(stackSize)
	return a
}

// field is a field of the hand-off record, from base register r.
func field(r Reg, offset int64) Mem {
	return Mem{Base: r, Label: "handoff", Disp: offset, Size: 32}
}

// entry32 is the 32-bit boot protocol: flat segments, paging off, ESI =
// boot_params, the rest undefined.
func entry32(a *Asm) {
	a.Cli()
	a.Cld()
	a.Mov(EDI, EDX) // tag16, if our own setup code came before
	a.Rdtsc()
	a.Mov(EBX, EAX)
	a.Mov(ECX, EDX)
	// There is no stack yet: borrow the scratch field to learn the address.
	a.Lea(ESP, Ptr(ESI, bpScratch+4))
	a.Call("where")
	a.Label("where")
	a.Pop(EBP)
	a.Sub(EBP, Addr{Label: "where"})
	a.Lea(ESP, Ptr(EBP, stackTop))
	a.Mov(field(EBP, HandoffEntryTSC), EBX)
	a.Mov(field(EBP, HandoffEntryTSC+4), ECX)
	a.Mov(EAX, Imm(32))
	a.Cmp(EDI, Imm(tag16))
	a.JccShort(NE, "loader32")
	a.Mov(EAX, Imm(16))
	a.Label("loader32")
	a.Mov(field(EBP, HandoffProtocolEntry), EAX)
	a.Lea(EAX, Mem{Base: EBP, Label: "gdt"})
	a.Mov(Mem{Base: EBP, Label: "gdtr", Disp: 2}, EAX)
	a.Lgdt(Mem{Base: EBP, Label: "gdtr"})
	a.Push(Imm(selectorCode32))
	a.Lea(EAX, Mem{Base: EBP, Label: "common"})
	a.Push(EAX)
	a.RetFar(32)
}

// entry64 is the 64-bit boot protocol: long mode with an identity map, RSI =
// boot_params. It goes back to 32-bit mode without paging, the one state in
// which every table and control bit of the loader's (5-level paging, PCID)
// can be replaced.
func entry64(a *Asm) {
	a.Bits(Bits64)
	a.Cli()
	a.Cld()
	a.Rdtsc()
	a.Lea(RBP, At("load"))
	a.Lea(RSP, Ptr(RBP, stackTop))
	a.Mov(field(RBP, HandoffEntryTSC), EAX)
	a.Mov(field(RBP, HandoffEntryTSC+4), EDX)
	a.Mov(field(RBP, HandoffProtocolEntry), Imm(64))
	a.Lea(RAX, Mem{Base: RBP, Label: "gdt"})
	a.Mov(Mem{Base: RBP, Label: "gdtr", Disp: 2}, RAX)
	a.Lgdt(Mem{Base: RBP, Label: "gdtr"})
	a.Push(Imm(selectorCode32))
	a.Lea(RAX, At("compatibility"))
	a.Push(RAX)
	a.RetFar(64)

	a.Bits(Bits32)
	a.Label("compatibility")
	a.Mov(EAX, CR4)
	a.And(EAX, Imm(cr4LA57|cr4PAE)) // these may not change while paging is on
	a.Mov(CR4, EAX)
	a.Mov(EAX, CR0)
	a.Btr(EAX, Imm(31)) // PG
	a.Mov(CR0, EAX)
	a.Jmp("common")
}

// common runs in 32-bit mode without paging, with EBP = load address and ESI =
// boot_params, whichever way it came.
func common(a *Asm, l layout) {
	a.Label("common")
	a.Mov(EAX, Imm(selectorData))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		a.Mov(s, EAX)
	}
	a.Lidt(Mem{Base: EBP, Label: "idtr"})
	a.Mov(field(EBP, HandoffBootParams), ESI)
	for _, offset := range []int64{HandoffImagePhys, HandoffReservedPhys, HandoffAPTrampoline} {
		a.Add(field(EBP, offset), EBP)
	}
	a.Call("check")
	// bss and page tables
	a.Lea(EDI, Ptr(EBP, int64(l.fileEnd)))
	a.Mov(ECX, Imm((l.end-l.fileEnd)/4))
	a.Xor(EAX, EAX)
	a.Rep()
	a.Stos(32)
}

// longMode turns paging on and enters the host.
func longMode(a *Asm, p Payload, l layout) {
	a.Lea(EAX, Ptr(EBP, int64(l.tables+tablePML4)))
	a.Mov(CR3, EAX)
	a.Mov(EAX, Imm(bootCR4))
	a.Mov(CR4, EAX)
	a.Mov(EAX, Imm(0x8000_0001))
	a.Cpuid()
	a.Mov(EAX, Imm(eferLME))
	a.Bt(EDX, Imm(20)) // NX
	a.JccShort(NC, "no_nx")
	a.Or(EAX, Imm(eferNXE))
	a.Label("no_nx")
	a.Xor(EDX, EDX)
	a.Mov(ECX, Imm(msrEFER))
	a.Wrmsr()
	a.Mov(EAX, Imm(bootCR0))
	a.Mov(CR0, EAX)
	a.Push(Imm(selectorCode64))
	a.Lea(EAX, Mem{Base: EBP, Label: "identity"})
	a.Push(EAX)
	a.RetFar(32)

	a.Bits(Bits64)
	a.Label("identity")
	a.Mov(EBP, EBP) // the upper half is not defined after a mode switch
	a.Mov(RAX, Imm(DirectMap-1<<64))
	a.Lea(RDI, Mem{Base: RBP, Label: "handoff"})
	a.Add(RBP, RAX)
	a.Lea(RAX, Mem{Base: RBP, Label: "direct"})
	a.JmpTo(RAX)

	// From here on nothing uses an identity address, so the image may take
	// its place: the second set of tables comes in.
	a.Label("direct")
	a.Lea(RSP, Ptr(RBP, stackTop))
	a.Lea(RAX, Mem{Base: RBP, Label: "gdt"})
	a.Mov(Mem{Base: RBP, Label: "gdtr", Disp: 2}, RAX)
	a.Lgdt(Mem{Base: RBP, Label: "gdtr"})
	a.Mov(RAX, Ptr(RBP, int64(l.tables+tablePML4)))
	a.Add(RAX, Imm(tablePDPT2-tablePDPT))
	a.Mov(Ptr(RBP, int64(l.tables+tablePML4)), RAX)
	a.Mov(RAX, CR3)
	a.Mov(CR3, RAX)
	a.Mov(RAX, Imm(p.Entry))
	a.JmpTo(RAX)
	a.Bits(Bits32)
}

// headData is what the code works on; all the hand-off that is known now.
func headData(a *Asm, p Payload, l layout, blob []byte) {
	a.Align(16, 0)
	a.Label("gdt")
	a.Data64(0, descriptorCode64, descriptorData, descriptorCode32)
	a.Label("gdtr")
	a.Data16(4*8 - 1)
	a.Data64(0)
	a.Label("idtr")
	a.Data16(0)
	a.Data64(0)
	a.Align(16, 0)
	a.Label("kernel_info")
	a.Data32(0x506f_544c, 16, 16, 0) // "LToP", size, size_total, setup_type_max
	a.Label("handoff")
	a.Data64(Magic, 0, headSize, p.Virt, l.imageSize, 0, l.end)
	a.DataAddr(64, "ap", 0)
	a.Data64(uint64(len(blob)), 0, 0)
	for _, s := range p.Segments {
		a.Data64(s.Virt, s.Size, s.Flags)
	}
	a.Space((MaxSegments - len(p.Segments)) * 24)
	a.Align(16, 0)
	a.Label("ap")
	a.Raw(blob...)
}
