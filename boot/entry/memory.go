package entry

import (
	. "ringo/x86/asm"
)

// setupMemory fills the e820 table of boot_params: from INT 15h E820h, or, on
// a BIOS without it, from INT 12h and E801h or 88h, so that the host has one
// form to read.
func setupMemory(a *Asm) {
	count := Mem{Label: "boot_params", Disp: bpE820Entries, Size: 8}
	a.Label("memory")
	a.Mov(DI, Addr{Label: "boot_params", Add: bpE820Table})
	a.Xor(EBX, EBX)
	a.Label("e820")
	a.Mov(EAX, Imm(0xe820))
	a.Mov(ECX, Imm(e820EntrySize))
	a.Mov(EDX, Imm(smap))
	a.Push(DI)
	a.Push(DS)
	a.Pop(ES)
	a.Int(0x15)
	a.Pop(DI)
	a.Jcc(C, "e820.end") // an error, or the end of the list
	a.Cmp(EAX, Imm(smap))
	a.Jcc(NE, "e820.none")
	a.Add(DI, Imm(e820EntrySize))
	a.Inc(count)
	a.Cmp(count, Imm(e820Max))
	a.Jcc(AE, "e820.done")
	a.Test(EBX, EBX)
	a.Jcc(NZ, "e820")
	a.Jmp("e820.done")
	a.Label("e820.none") // what answered is not E820
	a.Mov(count, Imm(0))
	a.Label("e820.end")
	a.Cmp(count, Imm(0))
	a.Jcc(E, "old")
	a.Label("e820.done")
	a.Ret()

	setupOldMemory(a)
	setupAddRange(a, count)
}

// setupOldMemory asks the calls that came before E820h.
func setupOldMemory(a *Asm) {
	a.Label("old")
	a.Int(0x12) // AX = KiB from 0
	a.Movzx(ECX, AX)
	a.Xor(EAX, EAX)
	a.Call("add_range")

	a.Xor(CX, CX)
	a.Xor(DX, DX)
	a.Mov(AX, Imm(0xe801))
	a.Int(0x15)
	a.Jcc(C, "old.88")
	a.Mov(SI, CX) // some give the answer in CX and DX, some in AX and BX
	a.Or(SI, DX)
	a.JccShort(NZ, "old.e801")
	a.Mov(CX, AX)
	a.Mov(DX, BX)
	a.Label("old.e801") // CX = KiB from 1 MiB, DX = 64 KiB units from 16 MiB
	a.Push(DX)
	a.Movzx(ECX, CX)
	a.Mov(EAX, Imm(1<<20))
	a.Call("add_range")
	a.Pop(DX)
	a.Movzx(ECX, DX)
	a.Shl(ECX, Imm(6))
	a.Mov(EAX, Imm(16<<20))
	a.Call("add_range")
	a.Ret()

	a.Label("old.88")
	a.Mov(AH, Imm(0x88))
	a.Int(0x15) // AX = KiB from 1 MiB
	a.Jcc(C, "old.end")
	a.Movzx(ECX, AX)
	a.Mov(EAX, Imm(1<<20))
	a.Call("add_range")
	a.Label("old.end")
	a.Ret()
}

// setupAddRange: an entry of RAM at EAX of ECX KiB, unless that is nothing.
func setupAddRange(a *Asm, count Mem) {
	a.Label("add_range")
	a.Test(ECX, ECX)
	a.JccShort(Z, "add_range.none")
	a.Shl(ECX, Imm(10))
	a.Movzx(EDI, count)
	a.Lea(EDI, Mem{Base: EDI, Index: EDI, Scale: 4}) // *5
	a.Shl(EDI, Imm(2))                               // *4
	table := Mem{Base: EDI, Label: "boot_params", Disp: bpE820Table}
	a.Mov(table.Dword(), EAX)
	a.Mov(table.Off(8).Dword(), ECX)
	a.Mov(table.Off(16).Dword(), Imm(e820RAM)) // the high halves are zero
	a.Inc(count)
	a.Label("add_range.none")
	a.Ret()
}
