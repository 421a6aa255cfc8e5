package multiboot

import (
	"fmt"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/x86"
)

// Load puts the kernel, its initrd as the only module and the command line
// into guest memory.
func Load(r *image.Request) (*image.Entry, error) {
	head := make([]byte, min(searchSize, max(0, r.Kernel.Size())))
	if err := image.ReadFull(r.Kernel, head, 0); err != nil {
		return nil, err
	}
	h, off, ok := find(head)
	if !ok {
		return nil, fmt.Errorf("%w: the first %d bytes hold no Multiboot header", image.ErrFormat, len(head))
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	plan := image.NewPlan(r.Layout)
	entry, err := h.load(r, plan, off)
	if err != nil {
		return nil, err
	}
	if err := r.WriteCmdline(image.CmdlineSize); err != nil {
		return nil, err
	}
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
	s.GPR[x86.RAX] = bootMagic
	s.GPR[x86.RBX] = uint64(infoBase)
	return &image.Entry{State: s, Protocol: "Multiboot"}, nil
}

// load loads by the address fields if the header has them, else as ELF, and
// gives the entry address.
func (h *header) load(r *image.Request, p *image.Plan, off uint32) (uint32, error) {
	if h.Flags&flagAddress != 0 {
		f, err := h.flat(off, r.Kernel.Size())
		if err != nil {
			return 0, err
		}
		return h.EntryAddr, f.load(r, p)
	}
	elf, err := image.ParseELF(r.Kernel)
	if err != nil {
		return 0, fmt.Errorf("the Multiboot header has no load addresses: %w", err)
	}
	entry, ok := elf.PhysicalEntry()
	if !ok || entry > 0xFFFF_FFFF {
		return 0, fmt.Errorf("%w: the ELF entry %#x is in no loaded segment below 4 GiB", image.ErrFormat, elf.Entry)
	}
	return uint32(entry), elf.Load(r.Memory, p)
}
