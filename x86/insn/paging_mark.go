package insn

import "ringo/x86"

// mark sets the accessed bit in every entry used, and the dirty bit in the
// last one for a write.
func (w *walker) mark(leaf uint8) error {
	top := w.f.levels
	if top == 3 {
		top = 2 // PAE's top entries have no accessed bit
	}
	for level := top; level >= leaf; level-- {
		want := uint64(x86.PTEAccessed)
		if level == leaf && w.access&AccessWrite != 0 {
			want |= x86.PTEDirty
		}
		if err := w.set(&w.path[level-1], want); err != nil {
			return err
		}
	}
	return nil
}

// set sets bits in an entry, unless the entry has changed since it was read.
func (w *walker) set(s *step, bits uint64) error {
	if s.entry&bits == bits {
		return nil
	}
	old, ok := w.mem.Load64(s.gpa &^ 7)
	if !ok {
		return ErrNotRAM
	}
	shift, mask := uint(0), ^uint64(0)
	if w.f.entry == 4 {
		shift, mask = uint(s.gpa&4*8), 0xFFFFFFFF
	}
	if old>>shift&mask != s.entry {
		return ErrAgain
	}
	swapped, ok := w.mem.CompareAndSwap64(s.gpa&^7, old, old|bits<<shift)
	switch {
	case !ok:
		return ErrNotRAM
	case !swapped:
		return ErrAgain
	}
	s.entry |= bits
	return nil
}
