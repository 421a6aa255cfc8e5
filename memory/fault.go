package memory

import "errors"

// Fault makes the page at g present for access, as a stage-2 fault asks. The
// error is ErrNotRAM, ErrReadOnly for a write to ROM, or ErrNoFrames: then
// the caller waits and tries again, and nothing is lost. The same page may be
// faulted by several vCPUs at once.
func (s *Space) Fault(g GPA, access Prot) error {
	sl := s.find(g)
	if sl == nil {
		return ErrNotRAM
	}
	if access&^sl.prot() != 0 {
		return ErrReadOnly
	}
	c := sl.chunk(g)
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := s.populate(sl, c, g)
	if err != nil {
		return err
	}
	return s.enterFrame(sl, f, g, access)
}

// populate finds or makes the frame behind g. c is locked.
func (s *Space) populate(sl *slot, c *chunk, g GPA) (frame, error) {
	if s.closed.Load() {
		return frame{}, ErrClosed
	}
	if f, ok := c.frameOf(g); ok {
		return f, nil
	}
	if s.large && c.pages.Load() == nil && sl.holds2M(g) {
		h, err := s.take(Page2M)
		if err == nil {
			c.whole.store(presentRecord(h))
			return frame{g &^ largeMask, h, Page2M}, nil
		}
		if !errors.Is(err, ErrNoFrames) {
			return frame{}, err
		}
	}
	h, err := s.take(Page4K)
	if err != nil {
		return frame{}, err
	}
	s.pagesOf(c)[pageIndex(g)].store(presentRecord(h))
	return frame{g &^ pageMask, h, Page4K}, nil
}

// pagesOf makes the page records of c if there are none. c is locked and has
// no frame of 2 MiB; its state goes to every page.
func (s *Space) pagesOf(c *chunk) *[entryCount]cell {
	if p := c.pages.Load(); p != nil {
		return p
	}
	p := new([entryCount]cell)
	for i := range p {
		p[i].store(c.whole.load())
	}
	s.records.Add(pagesBytes)
	c.pages.Store(p)
	c.whole.store(0)
	return p
}

// take gets a frame within the quota.
func (s *Space) take(size PageSize) (HPA, error) {
	for {
		used := s.used.Load()
		if s.quota != 0 && used+uint64(size) > s.quota {
			return 0, ErrQuota
		}
		if s.used.CompareAndSwap(used, used+uint64(size)) {
			break
		}
	}
	h, err := s.alloc.Alloc(size)
	if err != nil {
		s.used.Add(-uint64(size))
	}
	return h, err
}

// enterFrame gives the guest access to g in f. Where a dirty log runs, pages
// are entered without the right to write, and get it one by one when they are
// written. The chunk is locked.
func (s *Space) enterFrame(sl *slot, f frame, g GPA, access Prot) error {
	m, ok := s.stage2.Lookup(g)
	if !ok {
		m = Mapping{GPA: f.gpa, HPA: f.hpa, Size: f.size, Prot: sl.prot()}
		if s.logged(f.gpa, uint64(f.size)) {
			m.Prot &^= Write
		}
		if err := s.stage2.Map(m.GPA, m.HPA, m.Size, m.Prot, WriteBack); err != nil {
			return err
		}
	}
	if access&^m.Prot == 0 {
		return nil
	}
	if !s.logged(m.GPA, uint64(m.Size)) {
		return s.stage2.Protect(m.GPA, uint64(m.Size), sl.prot())
	}
	page := g &^ pageMask
	s.mark(page, uint64(Page4K))
	return s.stage2.Protect(page, uint64(Page4K), sl.prot())
}

// Populate makes all of [g, g+n) present, for a VM that is allocated whole.
func (s *Space) Populate(g GPA, n uint64) error {
	if err := s.contains(g, n, false); err != nil {
		return rangeError("populate", g, n, err)
	}
	for n > 0 {
		if err := s.demand(g); err != nil {
			return rangeError("populate", g, n, err)
		}
		step := min(n, uint64(Page4K)-uint64(g)&pageMask)
		if f, ok := s.find(g).chunk(g).frameOf(g); ok {
			step = min(n, uint64(f.gpa)+uint64(f.size)-uint64(g))
		}
		g, n = g+GPA(step), n-step
	}
	return nil
}

// demand makes the page at g present for an access from Go, and waits for a
// frame if the Space knows how.
func (s *Space) demand(g GPA) error {
	for {
		err := s.Fault(g, Read)
		if err == nil || s.wait == nil || !errors.Is(err, ErrNoFrames) {
			return err
		}
		if err := s.wait(); err != nil {
			return err
		}
	}
}
