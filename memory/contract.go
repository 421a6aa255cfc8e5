package memory

import (
	"errors"
	"fmt"
	"unsafe"
)

var (
	ErrNoFrames   = errors.New("no free frame")
	ErrNotRAM     = errors.New("not guest RAM")
	ErrReadOnly   = errors.New("guest memory is read-only")
	ErrOverlap    = errors.New("mapping overlaps another")
	ErrAlignment  = errors.New("address is not aligned to the page size")
	ErrOutOfRange = errors.New("address beyond what the format can hold")
	ErrPageSize   = errors.New("the processor takes no page of this size")
	ErrFormat     = errors.New("the table format cannot say this")
	ErrQuota      = fmt.Errorf("memory quota of the VM is used up: %w", ErrNoFrames)
	ErrPinned     = errors.New("guest memory is pinned")
	ErrClosed     = errors.New("guest memory is closed")
	ErrStarted    = errors.New("dirty log runs already")
	ErrStopped    = errors.New("dirty log does not run")
)

// PageAllocator gives frames of host memory. In the image it is the nucleus's
// frame allocator; in tests an Arena.
type PageAllocator interface {
	// Alloc returns a frame of the given size, aligned to it and zeroed, or
	// ErrNoFrames.
	Alloc(PageSize) (HPA, error)
	// Free gives back a frame that Alloc returned with the same size. The
	// caller knows that no translation to it is left anywhere.
	Free(HPA, PageSize)
	// Pointer gives this program's address of host-physical memory. It is
	// valid to the end of the frame that contains a, and must not be used
	// after Free.
	Pointer(a HPA) unsafe.Pointer
}

// Prot is what a guest may do with a page.
type Prot uint8

const (
	Read Prot = 1 << iota
	Write
	Exec
	RWX = Read | Write | Exec
)

// Type is a memory type as the PAT encodes it (SDM volume 3A, section 12.12
// "Page Attribute Table (PAT)").
type Type uint8

const (
	Uncacheable    Type = 0
	WriteCombining Type = 1
	WriteThrough   Type = 4
	WriteProtected Type = 5
	WriteBack      Type = 6
)

// Mapping is what Stage2.Lookup finds.
type Mapping struct {
	HPA             HPA // of the start of the page
	GPA             GPA // of the start of the page
	Size            PageSize
	Prot            Prot
	Accessed, Dirty bool
}

// Stage2 is a table that translates GPA to HPA. Its methods may be called by
// several goroutines at once; entries change by compare-and-swap, so that the
// nucleus may map at the same time.
type Stage2 interface {
	// Map enters one page of size s. An existing equal mapping is no error;
	// a different one is ErrOverlap.
	Map(g GPA, h HPA, s PageSize, p Prot, t Type) error
	// Unmap removes every mapping in [g, g+n), splitting larger pages at the
	// ends. Frames may be used again only after Flush has returned.
	Unmap(g GPA, n uint64) error
	// Protect sets the rights of every mapping in [g, g+n), splitting at the
	// ends.
	Protect(g GPA, n uint64, p Prot) error
	// Lookup finds the mapping that contains g.
	Lookup(g GPA) (Mapping, bool)
	// Generation rises by one with each change after which a cached
	// translation would be wrong; a vCPU compares it at entry and flushes.
	Generation() uint64
	// Flush returns when no CPU can use a translation older than the call.
	// The caller holds no lock that an exit needs.
	Flush()
	// Root is what nCR3 or the EPT pointer takes (address only).
	Root() HPA
	// Tables is how many bytes the tables themselves take.
	Tables() uint64
	// Close frees the tables. No vCPU uses them any more.
	Close() error
}

// WriteLogger is a further ability of a Stage2: the processor notes by itself
// which pages guests write, so that a page need not be write-protected again
// each time that a DirtyLog has reported it.
type WriteLogger interface {
	// LogWrites has each page that is noted told to noted, which may be called
	// from any goroutine; nil ends the noting, and what was not told is
	// forgotten.
	LogWrites(noted func(GPA))
	// Clean has the next write of each page of 4 KiB in [g, g+n) noted that
	// the guest may write. It takes effect with Flush.
	Clean(g GPA, n uint64) error
	// Collect tells every page that was written and noted before the call. The
	// caller holds no lock that an exit needs.
	Collect()
}

// Guest is a VM's physical memory as device models and loaders see it. Every
// access is checked; writes mark pages dirty; an access may wait for a frame.
type Guest interface {
	ReadAt(p []byte, a GPA) error  // all of p or an error that names the address
	WriteAt(p []byte, a GPA) error // all of p or an error; RAM before the bad page may have changed
	// Pin gives the frames behind [a, a+n) and holds them there until
	// Release. A write pin marks them dirty at release.
	Pin(a GPA, n uint64, write bool) (Pinned, error)
	// Size is the number of bytes of RAM.
	Size() uint64
	// Slots are the ranges that hold RAM or ROM, in ascending order.
	Slots() []Slot
}

// Slot is a contiguous range of guest-physical memory.
type Slot struct {
	Name     string
	GPA      GPA
	Size     uint64
	ReadOnly bool // guest writes are dropped (ROM)
}

// Pinned is a list of host-virtual pieces in guest order, held until Release.
type Pinned interface {
	Pieces() [][]byte
	Release()
}

// DirtyLog records which 4 KiB pages changed, for one named consumer.
type DirtyLog interface {
	Start() error
	// Harvest calls f with each page dirtied since Start or the last
	// Harvest, in ascending order, and clears it.
	Harvest(f func(GPA)) error
	Stop() error
}
