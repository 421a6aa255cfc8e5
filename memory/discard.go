package memory

import "errors"

// Splitter is a PageAllocator that can make 512 frames of 4 KiB of one of
// 2 MiB that is out. Split returns false if it cannot, with nothing changed.
type Splitter interface{ Split(HPA) bool }

// Discard gives back the frames of [g, g+n), whose content the guest does not
// need: it reads as zeros from now on. It returns when no CPU can reach them.
// Pinned frames stay, and are reported as ErrPinned after the rest is done.
// The caller holds no lock that an exit needs.
func (s *Space) Discard(g GPA, n uint64) error {
	if (uint64(g)|n)&pageMask != 0 {
		return rangeError("discard", g, n, ErrAlignment)
	}
	if err := s.contains(g, n, true); err != nil {
		return rangeError("discard", g, n, err)
	}
	r := reclaimer{space: s}
	var pinned bool
	for at, end := g, g+GPA(n); at < end; {
		sl := s.find(at)
		next := min(end, sl.end(), at&^largeMask+GPA(Page2M))
		err := r.chunk(sl, at, next)
		if err != nil && !errors.Is(err, ErrPinned) {
			r.finish()
			return rangeError("discard", at, uint64(next-at), err)
		}
		pinned = pinned || err != nil
		at = next
	}
	r.finish()
	if pinned {
		return rangeError("discard", g, n, ErrPinned)
	}
	return nil
}

// reclaimer collects frames that went out of use and frees them when nobody
// can reach them any more.
type reclaimer struct {
	space *Space
	freed []frame
}

// reclaimBatch is how many frames wait for one flush.
const reclaimBatch = 1024

// finish flushes and frees what was collected. No lock is held.
func (r *reclaimer) finish() {
	if len(r.freed) == 0 {
		return
	}
	s := r.space
	s.stage2.Flush()
	s.freed.Add(1) // before the wait: see Generation
	s.readers.wait()
	for _, f := range r.freed {
		s.alloc.Free(f.hpa, f.size)
		s.used.Add(-uint64(f.size))
	}
	r.freed = r.freed[:0]
}

// slot takes every frame of a slot.
func (r *reclaimer) slot(sl *slot) error {
	for g := sl.GPA; g < sl.end(); {
		next := min(sl.end(), g&^largeMask+GPA(Page2M))
		if err := r.chunk(sl, g, next); err != nil {
			return err
		}
		g = next
	}
	return nil
}

// chunk takes the frames of [g, end), which lies in one chunk.
func (r *reclaimer) chunk(sl *slot, g, end GPA) error {
	if len(r.freed) >= reclaimBatch {
		r.finish()
	}
	c := sl.chunk(g)
	c.mu.Lock()
	touched := c.touched()
	var err error
	if touched {
		err = r.locked(c, g, end)
	}
	c.mu.Unlock()
	if touched {
		r.space.mark(g, uint64(end-g))
	}
	return err
}

// locked is chunk where there is something to take and c is locked.
func (r *reclaimer) locked(c *chunk, g, end GPA) error {
	s := r.space
	whole := c.whole.load()
	switch {
	case whole.pins() > 0:
		return ErrPinned
	case whole.present() && end-g < GPA(Page2M):
		if !r.breakWhole(c) {
			h := whole.frame() + HPA(g&largeMask)
			clear(s.bytes(h, uint64(end-g)))
			return nil
		}
	case whole.present():
		if err := s.stage2.Unmap(g, uint64(Page2M)); err != nil {
			return err
		}
		c.whole.store(record(Zero))
		r.freed = append(r.freed, frame{g, whole.frame(), Page2M})
		return nil
	}
	return r.pages(c, g, end)
}

// breakWhole makes page records of a frame of 2 MiB, of which a part is to
// go, if the allocator can split it. If not the part is cleared and stays.
func (r *reclaimer) breakWhole(c *chunk) bool {
	h := c.whole.load().frame()
	if split, ok := r.space.alloc.(Splitter); !ok || !split.Split(h) {
		return false
	}
	p := new([entryCount]cell)
	for i := range p {
		p[i].store(presentRecord(h + HPA(i)<<pageShift))
	}
	r.space.records.Add(pagesBytes)
	c.pages.Store(p)
	c.whole.store(0)
	return true
}

// pages takes the frames of single pages.
func (r *reclaimer) pages(c *chunk, g, end GPA) error {
	s, p := r.space, c.pages.Load()
	var pinned error
	for ; g < end; g += GPA(Page4K) {
		cell := &p[pageIndex(g)]
		old := cell.load()
		if !old.present() {
			cell.store(record(Zero))
			continue
		}
		if old.pins() > 0 {
			pinned = ErrPinned
			continue
		}
		if err := s.stage2.Unmap(g, uint64(Page4K)); err != nil {
			return err
		}
		cell.store(record(Zero))
		r.freed = append(r.freed, frame{g, old.frame(), Page4K})
	}
	r.merge(c, p)
	return pinned
}

// merge drops the page records when no page is left and all are alike, so
// that the chunk can have a frame of 2 MiB again.
func (r *reclaimer) merge(c *chunk, p *[entryCount]cell) {
	for i := range p {
		if p[i].load() != record(Zero) {
			return
		}
	}
	c.whole.store(record(Zero))
	c.pages.Store(nil)
	r.space.records.Add(^uint64(pagesBytes - 1))
}
