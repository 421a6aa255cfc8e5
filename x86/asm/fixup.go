package asm

// fixup is a place in the code that waits for the address of a label.
type fixup struct {
	at       int // offset of the field
	size     int // of the field, in bits
	label    string
	add      int64
	relative bool // to the end of the instruction
	end      int  // offset of that end
}

func (a *Asm) resolve(f fixup) {
	off, ok := a.labels[f.label]
	if !ok {
		a.failAt(f.at, "label %q is not defined: %w", f.label, ErrLabel)
		return
	}
	v := int64(a.origin) + int64(off) + f.add
	if f.relative {
		v = int64(off) + f.add - int64(f.end)
	}
	if !fits(v, f.size, f.relative) {
		a.failAt(f.at, "%#x, for label %q, does not fit %d bits: %w", v, f.label, f.size, ErrRange)
		return
	}
	for i := range f.size / 8 {
		a.code[f.at+i] = byte(v >> (8 * i))
	}
}

// fits says whether v can be written in size bits: as a signed value, or,
// where the field is not a signed one, as an unsigned one too.
func fits(v int64, size int, signed bool) bool {
	if size >= 64 {
		return true
	}
	if v >= -1<<(size-1) && v < 1<<(size-1) {
		return true
	}
	return !signed && v >= 0 && v < 1<<size
}
