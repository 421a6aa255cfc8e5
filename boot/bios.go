package boot

import (
	"encoding/binary"

	"ringo/boot/layout"
	"ringo/memory"
)

// biosDataBase is where the BIOS data area starts.
const biosDataBase memory.GPA = 0x400

// Fields of the BIOS data area that kernels read even when no BIOS ran.
const (
	biosDataSize = 0x100
	biosCOM1     = 0x00 // port of COM1, 2 bytes
	biosEBDA     = 0x0E // segment of the EBDA, 2 bytes
	biosMemory   = 0x13 // conventional memory in KiB, 2 bytes
)

// writeBIOSData makes the BIOS data area, and the EBDA's first byte, its size
// in KiB. Linux takes the end of conventional memory from here.
func writeBIOSData(mem memory.Guest) error {
	var b [biosDataSize]byte
	binary.LittleEndian.PutUint16(b[biosCOM1:], layout.COM1Port)
	binary.LittleEndian.PutUint16(b[biosEBDA:], uint16(layout.EBDABase>>4))
	binary.LittleEndian.PutUint16(b[biosMemory:], uint16(layout.EBDABase>>10))
	if err := mem.WriteAt(b[:], biosDataBase); err != nil {
		return err
	}
	size := byte((layout.LowEnd - layout.EBDABase) >> 10)
	return mem.WriteAt([]byte{size}, layout.EBDABase)
}
