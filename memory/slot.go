package memory

import (
	"fmt"
	"slices"
)

// slot is a Slot with its records.
type slot struct {
	Slot
	first  uint64 // number of the chunk that holds the slot's start
	chunks []chunk
}

// prot is what the guest may do in the slot.
func (s *slot) prot() Prot {
	if s.ReadOnly {
		return Read | Exec
	}
	return RWX
}

// end is the address after the slot.
func (s *slot) end() GPA { return s.GPA + GPA(s.Size) }

// chunk is the one that holds g, which is in the slot.
func (s *slot) chunk(g GPA) *chunk { return &s.chunks[uint64(g)>>largeShift-s.first] }

// holds2M tells whether the 2 MiB around g are all the slot's.
func (s *slot) holds2M(g GPA) bool {
	start := g &^ largeMask
	return start >= s.GPA && s.end()-start >= GPA(Page2M)
}

// newSlots checks and sorts the slots, and makes their records.
func newSlots(in []Slot) ([]slot, error) {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b Slot) int {
		if a.GPA < b.GPA {
			return -1
		}
		return 1
	})
	slots := make([]slot, 0, len(in))
	for i, s := range in {
		end := uint64(s.GPA) + s.Size
		switch {
		case s.Size == 0 || (uint64(s.GPA)|s.Size)&pageMask != 0:
			return nil, fmt.Errorf("slot %q: %#x bytes at GPA %#x: give whole pages of 4 KiB: %w",
				s.Name, s.Size, uint64(s.GPA), ErrAlignment)
		case end < s.Size || end > maxGPA:
			return nil, fmt.Errorf("slot %q: %#x bytes at GPA %#x: %w", s.Name, s.Size, uint64(s.GPA), ErrOutOfRange)
		case i > 0 && slots[i-1].end() > s.GPA:
			return nil, fmt.Errorf("slot %q at GPA %#x begins inside slot %q: %w",
				s.Name, uint64(s.GPA), slots[i-1].Name, ErrOverlap)
		}
		first := uint64(s.GPA) >> largeShift
		slots = append(slots, slot{s, first, make([]chunk, (end-1)>>largeShift-first+1)})
	}
	return slots, nil
}
