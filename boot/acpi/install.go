package acpi

import (
	"errors"
	"fmt"

	"ringo/boot/layout"
	"ringo/memory"
)

// ErrConfig says that no tables can be made for that machine.
var ErrConfig = errors.New("ACPI tables")

// MaxVCPUs is how many processors the tables can name.
const MaxVCPUs = 0x1000

// Config is what the tables depend on.
type Config struct {
	VCPUs int // 1 to MaxVCPUs; their APIC IDs are 0 to VCPUs-1
}

// tableAlign is the alignment of every table; the FACS needs it.
const tableAlign = 64

// Install writes the tables into guest memory and gives the address of the
// RSDP, layout.RSDPBase.
func Install(mem memory.Guest, l *layout.Layout, c Config) (memory.GPA, error) {
	if c.VCPUs < 1 || c.VCPUs > MaxVCPUs {
		return 0, fmt.Errorf("%w: %d processors asked; give 1 to %d", ErrConfig, c.VCPUs, MaxVCPUs)
	}
	facs, err := newFACS()
	if err != nil {
		return 0, err
	}
	w := writer{mem: mem, area: l.ACPI}
	dsdt := w.add(newDSDT(c.VCPUs))
	fadt := w.add(newFADT(l.NVS.Start, dsdt))
	madt := w.add(newMADT(c.VCPUs))
	xsdt := w.add(table("XSDT", xsdtRevision, uint64(fadt), uint64(madt)))
	w.put(l.NVS.Start, facs)
	rsdp, err := newRSDP(xsdt)
	if err != nil {
		return 0, err
	}
	w.put(layout.RSDPBase, rsdp)
	return layout.RSDPBase, w.err
}

// writer places tables one after another and keeps the first error.
type writer struct {
	mem  memory.Guest
	area layout.Range // what is left
	err  error
}

// add writes a table at the next place and gives its address.
func (w *writer) add(b []byte, err error) memory.GPA {
	at := w.area.Start
	taken := (uint64(len(b)) + tableAlign - 1) &^ (tableAlign - 1)
	switch {
	case w.err != nil:
		return 0
	case err != nil:
		w.err = err
		return 0
	case taken > w.area.Size:
		w.err = fmt.Errorf("%w: a table of %d bytes does not fit in %v", ErrConfig, len(b), w.area)
		return 0
	}
	w.put(at, b)
	w.area = layout.Range{Start: at + memory.GPA(taken), Size: w.area.Size - taken}
	return at
}

// put writes b at a.
func (w *writer) put(a memory.GPA, b []byte) {
	if w.err == nil {
		w.err = w.mem.WriteAt(b, a)
	}
}
