package pvh

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/x86"
)

// The note that holds the entry point.
const (
	noteName   = "Xen"
	notePhys32 = 18 // XEN_ELFNOTE_PHYS32_ENTRY
)

// ErrNoNote says that an ELF file has no PVH entry point.
var ErrNoNote = errors.New("the ELF file has no XEN_ELFNOTE_PHYS32_ENTRY note")

// Load puts the kernel, its initrd as the only module and the command line
// into guest memory.
func Load(r *image.Request) (*image.Entry, error) {
	elf, err := image.ParseELF(r.Kernel)
	if err != nil {
		return nil, err
	}
	entry, err := entryPoint(elf)
	if err != nil {
		return nil, err
	}
	plan := image.NewPlan(r.Layout)
	if err := elf.Load(r.Memory, plan); err != nil {
		return nil, err
	}
	if err := r.WriteCmdline(image.CmdlineSize); err != nil {
		return nil, err
	}
	// The kernel starts without paging and may not see further than 4 GiB.
	initrd, err := r.LoadInitrd(plan, layout.HoleStart)
	if err != nil {
		return nil, err
	}
	if err := writeInfo(r.Memory, r.Layout, initrd); err != nil {
		return nil, err
	}
	s, err := image.Protected(r.Memory, entry)
	if err != nil {
		return nil, err
	}
	s.GPR[x86.RBX] = uint64(infoBase)
	return &image.Entry{State: s, Protocol: "PVH"}, nil
}

// entryPoint finds the physical entry address, which the note gives in 4 or 8
// bytes, as the file's class has it.
func entryPoint(e *image.ELF) (uint32, error) {
	d, err := e.Note(noteName, notePhys32)
	if err != nil {
		return 0, err
	}
	var a uint64
	switch len(d) {
	case 0:
		return 0, fmt.Errorf("%w; a kernel built with CONFIG_PVH has one", ErrNoNote)
	case 4:
		a = uint64(binary.LittleEndian.Uint32(d))
	case 8:
		a = binary.LittleEndian.Uint64(d)
	default:
		return 0, fmt.Errorf("%w: the PVH entry note has %d bytes, not 4 or 8", image.ErrFormat, len(d))
	}
	if a > 0xFFFF_FFFF || !e.Loaded(a, 1) {
		return 0, fmt.Errorf("%w: the PVH entry %#x is in no loaded segment below 4 GiB", image.ErrFormat, a)
	}
	return uint32(a), nil
}
