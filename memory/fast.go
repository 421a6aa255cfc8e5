package memory

// The accessors here never wait, lock or allocate. They fail where the memory
// is not present, and the caller falls back on ReadAt, WriteAt or Fault.

// Load64 reads 8 bytes at g, which must be aligned to 8, at once.
func (s *Space) Load64(g GPA) (uint64, bool) {
	section := s.Enter()
	defer s.Leave(section)
	if h, _, _, ok := s.translate(g); ok && g&7 == 0 {
		return s.word64(h).Load(), true
	}
	return 0, false
}

// Load32 reads 4 bytes at g, which must be aligned to 4, at once.
func (s *Space) Load32(g GPA) (uint32, bool) {
	section := s.Enter()
	defer s.Leave(section)
	if h, _, _, ok := s.translate(g); ok && g&3 == 0 {
		return s.word32(h).Load(), true
	}
	return 0, false
}

// CompareAndSwap64 replaces the aligned 8 bytes at g if they are old, as a
// locked instruction does. ok is false if they are not present RAM.
func (s *Space) CompareAndSwap64(g GPA, old, new uint64) (swapped, ok bool) {
	section := s.Enter()
	defer s.Leave(section)
	h, _, sl, ok := s.translate(g)
	if !ok || sl.ReadOnly || g&7 != 0 {
		return false, false
	}
	if swapped = s.word64(h).CompareAndSwap(old, new); swapped {
		s.mark(g, 8)
	}
	return swapped, true
}

// CompareAndSwap32 is CompareAndSwap64 for 4 bytes.
func (s *Space) CompareAndSwap32(g GPA, old, new uint32) (swapped, ok bool) {
	section := s.Enter()
	defer s.Leave(section)
	h, _, sl, ok := s.translate(g)
	if !ok || sl.ReadOnly || g&3 != 0 {
		return false, false
	}
	if swapped = s.word32(h).CompareAndSwap(old, new); swapped {
		s.mark(g, 4)
	}
	return swapped, true
}

// View gives the n bytes at g where they are, to read only, if they are
// present and lie in one frame. The caller is in a Section, and the bytes are
// good until it ends. The guest may change them meanwhile: copy what is to be
// checked.
func (s *Space) View(g GPA, n uint64) ([]byte, bool) {
	h, left, _, ok := s.translate(g)
	if !ok || n > left {
		return nil, false
	}
	return s.bytes(h, n), true
}

// Generation changes when frames are freed. What View gave in a Section is
// good in a later one too if Generation is the same in both, because frames
// are freed only after it has changed and the Sections open then have ended.
func (s *Space) Generation() uint64 { return s.freed.Load() }

// TryRead is ReadAt that never waits: false if some of it is not present.
func (s *Space) TryRead(p []byte, a GPA) bool {
	section := s.Enter()
	defer s.Leave(section)
	for len(p) > 0 {
		h, left, _, ok := s.translate(a)
		if !ok {
			return false
		}
		n := copy(p, s.bytes(h, min(left, uint64(len(p)))))
		p, a = p[n:], a+GPA(n)
	}
	return true
}

// TryWrite is WriteAt that never waits: false if some of it is not present or
// may not be written; what comes before it has been written.
func (s *Space) TryWrite(p []byte, a GPA) bool {
	section := s.Enter()
	defer s.Leave(section)
	for len(p) > 0 {
		h, left, sl, ok := s.translate(a)
		if !ok || sl.ReadOnly {
			return false
		}
		n := copy(s.bytes(h, min(left, uint64(len(p)))), p)
		s.mark(a, uint64(n))
		p, a = p[n:], a+GPA(n)
	}
	return true
}
