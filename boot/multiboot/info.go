package multiboot

import (
	"encoding/binary"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/memory"
)

// Bits of the information's flags: which fields are valid.
const (
	infoMemory     = 1 << 0 // mem_lower, mem_upper
	infoCmdline    = 1 << 2
	infoModules    = 1 << 3
	infoMemoryMap  = 1 << 6
	infoLoaderName = 1 << 9
)

// information is the Multiboot information structure up to the last field
// that is given; all addresses are physical.
type information struct {
	Flags              uint32
	MemLower, MemUpper uint32 // KiB from 0 and from 1 MiB
	BootDevice         uint32
	Cmdline            uint32
	ModsCount          uint32
	ModsAddr           uint32
	Syms               [4]uint32
	MmapLength         uint32 // bytes
	MmapAddr           uint32
	DrivesLength       uint32
	DrivesAddr         uint32
	ConfigTable        uint32
	BootLoaderName     uint32
}

// module is one entry of the module list.
type module struct {
	Start, End uint32 // End is the first byte after
	String     uint32
	Reserved   uint32
}

// mmapEntry is one entry of the memory map. Size does not count itself.
type mmapEntry struct {
	Size   uint32
	Base   uint64
	Length uint64
	Type   uint32
}

// mmapEntrySize is what mmapEntry.Size says.
const mmapEntrySize = 20

// loaderName is what the guest sees as its boot loader.
const loaderName = "ringo\x00"

// Places in the boot information area.
const (
	infoBase   = image.InfoBase
	moduleBase = image.InfoBase + 0x100
	nameBase   = image.InfoBase + 0x180
	emptyBase  = image.InfoBase + 0x1F0 // an empty string for the module
	mmapBase   = image.InfoBase + 0x200
)

// writeInfo puts the information structure and what it points at into guest
// memory.
func writeInfo(mem memory.Guest, l *layout.Layout, initrd layout.Range) error {
	m := l.E820()
	table := make([]mmapEntry, len(m))
	for i, e := range m {
		table[i] = mmapEntry{mmapEntrySize, uint64(e.Start), e.Size, uint32(e.Type)}
	}
	info := information{
		Flags:          infoMemory | infoCmdline | infoMemoryMap | infoLoaderName,
		MemLower:       uint32(layout.EBDABase >> 10),
		MemUpper:       uint32((l.ACPI.Start - layout.HighBase) >> 10),
		Cmdline:        uint32(image.CmdlineBase),
		MmapLength:     uint32(binary.Size(table)),
		MmapAddr:       uint32(mmapBase),
		BootLoaderName: uint32(nameBase),
	}
	parts := []part{{mmapBase, table}, {nameBase, []byte(loaderName)}, {emptyBase, uint8(0)}}
	if initrd.Size != 0 {
		info.Flags |= infoModules
		info.ModsCount, info.ModsAddr = 1, uint32(moduleBase)
		mod := module{Start: uint32(initrd.Start), End: uint32(initrd.End()), String: uint32(emptyBase)}
		parts = append(parts, part{moduleBase, mod})
	}
	return write(mem, append(parts, part{infoBase, info}))
}

// part is a value and where it goes.
type part struct {
	at memory.GPA
	v  any
}

// write encodes each part at its place.
func write(mem memory.Guest, parts []part) error {
	for _, p := range parts {
		b, err := binary.Append(nil, binary.LittleEndian, p.v)
		if err != nil {
			return err
		}
		if err := mem.WriteAt(b, p.at); err != nil {
			return err
		}
	}
	return nil
}
