package image

import (
	"encoding/binary"

	"ringo/memory"
	"ringo/x86"
)

// Selectors of the boot GDT: those of the Linux boot protocol, which the other
// protocols leave open.
const (
	SelCode = 0x10 // __BOOT_CS
	SelData = 0x18 // __BOOT_DS
	selTSS  = 0x20
)

const (
	flatLimit = 0xFFFF_FFFF
	flat      = x86.AttrG // limits count pages
	// tssLimit is the smallest limit of a 32-bit TSS.
	tssLimit = 0x67
)

// Protected gives the state of 32-bit protected mode without paging at entry:
// flat segments, interrupts off, a GDT that holds those segments.
func Protected(mem memory.Guest, entry uint32) (*x86.State, error) {
	s := flatState(x86.AttrCode | flat | x86.AttrDB)
	s.RIP = uint64(entry)
	s.CR0 = x86.CR0PE | x86.CR0ET
	return s, writeGDT(mem, s)
}

// Long gives the state of 64-bit mode at entry, with the first 4 GiB mapped
// to themselves.
func Long(mem memory.Guest, entry memory.GPA) (*x86.State, error) {
	s := flatState(x86.AttrCode | flat | x86.AttrL)
	s.RIP = uint64(entry)
	s.CR0 = x86.CR0PE | x86.CR0ET | x86.CR0PG
	s.CR3 = uint64(tableBase)
	s.CR4 = x86.CR4PAE
	s.EFER = x86.EFERLME | x86.EFERLMA
	if err := writeGDT(mem, s); err != nil {
		return nil, err
	}
	return s, mem.WriteAt(identityTables(), tableBase)
}

// flatState is the state after RESET but with flat segments and a task
// register that every processor accepts.
func flatState(code uint32) *x86.State {
	s := new(x86.State)
	s.Reset()
	s.GPR = [x86.NumGPR]uint64{}
	data := x86.Segment{Selector: SelData, Attr: x86.AttrData | flat | x86.AttrDB, Limit: flatLimit}
	for _, i := range [...]int{x86.ES, x86.SS, x86.DS, x86.FS, x86.GS} {
		s.Seg[i] = data
	}
	s.Seg[x86.CS] = x86.Segment{Selector: SelCode, Attr: code, Limit: flatLimit}
	s.Seg[x86.TR] = x86.Segment{Selector: selTSS, Attr: x86.AttrP | x86.TypeTSSBusy, Limit: tssLimit}
	s.Seg[x86.LDTR] = x86.Segment{Attr: x86.AttrUnusable}
	return s
}

// writeGDT puts the descriptors of s's segments at their selectors.
func writeGDT(mem memory.Guest, s *x86.State) error {
	var gdt [selTSS/8 + 2]uint64 // the TSS descriptor takes 16 bytes in 64-bit mode
	for _, i := range [...]int{x86.CS, x86.DS, x86.TR} {
		gdt[s.Seg[i].Selector/8] = s.Seg[i].Descriptor()
	}
	b, err := binary.Append(nil, binary.LittleEndian, gdt[:])
	if err != nil {
		return err
	}
	s.GDTR = x86.Table{Base: uint64(gdtBase), Limit: uint16(len(b) - 1)}
	s.IDTR = x86.Table{}
	return mem.WriteAt(b, gdtBase)
}

// identityTables are page tables that map the first 4 GiB to themselves by 2
// MiB pages: a PML4, a page directory pointer table, four page directories.
func identityTables() []byte {
	const (
		perTable = 512
		link     = x86.PTEPresent | x86.PTEWrite
		page     = link | x86.PTEPageSize
		pageSize = uint64(memory.Page4K)
	)
	b := make([]byte, 0, tableSize)
	put := func(v uint64) { b = binary.LittleEndian.AppendUint64(b, v) }
	base := uint64(tableBase)
	put(base + pageSize | link)
	b = b[:pageSize]
	for i := range uint64(4) {
		put(base + (2+i)*pageSize | link)
	}
	b = b[:2*pageSize]
	for i := range uint64(4 * perTable) {
		put(i*uint64(memory.Page2M) | page)
	}
	return b
}
