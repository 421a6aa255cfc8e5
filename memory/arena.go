package memory

import (
	"fmt"
	"math/bits"
	"sync"
	"syscall"
)

// arenaBase is the HPA of an arena's first byte. It is far from 0, so that an
// address that was never set is noticed.
const arenaBase HPA = 1 << 32

// Arena is a PageAllocator over plain memory, for tests and for programs on
// Linux. Its host-physical addresses are made up.
type Arena struct {
	mem    []byte
	mapped bool // mem came from mmap

	mu     sync.Mutex
	blocks []arenaBlock // one per 2 MiB
	hint   int          // where the last 4 KiB frame came from
	inUse  uint64
}

// arenaBlock is 2 MiB, given out whole or in frames of 4 KiB.
type arenaBlock struct {
	use   PageSize                // 0 when free; a 1 GiB frame marks all of its blocks
	stale bool                    // it may hold something but zeros
	used  uint16                  // frames of 4 KiB that are out
	taken [entryCount / 64]uint64 // which
}

// NewArena makes an arena of size bytes of anonymous memory, which must be a
// multiple of 2 MiB. Linux gives memory as it is touched.
func NewArena(size uint64) (*Arena, error) {
	if size == 0 || size&largeMask != 0 || size > maxGPA {
		return nil, fmt.Errorf("arena of %d bytes: %w", size, ErrAlignment)
	}
	mem, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("arena of %d bytes: %w", size, err)
	}
	return &Arena{mem: mem, mapped: true, blocks: make([]arenaBlock, size>>largeShift)}, nil
}

// NewArenaOver makes an arena over mem; what does not fill 2 MiB stays unused.
// mem must start at a multiple of 8 bytes.
func NewArenaOver(mem []byte) *Arena {
	a := &Arena{mem: mem, blocks: make([]arenaBlock, len(mem)>>largeShift)}
	for i := range a.blocks {
		a.blocks[i].stale = true
	}
	return a
}

// Close gives the memory back. It panics if a frame is still out, because
// its user would crash later.
func (a *Arena) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inUse != 0 {
		panic(fmt.Sprintf("arena closed with %d bytes in use", a.inUse))
	}
	mem := a.mem
	a.mem, a.blocks = nil, nil
	if a.mapped && mem != nil {
		return syscall.Munmap(mem)
	}
	return nil
}

// InUse is the number of bytes in frames that are out.
func (a *Arena) InUse() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.inUse
}

// Alloc returns a zeroed frame.
func (a *Arena) Alloc(s PageSize) (HPA, error) {
	off, stale, ok := a.take(s)
	if !ok {
		return 0, ErrNoFrames
	}
	if stale {
		clear(a.mem[off : off+uint64(s)])
	}
	return arenaBase + HPA(off), nil
}

// take finds a frame, and tells whether it must be cleared.
func (a *Arena) take(s PageSize) (off uint64, stale, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch s {
	case Page4K:
		off, ok = a.takeSmall()
	case Page2M, Page1G:
		off, ok = a.takeBlocks(s)
	}
	if !ok {
		return 0, false, false
	}
	a.inUse += uint64(s)
	count := max(1, uint64(s)>>largeShift)
	for i := range count {
		b := &a.blocks[off>>largeShift+i]
		stale, b.stale = stale || b.stale, true
	}
	return off, stale, true
}

// takeSmall prefers a block that is broken already, so that whole ones last.
func (a *Arena) takeSmall() (uint64, bool) {
	free := -1
	for i := range a.blocks {
		n := (a.hint + i) % len(a.blocks)
		b := &a.blocks[n]
		if b.use == 0 && free < 0 {
			free = n
		}
		if b.use == Page4K && b.used < entryCount {
			return a.takeFrom(n), true
		}
	}
	if free < 0 {
		return 0, false
	}
	a.blocks[free].use = Page4K
	return a.takeFrom(free), true
}

func (a *Arena) takeFrom(n int) uint64 {
	b := &a.blocks[n]
	a.hint = n
	b.used++
	for i, word := range b.taken {
		if word != ^uint64(0) {
			bit := bits.TrailingZeros64(^word)
			b.taken[i] |= 1 << bit
			return uint64(n)<<largeShift + uint64(i*64+bit)<<pageShift
		}
	}
	panic(fmt.Sprintf("arena: block %d counts %d frames but has none", n, b.used))
}

func (a *Arena) takeBlocks(s PageSize) (uint64, bool) {
	count := int(s >> largeShift)
	for n := 0; n+count <= len(a.blocks); n += count {
		if a.unused(n, count) {
			for i := range count {
				a.blocks[n+i].use = s
			}
			return uint64(n) << largeShift, true
		}
	}
	return 0, false
}

func (a *Arena) unused(n, count int) bool {
	for _, b := range a.blocks[n : n+count] {
		if b.use != 0 {
			return false
		}
	}
	return true
}

// Free takes a frame back. It panics if h is not the start of such a frame,
// because somebody else's memory would be given out twice.
func (a *Arena) Free(h HPA, s PageSize) {
	a.mu.Lock()
	defer a.mu.Unlock()
	off := uint64(h - arenaBase)
	n := off >> largeShift
	if h < arenaBase || n >= uint64(len(a.blocks)) || a.blocks[n].use != s || off&(uint64(s)-1) != 0 {
		panic(fmt.Sprintf("arena: free of HPA %#x, %d KiB, which is not out", uint64(h), s>>10))
	}
	a.inUse -= uint64(s)
	if s != Page4K {
		for i := range uint64(s) >> largeShift {
			a.blocks[n+i].use = 0
		}
		return
	}
	b, i := &a.blocks[n], off&largeMask>>pageShift
	if b.taken[i/64]>>(i%64)&1 == 0 {
		panic(fmt.Sprintf("arena: HPA %#x is freed twice", uint64(h)))
	}
	b.taken[i/64] &^= 1 << (i % 64)
	if b.used--; b.used == 0 {
		b.use = 0
	}
}

// Split makes 512 frames of 4 KiB of one of 2 MiB that is out.
func (a *Arena) Split(h HPA) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	off := uint64(h - arenaBase)
	n := off >> largeShift
	if h < arenaBase || n >= uint64(len(a.blocks)) || a.blocks[n].use != Page2M || off&largeMask != 0 {
		panic(fmt.Sprintf("arena: split of HPA %#x, which is no frame of 2 MiB", uint64(h)))
	}
	b := &a.blocks[n]
	b.use, b.used = Page4K, entryCount
	for i := range b.taken {
		b.taken[i] = ^uint64(0)
	}
	return true
}
