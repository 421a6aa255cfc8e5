package devices

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

var (
	// ErrOverlap says that a region is taken.
	ErrOverlap = errors.New("bus region overlaps another")
	// ErrRegion says that a region is empty, passes the end of the address
	// space, or is not there.
	ErrRegion = errors.New("no such bus region")
)

// Region is a range of addresses that one handler serves.
type Region struct {
	Name    string
	Start   uint64
	Last    uint64 // last address, inclusive
	Handler Handler
}

// Bus maps addresses (ports, or guest-physical) to handlers. Access takes no
// lock and allocates nothing: it searches an immutable sorted list that Add
// and Remove replace.
type Bus struct {
	name    string
	last    uint64 // last address of the space
	mu      sync.Mutex
	regions atomic.Pointer[[]Region]
	missed  atomic.Uint64
}

// NewPortBus makes the bus of the 65,536 I/O ports.
func NewPortBus() *Bus { return newBus("port", 1<<16-1) }

// NewMMIOBus makes the bus of guest-physical addresses.
func NewMMIOBus() *Bus { return newBus("MMIO", 1<<52-1) }

func newBus(name string, last uint64) *Bus {
	b := &Bus{name: name, last: last}
	b.regions.Store(&[]Region{})
	return b
}

// Add gives h the size bytes from start.
func (b *Bus) Add(name string, start, size uint64, h Handler) error {
	if size == 0 || start > b.last || size-1 > b.last-start {
		return fmt.Errorf("%w: %s bus: %s asks for %#x bytes at %#x, the last address is %#x", ErrRegion, b.name, name, size, start, b.last)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := *b.regions.Load()
	r := Region{Name: name, Start: start, Last: start + size - 1, Handler: h}
	i := after(old, start)
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(old) && old[j].Start <= r.Last && r.Start <= old[j].Last {
			return fmt.Errorf("%w: %s bus: %s asks for %#x to %#x, %s has %#x to %#x", ErrOverlap, b.name, name, r.Start, r.Last, old[j].Name, old[j].Start, old[j].Last)
		}
	}
	list := slices.Insert(slices.Clone(old), i, r)
	b.regions.Store(&list)
	return nil
}

// Remove takes away the region that starts at start. An access that is under
// way may still reach its handler.
func (b *Bus) Remove(start uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := *b.regions.Load()
	i := after(old, start) - 1
	if i < 0 || old[i].Start != start {
		return fmt.Errorf("%w: %s bus: nothing starts at %#x", ErrRegion, b.name, start)
	}
	list := slices.Delete(slices.Clone(old), i, i+1)
	b.regions.Store(&list)
	return nil
}

// Regions lists what is on the bus in ascending order.
func (b *Bus) Regions() []Region { return slices.Clone(*b.regions.Load()) }

// Unclaimed counts the accesses that no handler served in full.
func (b *Bus) Unclaimed() uint64 { return b.missed.Load() }

// Lookup finds the region that holds addr; nil if none. The result must not
// be changed.
func (b *Bus) Lookup(addr uint64) *Region { return find(*b.regions.Load(), addr) }

// find is the region of a list that holds addr, or nil.
func find(list []Region, addr uint64) *Region {
	if i := after(list, addr) - 1; i >= 0 && addr <= list[i].Last {
		return &list[i]
	}
	return nil
}

// after is the index of the first region that starts above addr.
func after(list []Region, addr uint64) int {
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if list[mid].Start <= addr {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Read reads len(p) bytes, 1, 2, 4 or 8, at addr. What no handler serves reads
// as all ones.
//
// The region that holds the first byte claims the access. If that passes the
// region's end, it is split into bytes, each for whoever holds it. An access
// that starts in no region is nobody's, even if it runs into one: a 32-bit
// write of the PCI address port at CF8H does not touch the reset port at CF9H.
func (b *Bus) Read(addr uint64, p []byte) {
	r := b.Lookup(addr)
	switch {
	case r == nil:
		b.missed.Add(1)
		PutValue(p, ^uint64(0))
	case uint64(len(p))-1 <= r.Last-addr:
		r.Handler.Read(addr-r.Start, p)
	default:
		b.split(addr, p, false)
	}
}

// Write writes len(p) bytes, 1, 2, 4 or 8, at addr, claimed as Read says. What
// no handler serves is dropped.
func (b *Bus) Write(addr uint64, p []byte) {
	r := b.Lookup(addr)
	switch {
	case r == nil:
		b.missed.Add(1)
	case uint64(len(p))-1 <= r.Last-addr:
		r.Handler.Write(addr-r.Start, p)
	default:
		b.split(addr, p, true)
	}
}

// split serves an access byte by byte.
func (b *Bus) split(addr uint64, p []byte, write bool) {
	whole := true
	for i := range p {
		r := b.Lookup(addr)
		switch {
		case r == nil:
			whole = false
			if !write {
				p[i] = 0xFF
			}
		case write:
			r.Handler.Write(addr-r.Start, p[i:i+1])
		default:
			r.Handler.Read(addr-r.Start, p[i:i+1])
		}
		addr = (addr + 1) & b.last // both spaces are powers of two and wrap
	}
	if !whole {
		b.missed.Add(1)
	}
}
