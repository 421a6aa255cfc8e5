package tiny

import (
	. "ringo/x86/asm"
)

// chaosCode runs random bytes.
func (g *Guest) chaosCode(kernel bool) {
	enter := func(label string, code, data int64, at int64) {
		g.Label(label)
		g.Call("random_code")
		g.Push(Imm(data))
		g.Push(Imm(chaosStackEnd))
		g.Push(Imm(0x202)) // IF
		g.Push(Imm(code))
		g.Push(Imm(at))
		for n := range 16 {
			if n != spNumber {
				g.Mov(GPR(n, 64), Abs(int64(chaosRegs+8*n)))
			}
		}
		g.Iret(64)
	}
	enter("user64", selUser64, selUserD, chaosPage)
	enter("user32", selUser32, selUserD, chaosPage)
	if kernel {
		g.Label("kernel")
		g.choose("segments", "kernel64", "kernel64", "kernel64", "kernel32", "kernel32", "kernel32", "kernel16", "kernel16")
		enter("kernel64", selCode64, selData, chaosPage)
		enter("kernel32", selCode32, selData, chaosPage)
		enter("kernel16", selCode16, selData16, 0)
	}

	g.Label("random_code")
	g.Mov(EDI, Imm(chaosRegs))
	g.Mov(ECX, Imm(16))
	g.Call("random_fill")
	g.Mov(EDI, Imm(chaosPage))
	g.Mov(ECX, Imm(chaosBytes/8))
	g.Call("random_fill")
	// Random bytes seldom make the interesting instructions: plant some.
	g.Mov(ESI, Imm(8))
	g.Label("plant")
	g.Random()
	g.Mov(EDI, EAX)
	g.And(EDI, Imm(chaosBytes-8))
	g.Shr(RAX, Imm(32))
	g.And(EAX, Imm(int64(len(plants)-1)))
	g.Mov(RCX, Addr{Label: "plants"})
	g.Mov(EAX, Mem{Base: RCX, Index: RAX, Scale: 4})
	g.Mov(Ptr(RDI, chaosPage), EAX)
	g.Dec(ESI)
	g.Jcc(NZ, "plant")
	g.Ret()
	g.Label("random_fill") // ECX words to EDI
	g.Random()
	g.Stos(64)
	g.Dec(ECX)
	g.JccShort(NZ, "random_fill")
	g.Ret()
	g.Label("plants")
	g.Data32(plants[:]...)
}

// plants are four-byte sequences that exit, or nearly do.
var plants = [16]uint32{
	0x9090a20f, // cpuid; nop; nop
	0x90d9010f, // vmmcall; nop
	0x90c1010f, // vmcall; nop
	0x90f3310f, // rdtsc; pause
	0x90d8010f, // vmrun; nop
	0x9090320f, // rdmsr; nop; nop
	0x9090300f, // wrmsr; nop; nop
	0x80cd80cd, // int 0x80; int 0x80
	0xeeefeced, // in, out
	0x90c0200f, // mov eax, cr0; nop
	0x90d1010f, // xsetbv; nop
	0x9090080f, // invd; nop; nop
	0x9090f4fb, // sti; hlt; nop; nop
	0xabf36df3, // rep ins; rep stos
	0x00b80f66, // the beginning of something long
	0xf0f2662e, // prefixes
}
