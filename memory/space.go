package memory

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Space is a VM's physical memory. It implements Guest.
//
// Every 2 MiB has a lock of its own, which is held to change records or the
// stage-2 entries of that chunk, and never while waiting for a frame. Reading
// a record takes no lock: a frame is freed only when each Section that was
// open when it went has been left.
type Space struct {
	alloc  PageAllocator
	stage2 Stage2
	writes WriteLogger // stage2, if it is one, or nil
	slots  []slot
	size   uint64 // bytes of RAM
	large  bool   // the stage-2 table takes pages of 2 MiB
	quota  uint64
	wait   func() error

	used    atomic.Uint64 // bytes in frames
	records atomic.Uint64 // bytes in page records
	closed  atomic.Bool
	freed   atomic.Uint64 // how often frames were freed
	readers readers

	logsMu sync.Mutex
	logs   atomic.Pointer[[]*logView] // started dirty logs
}

var _ Guest = (*Space)(nil)

// NewSpace makes the memory of a VM out of slots, which may come in any order
// but must not overlap. Frames come from alloc as they are touched and are
// entered in stage2, which the caller closes after the Space; nil stands for
// a VM that no processor runs. The VM may hold quota bytes in frames, 0 for
// no limit.
func NewSpace(alloc PageAllocator, stage2 Stage2, slots []Slot, quota uint64) (*Space, error) {
	made, err := newSlots(slots)
	if err != nil {
		return nil, err
	}
	if stage2 == nil {
		stage2 = noStage2{}
	}
	s := &Space{alloc: alloc, stage2: stage2, slots: made, quota: quota, large: true}
	s.writes, _ = stage2.(WriteLogger)
	if m, ok := stage2.(interface{ MaxPage() PageSize }); ok {
		s.large = m.MaxPage() >= Page2M
	}
	for i := range made {
		if !made[i].ReadOnly {
			s.size += made[i].Size
		}
	}
	return s, nil
}

// OnNoFrames sets what an access from Go calls when there is no frame: wait
// returns nil when it is worth another try. Without it such an access fails
// with ErrNoFrames. It is set before the memory is used.
func (s *Space) OnNoFrames(wait func() error) { s.wait = wait }

// Size is the number of bytes of RAM.
func (s *Space) Size() uint64 { return s.size }

// Slots are the ranges that hold RAM or ROM, in ascending order.
func (s *Space) Slots() []Slot {
	out := make([]Slot, len(s.slots))
	for i := range s.slots {
		out[i] = s.slots[i].Slot
	}
	return out
}

// Used is the number of bytes that the VM holds in frames.
func (s *Space) Used() uint64 { return s.used.Load() }

// Overhead is the number of bytes of records.
func (s *Space) Overhead() uint64 {
	n := s.records.Load()
	for i := range s.slots {
		n += uint64(len(s.slots[i].chunks)) * chunkBytes
	}
	return n
}

// State tells where the content of the page at g is; false if g is not in a
// slot.
func (s *Space) State(g GPA) (State, bool) {
	sl := s.find(g)
	if sl == nil {
		return Absent, false
	}
	c := sl.chunk(g)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cellOf(g).load().state(), true
}

// find is the slot that holds g, or nil.
func (s *Space) find(g GPA) *slot {
	for i := range s.slots {
		if sl := &s.slots[i]; uint64(g-sl.GPA) < sl.Size {
			return sl
		}
	}
	return nil
}

// contains tells whether every byte of [g, g+n) is in a slot, and in one that
// a guest may write if write is set.
func (s *Space) contains(g GPA, n uint64, write bool) error {
	for {
		sl := s.find(g)
		switch {
		case sl == nil:
			return ErrNotRAM
		case write && sl.ReadOnly:
			return ErrReadOnly
		case n <= uint64(sl.end()-g):
			return nil
		}
		n -= uint64(sl.end() - g)
		g = sl.end()
	}
}

// Close frees every frame. No vCPU runs any more and every pin was released;
// if not it is ErrPinned and nothing has changed.
func (s *Space) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	for i := range s.slots {
		if n := s.slots[i].pins(); n > 0 {
			s.closed.Store(false)
			return fmt.Errorf("close memory %q: %d pins are held: release them first: %w", s.slots[i].Name, n, ErrPinned)
		}
	}
	r := reclaimer{space: s}
	for i := range s.slots {
		if err := r.slot(&s.slots[i]); err != nil {
			r.finish()
			return fmt.Errorf("close memory %q: %w", s.slots[i].Name, err)
		}
	}
	r.finish()
	return nil
}

// pins counts the slot's pins. closed is set: there will be no more.
func (s *slot) pins() (n uint64) {
	for i := range s.chunks {
		n += s.chunks[i].pins()
	}
	return n
}

func (c *chunk) pins() (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = c.whole.load().pins()
	if p := c.pages.Load(); p != nil {
		for i := range p {
			n += p[i].load().pins()
		}
	}
	return n
}
