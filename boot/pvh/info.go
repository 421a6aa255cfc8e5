package pvh

import (
	"encoding/binary"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/memory"
)

// startMagic is XEN_HVM_START_MAGIC_VALUE: "xEn3" with bit 7 of E set.
const startMagic = 0x336E_C578

// startVersion is the first version with a memory map.
const startVersion = 1

// startInfo is struct hvm_start_info.
type startInfo struct {
	Magic         uint32
	Version       uint32
	Flags         uint32
	NrModules     uint32
	ModlistPaddr  uint64
	CmdlinePaddr  uint64
	RSDPPaddr     uint64
	MemmapPaddr   uint64
	MemmapEntries uint32
	Reserved      uint32
}

// module is struct hvm_modlist_entry.
type module struct {
	Paddr        uint64
	Size         uint64
	CmdlinePaddr uint64
	Reserved     uint64
}

// memmapEntry is struct hvm_memmap_table_entry.
type memmapEntry struct {
	Addr     uint64
	Size     uint64
	Type     uint32
	Reserved uint32
}

// Places of the three tables in the boot information area.
const (
	infoBase   = image.InfoBase
	modlistAt  = image.InfoBase + 0x100
	memmapBase = image.InfoBase + 0x200
)

// writeInfo puts the start info and what it points at into guest memory.
func writeInfo(mem memory.Guest, l *layout.Layout, initrd layout.Range) error {
	m := l.E820()
	info := startInfo{
		Magic:         startMagic,
		Version:       startVersion,
		CmdlinePaddr:  uint64(image.CmdlineBase),
		RSDPPaddr:     uint64(layout.RSDPBase),
		MemmapPaddr:   uint64(memmapBase),
		MemmapEntries: uint32(len(m)),
	}
	if initrd.Size != 0 {
		info.NrModules, info.ModlistPaddr = 1, uint64(modlistAt)
		mod := module{Paddr: uint64(initrd.Start), Size: initrd.Size}
		if err := write(mem, modlistAt, &mod); err != nil {
			return err
		}
	}
	table := make([]memmapEntry, len(m))
	for i, e := range m {
		table[i] = memmapEntry{Addr: uint64(e.Start), Size: e.Size, Type: uint32(e.Type)}
	}
	if err := write(mem, memmapBase, table); err != nil {
		return err
	}
	return write(mem, infoBase, &info)
}

// write encodes v at a.
func write(mem memory.Guest, a memory.GPA, v any) error {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		return err
	}
	return mem.WriteAt(b, a)
}
