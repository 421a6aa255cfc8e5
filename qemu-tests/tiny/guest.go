package tiny

import (
	. "ringo/x86/asm"
)

// Guest is a program being written, with the runtime's helpers. What a helper
// emits may change RAX, RCX, RDX, RSI, RDI and the flags, unless its comment
// says otherwise.
type Guest struct {
	*Asm
	texts []text
}

type text struct{ label, value string }

// Control register and MSR bits.
const (
	cr0PE = 1 << 0
	cr0MP = 1 << 1
	cr0ET = 1 << 4
	cr0NE = 1 << 5
	cr0WP = 1 << 16
	cr0PG = 1 << 31

	cr4PAE        = 1 << 5
	cr4OSFXSR     = 1 << 9
	cr4OSXMMEXCPT = 1 << 10
	cr4OSXSAVE    = 1 << 18

	msrEFER = 0xc0000080
	eferLME = 1 << 8

	longCR0 = cr0PG | cr0WP | cr0NE | cr0ET | cr0MP | cr0PE
	longCR4 = cr4PAE | cr4OSFXSR | cr4OSXMMEXCPT
)

// Long makes a kernel that runs build's code in 64-bit mode with a stack, an
// identity map of 4 GiB, an IDT whose handlers count interrupts and report
// exceptions, and the local APIC as it was found. When the code ends the
// guest exits with ExitOK.
func Long(build func(g *Guest)) []byte { return PVH(func(a *Asm) { long(a, build) }) }

func long(a *Asm, build func(g *Guest)) {
	g := &Guest{Asm: a}
	g.enterLong()
	build(g)
	g.Exit(ExitOK)
	g.consoleCode()
	g.interruptCode()
	g.apicCode()
	g.apCode()
	g.randomCode()
	g.data()
}

// enterLong is the PVH entry.
func (g *Guest) enterLong() {
	g.Cli()
	g.Cld()
	g.Mov(ESP, Imm(stacks+stackBytes))
	g.Mov(AL, Imm(0xff)) // mask both PICs: firmware may have left a timer on
	g.Out(Imm(0x21), AL)
	g.Out(Imm(0xa1), AL)
	g.Mov(EDI, Imm(pageTables))
	g.Mov(ECX, Imm((zeroEnd-pageTables)/4))
	g.Xor(EAX, EAX)
	g.Rep()
	g.Stos(32)
	g.Mov(Abs(varStartInfo), EBX)
	g.Mov(Abs(varCPUs).Dword(), Imm(1))
	g.identityMap()
	g.Lgdt(At("gdtr"))
	g.dataSegments()
	g.longMode(Addr{Label: "long"})

	g.Bits(Bits64)
	g.Label("long")
	g.Call("idt")
	g.Xor(EBP, EBP)
}

// dataSegments loads the flat data segment in 32-bit mode.
func (g *Guest) dataSegments() {
	g.Mov(EAX, Imm(selData))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		g.Mov(s, EAX)
	}
}

// identityMap fills the tables for 4 GiB in pages of 2 MiB.
func (g *Guest) identityMap() {
	const present, large = 3, 0x83
	g.Mov(Abs(pageTables).Dword(), Imm(pageTables+0x1000+present))
	for i := range int64(4) {
		g.Mov(Abs(pageTables+0x1000+8*i).Dword(), Imm(pageTables+0x2000+0x1000*i+present))
	}
	g.Mov(EDI, Imm(pageTables+0x2000))
	g.Mov(EAX, Imm(large))
	g.Mov(ECX, Imm(4*512))
	g.Label("map")
	g.Mov(Ptr(EDI, 0), EAX)
	g.Add(EDI, Imm(8))
	g.Add(EAX, Imm(2<<20))
	g.Loop("map")
}

// longMode goes from 32-bit mode to 64-bit code at an address below 4 GiB.
func (g *Guest) longMode(target Addr) {
	g.Mov(EAX, Imm(longCR4))
	g.Mov(CR4, EAX)
	g.Mov(EAX, Imm(pageTables))
	g.Mov(CR3, EAX)
	g.Mov(ECX, Imm(msrEFER))
	g.Rdmsr()
	g.Or(EAX, Imm(eferLME))
	g.Wrmsr()
	g.Mov(EAX, Imm(longCR0))
	g.Mov(CR0, EAX)
	g.Push(Imm(selCode64))
	g.Push(target)
	g.RetFar(32)
}

// data is what the runtime and the program refer to by label.
func (g *Guest) data() {
	g.Align(16, 0)
	g.Label("gdt")
	g.Data64(
		0,
		0x00af_9b00_0000_ffff, // selCode64
		0x00cf_9300_0000_ffff, // selData
		0x00cf_9b00_0000_ffff, // selCode32
		0x0000_9b40_0000_ffff, // selCode16: 64 KiB at chaosPage
		0x0000_9340_0000_ffff, // selData16
		0x00af_fb00_0000_ffff, // selUser64
		0x00cf_f300_0000_ffff, // selUserD
		0x00cf_fb00_0000_ffff, // selUser32
		tssBase<<16|0x0000_8900_0000_0000|tssLimit, 0, // selTSS
	)
	g.Label("gdtr")
	g.Data16(gdtSize - 1)
	g.DataAddr(64, "gdt", 0)
	for _, t := range g.texts {
		g.Label(t.label)
		g.String(t.value)
	}
}
