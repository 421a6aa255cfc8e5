package layout

import (
	"errors"
	"fmt"

	"ringo/memory"
)

// ErrSize says that a guest of that size cannot be laid out.
var ErrSize = errors.New("guest memory size")

// Fixed parts of the map. RAM is continuous from 0 to the hole, so the bytes
// of the legacy video area are RAM too; the guest is not told of them.
const (
	EBDABase  memory.GPA = 0x9_FC00
	LowEnd    memory.GPA = 0xA_0000 // end of conventional memory
	BIOSBase  memory.GPA = 0xF_0000
	BIOSSize             = 0x1_0000
	HighBase  memory.GPA = 0x10_0000
	HoleStart memory.GPA = 0xC000_0000 // 3 GiB
	HoleEnd   memory.GPA = 0x1_0000_0000
)

// Tables in the BIOS area, where guests scan for them.
const (
	RSDPBase   memory.GPA = BIOSBase
	RSDPSize              = 0x40
	SMBIOSBase memory.GPA = BIOSBase + 0x100 // entry point, then the structures
	SMBIOSSize            = BIOSSize - 0x100
)

// Sizes in bytes of what ACPI takes from the top of the RAM below the hole.
const (
	acpiSize = 252 << 10
	nvsSize  = 4 << 10
)

// Bounds of a guest's RAM in bytes.
const (
	MinRAM = 2 << 20
	MaxRAM = 1 << 46
)

// Layout is the address map of one guest.
type Layout struct {
	// RAM is the ranges that memory.Space must back, in ascending order.
	RAM []Range
	// ACPI holds the tables and may be used by the guest once it has read
	// them; NVS holds the FACS and may not.
	ACPI, NVS Range
}

// New lays out ram bytes, a multiple of 4 KiB.
func New(ram uint64) (*Layout, error) {
	if ram < MinRAM || ram > MaxRAM || ram%uint64(memory.Page4K) != 0 {
		return nil, fmt.Errorf("%w: %d bytes asked; give a multiple of 4 KiB from %d MiB to %d TiB",
			ErrSize, ram, MinRAM>>20, uint64(MaxRAM)>>40)
	}
	low := min(ram, uint64(HoleStart))
	l := &Layout{RAM: []Range{{0, low}}}
	if ram > low {
		l.RAM = append(l.RAM, Range{HoleEnd, ram - low})
	}
	l.NVS = Range{memory.GPA(low - nvsSize), nvsSize}
	l.ACPI = Range{l.NVS.Start - acpiSize, acpiSize}
	return l, nil
}

// Slots gives the RAM as memory.Guest takes it.
func (l *Layout) Slots() []memory.Slot {
	names := [...]string{"ram-low", "ram-high"}
	s := make([]memory.Slot, len(l.RAM))
	for i, r := range l.RAM {
		s[i] = memory.Slot{Name: names[i], GPA: r.Start, Size: r.Size}
	}
	return s
}
