package boottest

import (
	"fmt"
	"maps"
	"slices"

	"ringo/boot/layout"
	"ringo/memory"
)

// pageSize is small and odd enough that pins have several pieces.
const pageSize = 64 << 10

// Memory is sparse guest RAM. It implements memory.Guest.
type Memory struct {
	slots []memory.Slot
	pages map[memory.GPA][]byte
	// Pins counts pins that are not released.
	Pins int
}

// NewMemory makes the RAM that l asks for.
func NewMemory(l *layout.Layout) *Memory {
	return &Memory{slots: l.Slots(), pages: make(map[memory.GPA][]byte)}
}

// Size is the number of bytes of RAM.
func (m *Memory) Size() uint64 {
	var n uint64
	for _, s := range m.slots {
		n += s.Size
	}
	return n
}

// Slots are the ranges of RAM.
func (m *Memory) Slots() []memory.Slot { return m.slots }

// ReadAt reads all of p.
func (m *Memory) ReadAt(p []byte, a memory.GPA) error {
	return m.each(a, uint64(len(p)), func(b []byte) { p = p[copy(p, b):] })
}

// WriteAt writes all of p.
func (m *Memory) WriteAt(p []byte, a memory.GPA) error {
	return m.each(a, uint64(len(p)), func(b []byte) { p = p[copy(b, p):] })
}

// Pin gives the pieces behind [a, a+n).
func (m *Memory) Pin(a memory.GPA, n uint64, _ bool) (memory.Pinned, error) {
	p := &pinned{m: m}
	if err := m.each(a, n, func(b []byte) { p.pieces = append(p.pieces, b) }); err != nil {
		return nil, err
	}
	m.Pins++
	return p, nil
}

// Touched is how many bytes of host memory the guest has taken.
func (m *Memory) Touched() uint64 { return uint64(len(m.pages)) * pageSize }

// Run is guest memory that was touched, without a gap.
type Run struct {
	GPA  memory.GPA
	Data []byte
}

// Runs copies what was touched, in ascending order.
func (m *Memory) Runs() []Run {
	var runs []Run
	for _, a := range slices.Sorted(maps.Keys(m.pages)) {
		last := len(runs) - 1
		if last < 0 || runs[last].GPA+memory.GPA(len(runs[last].Data)) != a {
			runs = append(runs, Run{GPA: a})
			last++
		}
		runs[last].Data = append(runs[last].Data, m.pages[a]...)
	}
	return runs
}

// each calls f with the pieces of [a, a+n).
func (m *Memory) each(a memory.GPA, n uint64, f func([]byte)) error {
	want := layout.Range{Start: a, Size: n}
	if !m.holds(want) {
		return fmt.Errorf("%w: %v", memory.ErrNotRAM, want)
	}
	for n > 0 {
		base := a &^ (pageSize - 1)
		page := m.pages[base]
		if page == nil {
			page = make([]byte, pageSize)
			m.pages[base] = page
		}
		piece := page[a-base:]
		piece = piece[:min(uint64(len(piece)), n)]
		f(piece)
		a += memory.GPA(len(piece))
		n -= uint64(len(piece))
	}
	return nil
}

// holds says whether all of r is in one slot.
func (m *Memory) holds(r layout.Range) bool {
	for _, s := range m.slots {
		slot := layout.Range{Start: s.GPA, Size: s.Size}
		if slot.Contains(r) {
			return true
		}
	}
	return false
}

// pinned is the result of Pin.
type pinned struct {
	m      *Memory
	pieces [][]byte
}

func (p *pinned) Pieces() [][]byte { return p.pieces }

func (p *pinned) Release() { p.m.Pins-- }
