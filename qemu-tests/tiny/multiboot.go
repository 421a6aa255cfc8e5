package tiny

import (
	. "ringo/x86/asm"
)

// Multiboot Specification 0.6.96, sections 3.1 "OS image format", 3.2 "Machine
// state" and 3.3 "Boot information format".
const (
	multibootHeader = 0x1BADB002
	multibootBooted = 0x2BADB002
	multibootFlags  = 1<<16 | 1<<1 // address fields; wants the memory map

	infoFlags    = 0
	infoMemUpper = 8 // KiB above 1 MiB
	infoHasMem   = 1 << 0
)

// Multiboot makes a Multiboot 1 kernel, a flat file with the header's address
// fields, that prints how much memory above 1 MiB the loader names and ends
// with ExitOK.
func Multiboot() []byte {
	code, err := assemble(multiboot).Bytes()
	if err != nil {
		panic(err)
	}
	return code
}

func multiboot(a *Asm) {
	magic, flags := uint32(multibootHeader), uint32(multibootFlags)
	a.Jmp("start")
	a.Align(4, 0)
	a.Label("header")
	a.Data32(magic, flags, -(magic + flags))
	a.DataAddr(32, "header", 0)
	a.Data32(LoadAddress, 0, 0) // to the end of the file, without BSS
	a.DataAddr(32, "start", 0)

	a.Label("start")
	a.Cmp(EAX, Imm(multibootBooted))
	a.Jcc(E, "booted")
	a.Ud2()
	a.Label("booted")
	long(a, func(g *Guest) {
		g.Mov(RBX, Abs(varStartInfo))
		g.Test(Ptr(RBX, infoFlags).Dword(), Imm(infoHasMem))
		g.Jcc(NE, "memory")
		g.Fail("the loader names no memory")
		g.Label("memory")
		g.Print("multiboot: ")
		g.Mov(EAX, Ptr(RBX, infoMemUpper))
		g.PrintDecimal()
		g.Print(" KiB above 1 MiB\n")
	})
}
