package memory

import (
	"sync"
	"sync/atomic"
)

// State says where the content of a page of guest memory is.
type State uint8

const (
	Absent  State = iota // never touched: reads as zeros, has no frame
	Zero                 // given back by Discard: reads as zeros, has no frame
	Present              // in a frame
)

// record is what a Space knows of one frame, or of a page that has none. The
// Space that holds the record owns the frame, and nobody else refers to it.
//
//	bits 2:0    state
//	bits 23:8   pins
//	bits 63:24  number of the frame's first 4 KiB, when present
type record uint64

const (
	recordStateMask = 7
	recordPin       = 1 << 8
	recordMaxPins   = 1<<16 - 1
	recordFrame     = 24
)

func presentRecord(h HPA) record {
	return record(h)>>pageShift<<recordFrame | record(Present)
}

func (r record) state() State  { return State(r & recordStateMask) }
func (r record) present() bool { return r.state() == Present }
func (r record) pins() uint64  { return uint64(r) / recordPin & recordMaxPins }
func (r record) frame() HPA    { return HPA(r >> recordFrame << pageShift) }

// cell holds a record. It changes only under its chunk's lock, and may be
// read by anyone in a Section.
type cell struct{ bits atomic.Uint64 }

func (c *cell) load() record   { return record(c.bits.Load()) }
func (c *cell) store(r record) { c.bits.Store(uint64(r)) }

// chunk is an aligned 2 MiB of guest-physical memory: one frame of that size,
// or 512 pages, whose records exist from the first touch of one of them.
type chunk struct {
	mu    sync.Mutex
	whole cell
	pages atomic.Pointer[[entryCount]cell]
}

// chunkBytes and pagesBytes are what a chunk and its page records take.
const (
	chunkBytes = 24
	pagesBytes = entryCount * 8
)

// pageIndex is g's number among the pages of its chunk.
func pageIndex(g GPA) uint64 { return uint64(g) >> pageShift % entryCount }

// touched tells whether some page of the chunk may have a frame.
func (c *chunk) touched() bool { return c.whole.load().present() || c.pages.Load() != nil }

// cellOf is the cell that speaks for g. The chunk is locked.
func (c *chunk) cellOf(g GPA) *cell {
	if p := c.pages.Load(); p != nil {
		return &p[pageIndex(g)]
	}
	return &c.whole
}

// frame is a frame of a guest: size bytes at gpa.
type frame struct {
	gpa  GPA
	hpa  HPA
	size PageSize
}

// frameOf is the frame behind g. It needs no lock: page records are there
// before whole is cleared, and are taken away only when no page is left, so a
// page in memory is never missed.
func (c *chunk) frameOf(g GPA) (frame, bool) {
	if r := c.whole.load(); r.present() {
		return frame{g &^ largeMask, r.frame(), Page2M}, true
	}
	p := c.pages.Load()
	if p == nil {
		return frame{}, false
	}
	r := p[pageIndex(g)].load()
	return frame{g &^ pageMask, r.frame(), Page4K}, r.present()
}
