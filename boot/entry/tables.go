package entry

import (
	. "ringo/x86/asm"
)

// Page table entry bits (APM volume 2, section 5.4 "Page-Translation-Table
// Entry Fields").
const (
	pteP  = 1 << 0
	pteRW = 1 << 1
	ptePS = 1 << 7
)

// tables emits the 32-bit code that fills the boot page tables, which common
// has zeroed.
func tables(a *Asm, p Payload, l layout) {
	at := func(table uint64) int64 { return int64(l.tables + table) }
	pages := l.imageSize / pageSize

	// PML4[0] and PML4[256], for DirectMap.
	a.Lea(EAX, Ptr(EBP, at(tablePDPT)+pteP+pteRW))
	a.Mov(Ptr(EBP, at(tablePML4)), EAX)
	a.Mov(Ptr(EBP, at(tablePML4)+256*8), EAX)

	for _, set := range []struct{ pdpt, pd uint64 }{{tablePDPT, tablePD}, {tablePDPT2, tablePD2}} {
		fill(a, at(set.pdpt), Ptr(EBP, at(set.pd)+pteP+pteRW), pageSize, 4)
		fill(a, at(set.pd), Abs(pteP|pteRW|ptePS), largePage, 4*512)
	}
	// The image's 2 MiB regions: identity at first, then its own pages.
	fill(a, at(tablePD2+l.firstPT/largePage*8), Ptr(EBP, at(tablePT)+pteP+pteRW), pageSize, l.pts)
	fill(a, at(tablePT), Abs(int64(l.firstPT)+pteP+pteRW), pageSize, l.pts*512)
	fill(a, at(tablePT+(p.Virt-l.firstPT)/pageSize*8), Ptr(EBP, headSize+pteP+pteRW), pageSize, pages)
	a.Jmp("tables.done")

	// EDI = first entry, EAX = its value, EDX = step, ECX = count.
	a.Label("fill")
	a.Mov(Ptr(EDI, 0), EAX)
	a.Add(EDI, Imm(8))
	a.Add(EAX, EDX)
	a.Dec(ECX)
	a.JccShort(NZ, "fill")
	a.Ret()
	a.Label("tables.done")
}

// fill emits the filling of count entries from offset table on, with values
// that start at the address of first and go up by step.
func fill(a *Asm, table int64, first Mem, step, count uint64) {
	a.Lea(EDI, Ptr(EBP, table))
	a.Lea(EAX, first)
	a.Mov(EDX, Imm(step))
	a.Mov(ECX, Imm(count))
	a.Call("fill")
}
