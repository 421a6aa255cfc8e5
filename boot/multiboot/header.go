package multiboot

import (
	"encoding/binary"
	"fmt"

	"ringo/boot/image"
)

// searchSize is how much of a file may hold the header.
const searchSize = 8192

const (
	headerMagic = 0x1BADB002
	bootMagic   = 0x2BADB002 // EAX at entry
	basicSize   = 12         // magic, flags, checksum
	addressSize = 32         // with the address fields
)

// Bits of the header's flags. A loader that does not know a bit below 16 must
// not boot the image.
const (
	flagAlign    = 1 << 0 // modules on page boundaries: always so
	flagMemory   = 1 << 1 // wants the memory map: always given
	flagVideo    = 1 << 2 // wants a video mode
	flagAddress  = 1 << 16
	flagRequired = 0xFFFF
	flagKnown    = flagAlign | flagMemory
)

// header is the Multiboot header; the address fields count only with
// flagAddress.
type header struct {
	Magic, Flags, Checksum uint32
	// All are physical addresses.
	HeaderAddr, LoadAddr, LoadEndAddr, BSSEndAddr, EntryAddr uint32
}

// find looks for the header in the start of a file. off is its offset.
func find(head []byte) (h header, off uint32, ok bool) {
	head = head[:min(len(head), searchSize)]
	for i := 0; i+basicSize <= len(head); i += 4 {
		magic := binary.LittleEndian.Uint32(head[i:])
		flags := binary.LittleEndian.Uint32(head[i+4:])
		sum := binary.LittleEndian.Uint32(head[i+8:])
		if magic != headerMagic || magic+flags+sum != 0 {
			continue
		}
		if flags&flagAddress == 0 {
			return header{Magic: magic, Flags: flags, Checksum: sum}, uint32(i), true
		}
		if i+addressSize > len(head) {
			continue
		}
		if _, err := binary.Decode(head[i:], binary.LittleEndian, &h); err == nil {
			return h, uint32(i), true
		}
	}
	return header{}, 0, false
}

// IsImage says whether the start of a file holds a Multiboot header.
func IsImage(head []byte) bool {
	_, _, ok := find(head)
	return ok
}

// check refuses requirements that cannot be met.
func (h *header) check() error {
	if h.Flags&flagVideo != 0 {
		return fmt.Errorf("%w: the Multiboot header asks for a video mode (flags %#x), this machine has no display; build the kernel without",
			image.ErrUnsupported, h.Flags)
	}
	if bad := h.Flags & flagRequired &^ flagKnown; bad != 0 {
		return fmt.Errorf("%w: the Multiboot header requires unknown features %#x (flags %#x)",
			image.ErrUnsupported, bad, h.Flags)
	}
	return nil
}
