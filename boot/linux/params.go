package linux

import (
	"encoding/binary"
	"fmt"

	"ringo/boot/image"
	"ringo/boot/layout"
)

// Offsets in struct boot_params ("Zero Page").
const (
	paramsACPIRSDP  = 0x070 // acpi_rsdp_addr
	paramsE820Count = 0x1E8 // e820_entries
	paramsE820Table = 0x2D0 // e820_table
	paramsE820Max   = 128
	paramsSize      = 0x1000
)

const (
	typeUndefined   = 0xFF   // type_of_loader of a loader without a number
	videoModeNormal = 0xFFFF // vid_mode "normal"
)

// params makes boot_params: zero but for the setup header as the image has it
// with the loader's fields filled in, the memory map and the RSDP.
func (k *kernel) params(l *layout.Layout, initrd layout.Range) ([]byte, error) {
	h := k.header
	h.VidMode = videoModeNormal
	h.TypeOfLoader = typeUndefined
	h.Loadflags &^= canUseHeap
	h.Code32Start = uint32(k.address())
	h.RamdiskImage = uint32(initrd.Start)
	h.RamdiskSize = uint32(initrd.Size)
	h.CmdLinePtr = uint32(image.CmdlineBase)
	h.SetupData = 0

	b := make([]byte, paramsSize)
	copy(b[headerOffset:], k.raw)
	if _, err := binary.Encode(b[headerOffset:], binary.LittleEndian, &h); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(b[paramsACPIRSDP:], uint64(layout.RSDPBase))
	return b, putE820(b, l.E820())
}

// putE820 writes the memory map.
func putE820(b []byte, m []layout.Entry) error {
	if len(m) > paramsE820Max {
		return fmt.Errorf("%w: the memory map has %d entries, boot_params hold %d",
			image.ErrUnsupported, len(m), paramsE820Max)
	}
	b[paramsE820Count] = byte(len(m))
	table := b[paramsE820Table:paramsE820Table]
	for _, e := range m {
		table = binary.LittleEndian.AppendUint64(table, uint64(e.Start))
		table = binary.LittleEndian.AppendUint64(table, e.Size)
		table = binary.LittleEndian.AppendUint32(table, uint32(e.Type))
	}
	return nil
}
