package memory

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Tracker is told by a backend which CPU may hold which translations. cpu is
// the processor's number and asid its address space identifier (or VPID).
type Tracker interface {
	// Enter says that the guest is entered, after the backend has compared
	// its last flush with the generation.
	Enter(cpu, asid uint32, generation uint64)
	// Flushed says that the CPU holds no translation of asid now.
	Flushed(cpu, asid uint32)
}

// Model checks one VM's stage-2 table for flushes that are missing, which no
// emulator shows. It remembers since which generation each CPU and ASID may
// have kept translations, and when each frame lost its last mapping; it
// panics when a guest is entered with outdated translations, and when a frame
// is freed that is mapped still or that some CPU can still reach.
//
// Enter and Flushed neither lock nor allocate, so a backend may call them
// with interrupts off. The rest costs a map entry per 4 KiB: it is for debug
// runs and tests.
type Model struct {
	PageAllocator
	asids uint32
	// since is, per CPU and ASID, 1 + the generation of the first entry after
	// the last flush; 0 when there was none.
	since []atomic.Uint64

	mu     sync.Mutex
	frames map[HPA]frameHistory
}

// frameHistory is what is known of 4 KiB of host memory.
type frameHistory struct {
	mappings int
	left     uint64 // generation at which the last mapping was gone for good
}

var _ Tracker = (*Model)(nil)

// NewModel makes a model for CPUs and ASIDs below the given numbers. It is
// also a PageAllocator around a, and checks what is freed: give it to the
// table and the Space instead of a.
func NewModel(a PageAllocator, cpus, asids uint32) *Model {
	return &Model{
		PageAllocator: a,
		asids:         asids,
		since:         make([]atomic.Uint64, uint64(cpus)*uint64(asids)),
		frames:        make(map[HPA]frameHistory),
	}
}

// Track makes the model watch the table, which is empty.
func (t *Table) Track(m *Model) { t.watch = m }

// Enter panics if (cpu, asid) may hold translations older than generation.
func (m *Model) Enter(cpu, asid uint32, generation uint64) {
	since := &m.since[uint64(cpu)*uint64(m.asids)+uint64(asid)]
	if old := since.Load(); old == 0 {
		since.Store(generation + 1)
	} else if old-1 < generation {
		panic("stage-2 model: a guest is entered with translations older than its tables")
	}
}

// Flushed forgets what (cpu, asid) held.
func (m *Model) Flushed(cpu, asid uint32) {
	m.since[uint64(cpu)*uint64(m.asids)+uint64(asid)].Store(0)
}

// Split passes on to the allocator.
func (m *Model) Split(h HPA) bool {
	s, ok := m.PageAllocator.(Splitter)
	return ok && s.Split(h)
}

// Free checks that nobody can reach the frame, and frees it.
func (m *Model) Free(h HPA, s PageSize) {
	m.check(h, s)
	m.PageAllocator.Free(h, s)
}

func (m *Model) check(h HPA, s PageSize) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := h; at < h+HPA(s); at += HPA(Page4K) {
		f := m.frames[at]
		if f.mappings != 0 {
			panic(fmt.Sprintf("stage-2 model: HPA %#x is freed with %d mappings", uint64(at), f.mappings))
		}
		for i := range m.since {
			if held := m.since[i].Load(); held != 0 && held-1 < f.left {
				panic(fmt.Sprintf("stage-2 model: HPA %#x, unmapped at generation %d, is freed, "+
					"but CPU %d, ASID %d has kept translations since generation %d",
					uint64(at), f.left, i/int(m.asids), i%int(m.asids), held-1))
			}
		}
		delete(m.frames, at)
	}
}

func (m *Model) mapped(h HPA, n uint64) {
	m.update(h, n, func(f *frameHistory) { f.mappings++ })
}

func (m *Model) unmapped(h HPA, n uint64, generation uint64) {
	m.update(h, n, func(f *frameHistory) {
		f.mappings--
		f.left = max(f.left, generation)
	})
}

func (m *Model) retired(h HPA, generation uint64) {
	m.update(h, uint64(Page4K), func(f *frameHistory) { f.left = max(f.left, generation) })
}

func (m *Model) update(h HPA, n uint64, f func(*frameHistory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := h; at < h+HPA(n); at += HPA(Page4K) {
		history := m.frames[at]
		f(&history)
		m.frames[at] = history
	}
}
