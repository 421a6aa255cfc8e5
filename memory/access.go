package memory

import "fmt"

// rangeError names an access that failed.
func rangeError(what string, g GPA, n uint64, err error) error {
	return fmt.Errorf("%s of %#x bytes at GPA %#x: %w", what, n, uint64(g), err)
}

// translate finds the host address of g and how many bytes of the frame
// follow. The caller is in a Section.
func (s *Space) translate(g GPA) (h HPA, left uint64, sl *slot, ok bool) {
	if sl = s.find(g); sl == nil {
		return 0, 0, nil, false
	}
	f, ok := sl.chunk(g).frameOf(g)
	if !ok {
		return 0, 0, sl, false
	}
	off := g - f.gpa
	return f.hpa + HPA(off), uint64(f.size) - uint64(off), sl, true
}

// ReadAt fills p from guest memory at a. A page that was never touched reads
// as zeros and gets no frame.
func (s *Space) ReadAt(p []byte, a GPA) error {
	for len(p) > 0 {
		n := s.readSome(p, a)
		if n == 0 {
			return rangeError("read", a, uint64(len(p)), s.reason())
		}
		p, a = p[n:], a+GPA(n)
	}
	return nil
}

// readSome reads up to the end of one frame; 0 if a is not RAM.
func (s *Space) readSome(p []byte, a GPA) int {
	section := s.Enter()
	defer s.Leave(section)
	h, left, sl, ok := s.translate(a)
	switch {
	case ok:
		return copy(p, s.bytes(h, min(left, uint64(len(p)))))
	case sl == nil || s.closed.Load():
		return 0
	}
	n := min(uint64(len(p)), uint64(Page4K)-uint64(a)&pageMask)
	clear(p[:n])
	return int(n)
}

// reason is why an address is no RAM.
func (s *Space) reason() error {
	if s.closed.Load() {
		return ErrClosed
	}
	return ErrNotRAM
}

// WriteAt copies p to guest memory at a, as a device does: a write to ROM is
// ErrReadOnly.
func (s *Space) WriteAt(p []byte, a GPA) error { return s.writeAt(p, a, false) }

// WriteROM is WriteAt for the VM's owner, who fills ROM too.
func (s *Space) WriteROM(p []byte, a GPA) error { return s.writeAt(p, a, true) }

func (s *Space) writeAt(p []byte, a GPA, rom bool) error {
	for len(p) > 0 {
		n, err := s.writeSome(p, a, rom)
		if err != nil {
			return rangeError("write", a, uint64(len(p)), err)
		}
		if n == 0 {
			if err := s.demand(a); err != nil {
				return rangeError("write", a, uint64(len(p)), err)
			}
			continue
		}
		// The mark comes after the bytes: whoever takes the mark then
		// copies the page with them.
		s.mark(a, uint64(n))
		p, a = p[n:], a+GPA(n)
	}
	return nil
}

// writeSome writes up to the end of one frame; 0 if the page has none.
func (s *Space) writeSome(p []byte, a GPA, rom bool) (int, error) {
	section := s.Enter()
	defer s.Leave(section)
	h, left, sl, ok := s.translate(a)
	switch {
	case sl == nil:
		return 0, ErrNotRAM
	case sl.ReadOnly && !rom:
		return 0, ErrReadOnly
	case !ok:
		return 0, nil
	}
	return copy(s.bytes(h, min(left, uint64(len(p)))), p), nil
}
