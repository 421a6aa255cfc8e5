package memory

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Table is a stage-2 table of four levels in a vendor's Format. It implements
// Stage2.
//
// Map, Lookup and Harvest run at the same time as each other and as the
// processor; Unmap and Protect wait for one another only. A table whose last
// entry went is first frozen (every entry takes a value that Map refuses),
// then cut off, and freed by the next Flush, when neither a CPU nor a walker
// in this program can still be in it.
type Table struct {
	format Format
	alloc  PageAllocator
	root   HPA

	generation atomic.Uint64
	bytes      atomic.Int64

	// change is held by those that cut tables off.
	change  sync.Mutex
	retired []HPA // cut off, not yet free; under change
	// walkers is held shared by everyone who follows entries.
	walkers sync.RWMutex

	flush func()
	watch watcher
}

// watcher is told of host memory that pages gain and lose, and of tables that
// are cut off. generation is that from which on a flush forgets it. The table
// has none but in debug runs; see Model.
type watcher interface {
	mapped(h HPA, n uint64)
	unmapped(h HPA, n uint64, generation uint64)
	retired(h HPA, generation uint64)
}

var _ Stage2 = (*Table)(nil)

// NewTable makes an empty table. The error is ErrNoFrames, or ErrFormat.
func NewTable(f Format, a PageAllocator) (*Table, error) {
	if !f.sound() {
		return nil, fmt.Errorf("stage-2 format %q: %w", f.Name, ErrFormat)
	}
	t := &Table{format: f, alloc: a}
	root, err := t.newTable()
	if err != nil {
		return nil, fmt.Errorf("root of a stage-2 table: %w", err)
	}
	t.root = root
	return t, nil
}

// OnFlush sets what Flush calls: f returns when no CPU can use a translation
// older than the call. It is set before the first vCPU runs. Without it no
// CPU is taken to use the table.
func (t *Table) OnFlush(f func()) { t.flush = f }

// Root is what nCR3 or the EPT pointer takes.
func (t *Table) Root() HPA { return t.root }

// MaxPage is the largest page that Map takes.
func (t *Table) MaxPage() PageSize { return t.format.MaxPage }

// Tables is the number of bytes that the tables take, those included that
// wait for Flush.
func (t *Table) Tables() uint64 { return uint64(t.bytes.Load()) }

// Generation rises with each change that makes a cached translation wrong.
func (t *Table) Generation() uint64 { return t.generation.Load() }

// Flush returns when no CPU can use a translation older than the call, and
// frees the tables that were cut off before it.
func (t *Table) Flush() {
	t.change.Lock()
	retired := t.retired
	t.retired = nil
	t.change.Unlock()
	if t.flush != nil {
		t.flush()
	}
	if len(retired) == 0 {
		return
	}
	// Whoever came in before the tables were cut off has left when this
	// lock is given; whoever comes later cannot find them.
	t.walkers.Lock()
	//lint:ignore SA2001 the wait is the point
	t.walkers.Unlock()
	for _, h := range retired {
		t.freeTable(h)
	}
}

// Close frees every table. Nothing uses the Table any more.
func (t *Table) Close() error {
	t.Flush()
	t.change.Lock()
	defer t.change.Unlock()
	if t.root == 0 {
		return nil
	}
	t.freeTree(t.root, levels)
	t.root = 0
	return nil
}

// freeTree frees the table at h of level l and those under it; it is at most
// four deep.
func (t *Table) freeTree(h HPA, l int) {
	n := t.at(h)
	for i := range n {
		switch e := n[i].Load(); {
		case e == 0:
		case !t.format.isPage(e, l):
			t.freeTree(t.format.tableAt(e), l-1)
		case t.watch != nil:
			t.watch.unmapped(t.format.address(e, l), span(l), 0)
		}
	}
	t.freeTable(h)
}

func (t *Table) newTable() (HPA, error) {
	h, err := t.alloc.Alloc(Page4K)
	if err != nil {
		return 0, err
	}
	t.bytes.Add(int64(Page4K))
	return h, nil
}

func (t *Table) freeTable(h HPA) {
	t.bytes.Add(-int64(Page4K))
	t.alloc.Free(h, Page4K)
}
