package insn

import "ringo/x86"

// gp is #GP(0). Real mode has no error codes.
func (e *Emulator) gp() error { return e.raise(x86.VectorGP) }

// ud is #UD.
func (e *Emulator) ud() error { return e.raise(x86.VectorUD) }

// raise makes a fault with error code 0 if the vector has one.
func (e *Emulator) raise(vector uint8) error {
	e.fault = Fault{Vector: vector, HasError: x86.HasErrorCode(vector) && e.s.CR0&x86.CR0PE != 0}
	return &e.fault
}

// segmentFault is #SS(0) for the stack segment, else #GP(0).
func (e *Emulator) segmentFault(seg uint8) error {
	if seg == x86.SS {
		return e.raise(x86.VectorSS)
	}
	return e.gp()
}

// linear turns offset in seg into a linear address for an access of size
// bytes, after the checks of limit, type and canonical form (SDM volume 3A,
// sections 5.3 "Limit Checking" and 5.4 "Type Checking").
func (e *Emulator) linear(seg uint8, offset uint64, size uint8, access Access) (uint64, error) {
	s := &e.s.Seg[seg]
	if e.mode == Mode64 {
		if seg == x86.FS || seg == x86.GS {
			offset += s.Base
		}
		bits := e.s.LinearBits()
		if !x86.IsCanonical(offset, bits) || !x86.IsCanonical(offset+uint64(size)-1, bits) {
			return 0, e.segmentFault(seg)
		}
		return offset, e.aligned(offset, size, access)
	}
	if e.s.CR0&x86.CR0PE != 0 && e.s.RFLAGS&x86.FlagVM == 0 && !usable(s, access) {
		return 0, e.segmentFault(seg)
	}
	if !withinLimit(s, offset, size) {
		return 0, e.segmentFault(seg)
	}
	lin := (s.Base + offset) & 0xFFFFFFFF
	return lin, e.aligned(lin, size, access)
}

// usable checks the segment's type for the access.
func usable(s *x86.Segment, access Access) bool {
	switch {
	case !s.Usable():
		return false
	case access&AccessFetch != 0:
		return s.IsCode()
	case access&AccessWrite != 0:
		return s.CanWrite()
	}
	return s.CanRead()
}

// withinLimit tells whether size bytes at offset lie in the segment.
func withinLimit(s *x86.Segment, offset uint64, size uint8) bool {
	last := offset + uint64(size) - 1
	if !s.IsExpandDown() {
		return last <= uint64(s.Limit)
	}
	top := uint64(0xFFFF)
	if s.Attr&x86.AttrDB != 0 {
		top = 0xFFFFFFFF
	}
	return offset > uint64(s.Limit) && last <= top
}

// aligned raises #AC(0) for a misaligned data access of a program that asked
// for it (SDM volume 3A, "Interrupt 17: Alignment Check Exception").
func (e *Emulator) aligned(lin uint64, size uint8, access Access) error {
	if access&AccessUser == 0 || e.s.CR0&x86.CR0AM == 0 || e.s.RFLAGS&x86.FlagAC == 0 || access&AccessFetch != 0 {
		return nil
	}
	if lin&uint64(min(size, 8)-1) != 0 {
		return e.raise(x86.VectorAC)
	}
	return nil
}

// effective is the offset that a memory operand names.
func (e *Emulator) effective(m *Mem, addrSize uint8) uint64 {
	return m.offset(&e.s.GPR, e.s.RIP+uint64(e.in.Len)) & sizeMask(addrSize)
}

// offset is what the operand adds up to, before it is cut to the address
// size; next is the address of the next instruction.
func (m *Mem) offset(gpr *[x86.NumGPR]uint64, next uint64) uint64 {
	a := uint64(m.Disp)
	switch {
	case m.Base == RIPReg:
		a += next
	case m.Base != NoReg:
		a += gpr[m.Base&15]
	}
	if m.Index != NoReg {
		a += gpr[m.Index&15] * uint64(m.Scale)
	}
	return a
}
