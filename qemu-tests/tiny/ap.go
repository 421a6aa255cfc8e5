package tiny

import (
	. "ringo/x86/asm"
)

// initTicks is the pause after INIT and between start-up IPIs, 10 ms at 1 GHz.
const initTicks = 10_000_000

// StartAPs starts all other processors. Each adds itself to varCPUs and
// apicIDs, enables its APIC in the mode of the first one, and runs the code at
// label with its number in R12 and its own stack.
func (g *Guest) StartAPs(label string) {
	g.Lea(RAX, At(label))
	g.Mov(Abs(varAPMain), RAX)
	g.Call("start_aps")
}

const (
	// varAPMain is the address of the code that StartAPs was given.
	varAPMain = variables + 0x20
	// varAPStack is the end of the two words that the way to 64-bit mode needs.
	varAPStack = variables + 0x40
)

func (g *Guest) apCode() {
	g.Label("start_aps")
	g.Lea(RSI, At("ap16"))
	g.Mov(EDI, Imm(apPage))
	g.Mov(ECX, Addr{Label: "ap16.end"})
	g.Sub(ECX, ESI)
	g.Rep()
	g.Movs(8)
	for _, command := range []int64{icrInit, icrStartup | apPage>>12, icrStartup | apPage>>12} {
		g.Xor(ESI, ESI)
		g.SendIPI(command | icrAssert | icrAllButMe)
		g.SpinTicks(initTicks)
	}
	g.Ret()
	g.apStart()

	g.Label("ap64")
	// All arrive at once: nobody has a stack before it has its number.
	g.Mov(R12D, Imm(1))
	g.Lock()
	g.Xadd(Abs(varCPUs), R12D)
	g.Cmp(R12D, Imm(maxCPUs))
	g.Jcc(AE, "exit.halt")
	g.Lea(RAX, Ptr(R12, 1))
	g.Shl(EAX, Imm(14)) // stackBytes
	g.Lea(RSP, Ptr(RAX, stacks))
	g.Call("idt.load")
	g.Cmp(Abs(varX2APIC).Byte(), Imm(0))
	g.JccShort(E, "ap64.mode")
	g.X2APIC()
	g.Label("ap64.mode")
	g.APIC()
	g.Call("my_id")
	g.Mov(Mem{Index: R12, Scale: 4, Disp: apicIDs}, EAX)
	g.Mov(RAX, Abs(varAPMain))
	g.JmpTo(RAX)

	g.Label("my_id") // EAX = APIC ID of this processor
	g.APICRead(apicID)
	g.Cmp(Abs(varX2APIC).Byte(), Imm(0))
	g.JccShort(NE, "my_id.end")
	g.Shr(EAX, Imm(24))
	g.Label("my_id.end")
	g.Ret()
}

// apStart is the start-up code. It is copied to apPage, so its own labels are
// moved there.
func (g *Guest) apStart() {
	g.Align(16, 0xcc)
	g.Label("ap16")
	moved := apPage - int64(g.Here())
	g.Bits(Bits16)
	g.Cli()
	g.Mov(AX, CS)
	g.Mov(DS, AX)
	// DS:0 is apPage.
	g.Lgdt(Mem{Label: "ap16.gdtr", Disp: moved - apPage})
	g.Mov(EAX, CR0)
	g.Or(AL, Imm(cr0PE))
	g.Mov(CR0, EAX)
	g.JmpFarTo(Mem{Label: "ap16.far", Disp: moved - apPage, Size: 32})
	g.Label("ap16.far")
	g.DataAddr(32, "ap32", 0)
	g.Data16(selCode32)
	g.Label("ap16.gdtr")
	g.Data16(gdtSize - 1)
	g.DataAddr(32, "gdt", 0)
	g.Label("ap16.end")

	g.Bits(Bits32)
	g.Label("ap32") // not in the copy: this can be above 1 MiB
	g.dataSegments()
	// One stack for all: whoever comes here writes the same two words to it.
	g.Mov(ESP, Imm(varAPStack))
	g.longMode(Addr{Label: "ap64"})
	g.Bits(Bits64)
}
