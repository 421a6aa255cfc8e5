package memory_test

import (
	"sync/atomic"
	"unsafe"

	"ringo/memory"
)

// cpu walks a table as a processor does, by the vendor's bits and not by the
// package's own code, and sets the status bits.
type cpu struct {
	alloc                 memory.PageAllocator
	root                  memory.HPA
	present, large, write uint64
	accessed, dirty       uint64
}

const addressMask = 0x000FFFFFFFFFF000

// access translates g; false is a stage-2 fault.
func (c cpu) access(g memory.GPA, write bool) (memory.HPA, bool) {
	table := c.root
	for shift := 39; ; shift -= 9 {
		entries := (*[512]atomic.Uint64)(c.alloc.Pointer(table))
		slot := &entries[uint64(g)>>shift%512]
		e := slot.Load()
		if e&c.present == 0 || write && e&c.write == 0 {
			return 0, false
		}
		if shift > 12 && e&c.large == 0 {
			table = memory.HPA(e & addressMask)
			continue
		}
		set := c.accessed
		if write {
			set |= c.dirty
		}
		if !slot.CompareAndSwap(e, e|set) {
			return c.access(g, write)
		}
		inside := uint64(1)<<shift - 1
		return memory.HPA(e&addressMask&^inside | uint64(g)&inside), true
	}
}

// plain hides that an arena can split frames.
type plain struct{ a *memory.Arena }

func (p plain) Alloc(s memory.PageSize) (memory.HPA, error) { return p.a.Alloc(s) }
func (p plain) Free(h memory.HPA, s memory.PageSize)        { p.a.Free(h, s) }
func (p plain) Pointer(h memory.HPA) unsafe.Pointer         { return p.a.Pointer(h) }
