package memory

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// dirtyLog is one consumer's DirtyLog. While it runs, guest pages in its
// ranges are write-protected until they are written; Harvest protects again
// what it takes, or has the processor note the next write where it can.
type dirtyLog struct {
	space  *Space
	name   string
	ranges []Range // in ascending order

	mu   sync.Mutex
	view *logView // nil while stopped
}

var _ DirtyLog = (*dirtyLog)(nil)

// harvestBatch is how many chunks Harvest takes before it flushes and reports.
const harvestBatch = 256

// NewDirtyLog makes a stopped dirty log for a consumer. It watches the RAM in
// ranges, which are whole pages and do not overlap, or all RAM if there are
// none. It takes no memory until Start.
func (s *Space) NewDirtyLog(name string, ranges ...Range) (DirtyLog, error) {
	if len(ranges) == 0 {
		ranges = []Range{{0, maxGPA}}
	}
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int {
		if a.GPA < b.GPA {
			return -1
		}
		return 1
	})
	for i, r := range ranges {
		switch {
		case r.Size == 0 || (uint64(r.GPA)|r.Size)&pageMask != 0:
			return nil, rangeError("dirty log "+name, r.GPA, r.Size, ErrAlignment)
		case uint64(r.GPA) > maxGPA || r.Size > maxGPA-uint64(r.GPA):
			return nil, rangeError("dirty log "+name, r.GPA, r.Size, ErrOutOfRange)
		case i > 0 && ranges[i-1].GPA+GPA(ranges[i-1].Size) > r.GPA:
			return nil, rangeError("dirty log "+name, r.GPA, r.Size, ErrOverlap)
		}
	}
	return &dirtyLog{space: s, name: name, ranges: ranges}, nil
}

// Start begins to record. It is ErrStarted if this log, or another of the
// same name, runs.
func (d *dirtyLog) Start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.space.collectWrites() // of logs that run already
	v := &logView{name: d.name, parts: d.parts(), batch: make([]dirtyChunk, 0, harvestBatch)}
	if err := d.space.addLog(v); err != nil {
		return err
	}
	d.view = v
	err := v.each(func(p *logPart, g, end GPA) error {
		c := p.slot.chunk(g)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.touched() {
			return nil
		}
		return d.space.stage2.Protect(g, uint64(end-g), p.slot.prot()&^Write)
	})
	d.space.stage2.Flush()
	if err != nil {
		d.stop()
		return fmt.Errorf("dirty log %s: start: %w", d.name, err)
	}
	return nil
}

// parts cuts the ranges at the slots that the guest can write.
func (d *dirtyLog) parts() []logPart {
	var parts []logPart
	for i := range d.space.slots {
		sl := &d.space.slots[i]
		for _, r := range d.ranges {
			g, end := max(r.GPA, sl.GPA), min(r.GPA+GPA(r.Size), sl.end())
			if g < end && !sl.ReadOnly {
				parts = append(parts, newLogPart(sl, g, end))
			}
		}
	}
	return parts
}

// Harvest calls f with each page that was written since Start or the last
// Harvest, in ascending order, and clears it. A write that comes meanwhile is
// in this Harvest or in the next. f may access the guest's memory.
func (d *dirtyLog) Harvest(f func(GPA)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view == nil {
		return fmt.Errorf("dirty log %s: harvest: %w", d.name, ErrStopped)
	}
	d.space.collectWrites()
	err := d.view.each(func(p *logPart, g, _ GPA) error {
		if len(d.view.batch) == harvestBatch {
			d.report(f)
		}
		return d.take(p, g)
	})
	d.report(f)
	if err != nil {
		return fmt.Errorf("dirty log %s: harvest: %w", d.name, err)
	}
	return nil
}

// take moves the bits of the chunk at g to the batch, and makes the next writes
// of its pages known. The bits are cleared first: a write that the processor
// notes right after may be marked at once, and must not be taken for an earlier
// one. An error loses none.
func (d *dirtyLog) take(p *logPart, g GPA) error {
	words := p.chunkWords(g)
	if !anySet(words) {
		return nil
	}
	c := p.slot.chunk(g)
	c.mu.Lock()
	defer c.mu.Unlock()
	dirty := dirtyChunk{gpa: g &^ largeMask}
	for i := range words {
		dirty.pages[i] = words[i].Swap(0)
	}
	err := dirty.runs(func(g GPA, n uint64) error {
		return d.space.expectWrites(p.slot, g, n)
	})
	if err != nil {
		for i := range words {
			words[i].Or(dirty.pages[i])
		}
		return err
	}
	d.view.batch = append(d.view.batch, dirty)
	return nil
}

func anySet(words []atomic.Uint64) bool {
	for i := range words {
		if words[i].Load() != 0 {
			return true
		}
	}
	return false
}

// report flushes what take changed and gives the batch to f. It flushes also if
// take changed nothing: another log may have taken it and not be flushed.
func (d *dirtyLog) report(f func(GPA)) {
	if len(d.view.batch) == 0 {
		return
	}
	d.space.stage2.Flush()
	for i := range d.view.batch {
		d.view.batch[i].each(f)
	}
	d.view.batch = d.view.batch[:0]
}

// Stop ends the recording and forgets what was not harvested.
func (d *dirtyLog) Stop() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view == nil {
		return fmt.Errorf("dirty log %s: stop: %w", d.name, ErrStopped)
	}
	d.stop()
	return nil
}

// stop lets the guest write again where no other log runs. A page that stays
// protected for lack of a frame gets its right when it is written.
func (d *dirtyLog) stop() {
	s, v := d.space, d.view
	s.removeLog(v)
	d.view = nil
	_ = v.each(func(p *logPart, g, end GPA) error {
		s.unprotect(p.slot, g, end)
		return nil
	})
	s.stage2.Flush()
}

// unprotect ends the protection of [g, end), which lies in one chunk. A frame
// of 2 MiB is unmapped, so that its next use maps it in one piece again.
func (s *Space) unprotect(sl *slot, g, end GPA) {
	c, first := sl.chunk(g), g&^largeMask
	c.mu.Lock()
	defer c.mu.Unlock()
	switch whole := c.whole.load().present(); {
	case !c.touched():
	case whole && !s.logged(first, uint64(Page2M)):
		_ = s.stage2.Unmap(first, uint64(Page2M)) // splits nothing, so it cannot fail
	case !s.logged(g, uint64(end-g)):
		_ = s.stage2.Protect(g, uint64(end-g), sl.prot()) // see stop
	}
}

// addLog makes a log run.
func (s *Space) addLog(v *logView) error {
	s.logsMu.Lock()
	defer s.logsMu.Unlock()
	var views []*logView
	if old := s.logs.Load(); old != nil {
		views = *old
	}
	for _, other := range views {
		if other.name == v.name {
			return fmt.Errorf("dirty log %s: start: %w", v.name, ErrStarted)
		}
	}
	if len(views) == 0 {
		s.startWriteLog()
	}
	views = append(slices.Clone(views), v)
	s.logs.Store(&views)
	return nil
}

// removeLog ends a log that runs.
func (s *Space) removeLog(v *logView) {
	s.logsMu.Lock()
	defer s.logsMu.Unlock()
	views := slices.DeleteFunc(slices.Clone(*s.logs.Load()), func(o *logView) bool { return o == v })
	if len(views) == 0 {
		s.logs.Store(nil)
		s.endWriteLog()
		return
	}
	s.logs.Store(&views)
}
