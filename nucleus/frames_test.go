package nucleus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// freeLists gives the free blocks by order, each order as a set.
func freeLists() (lists [maxOrder + 1]map[phys]bool) {
	for o := range lists {
		lists[o] = map[phys]bool{}
		for p, prev := freeHead[o], phys(0); p != 0; p = links(p).next {
			if links(p).prev != prev || *headByte(p) != headFree|uint8(o) {
				panic("the free list is not linked both ways, or its frame byte is wrong")
			}
			lists[o][p] = true
			prev = p
		}
	}
	return lists
}

// frameModel says of each frame from base on whether it is free.
type frameModel struct {
	base phys
	free []bool
	live map[phys]uint // order of each block taken
}

func (m *frameModel) index(p phys) int { return int((p - m.base) >> pageShift) }

func (m *frameModel) add(from, to phys) {
	for p := from; p < to; p += pageSize {
		m.free[m.index(p)] = true
	}
}

// count is how many frames are free.
func (m *frameModel) count() (n uint64) {
	for _, f := range m.free {
		if f {
			n++
		}
	}
	return n
}

// whole says whether all frames of a block are free.
func (m *frameModel) whole(i int, order uint) bool {
	for _, f := range m.free[i : i+1<<order] {
		if !f {
			return false
		}
	}
	return true
}

// fits says whether there is an aligned free block of an order.
func (m *frameModel) fits(order uint) bool {
	for i := 0; i+1<<order <= len(m.free); i += 1 << order {
		if m.whole(i, order) {
			return true
		}
	}
	return false
}

func (m *frameModel) mark(p phys, order uint, free bool) {
	for i := range 1 << order {
		m.free[m.index(p)+i] = free
	}
}

func TestFramesModel(t *testing.T) {
	const base, frames = 1 << 28, 1 << 11
	rapid.Check(t, func(t *rapid.T) {
		resetFrames()
		m := &frameModel{base: base, free: make([]bool, frames), live: map[phys]uint{}}
		at := phys(base)
		for at < base+frames*pageSize {
			from := at + phys(rapid.IntRange(0, 40).Draw(t, "gap"))<<pageShift
			to := min(from+phys(rapid.IntRange(1, 1500).Draw(t, "frames"))<<pageShift, base+frames*pageSize)
			if from < to {
				addFrames(from, to)
				m.add(from, to)
			}
			at = to + pageSize // ranges that touch would be one
		}
		require.Equal(t, m.count(), frameTotal.Load())
		before := freeLists()
		t.Repeat(map[string]func(*rapid.T){
			"":      func(t *rapid.T) { require.Equal(t, m.count(), frameFree.Load()) },
			"alloc": m.alloc,
			"free":  m.freeOne,
		})
		for p, o := range m.live {
			freeBlock(p, o)
		}
		require.Equal(t, before, freeLists(), "the blocks did not grow together again")
		require.Equal(t, frameTotal.Load(), frameFree.Load())
	})
}

func (m *frameModel) alloc(t *rapid.T) {
	o := uint(rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 11)).Draw(t, "order"))
	possible := m.fits(o)
	p := allocBlock(o)
	if !possible {
		require.Zero(t, p)
		return
	}
	require.NotZero(t, p, "a block of order %d is free", o)
	require.Zero(t, p&(pageSize<<o-1), "alignment")
	require.True(t, m.whole(m.index(p), o), "block %#x of order %d is in use", p, o)
	m.mark(p, o, false)
	m.live[p] = o
}

func (m *frameModel) freeOne(t *rapid.T) {
	if len(m.live) == 0 {
		t.Skip("nothing to free")
	}
	var list []phys
	for i := range m.free {
		if _, ok := m.live[m.base+phys(i)<<pageShift]; ok {
			list = append(list, m.base+phys(i)<<pageShift)
		}
	}
	p := rapid.SampledFrom(list).Draw(t, "block")
	m.mark(p, m.live[p], true)
	freeBlock(p, m.live[p])
	delete(m.live, p)
}

func TestFramesOfOneGiB(t *testing.T) {
	resetFrames()
	addFrames(1<<30, 3<<30)
	a, b := allocBlock(maxOrder), allocBlock(maxOrder)
	require.ElementsMatch(t, []phys{1 << 30, 2 << 30}, []phys{a, b})
	require.Zero(t, allocBlock(0), "exhausted")
	freeBlock(b, maxOrder)
	small := allocBlock(0)
	require.NotZero(t, small)
	require.Zero(t, allocBlock(maxOrder), "the block is broken")
	freeBlock(small, 0)
	require.Equal(t, b, allocBlock(maxOrder), "and whole again")
	freeBlock(a, maxOrder)
	freeBlock(b, maxOrder)
	require.EqualValues(t, 2<<18, frameFree.Load())
}

func TestAllocBlockRefusesOrder(t *testing.T) {
	resetFrames()
	addFrames(1<<30, 2<<30)
	require.Zero(t, allocBlock(maxOrder+1))
	require.Zero(t, allocBlock(^uint(0)))
	require.EqualValues(t, 1<<18, frameFree.Load())
}

func TestAddFramesTakesWholeFramesBelowTheTop(t *testing.T) {
	resetFrames()
	frameTop = 1<<20 + 8*pageSize
	addFrames(1<<20+1, 1<<20+3*pageSize-1)
	require.EqualValues(t, 1, frameTotal.Load())
	addFrames(1<<20+4*pageSize, 1<<21)
	require.EqualValues(t, 5, frameTotal.Load())
	addFrames(1<<20+5*pageSize+1, 1<<20+5*pageSize+9)
	require.EqualValues(t, 5, frameTotal.Load())
}

// TestFreeBlockStaysBelowTheTop: what lies after the frame table says nothing
// about frames.
func TestFreeBlockStaysBelowTheTop(t *testing.T) {
	resetFrames()
	const last = 1<<20 + 4*pageSize
	frameTop = last + pageSize
	*headByte(frameTop) = headFree
	addFrames(last, last+pageSize)
	require.EqualValues(t, last, allocBlock(0))
	require.Zero(t, allocBlock(0))
}

func TestAllocZeroed(t *testing.T) {
	resetFrames()
	addFrames(1<<20, 1<<20+4*pageSize)
	p := allocBlock(2)
	for i := range 4 * pageSize {
		machine.ram[p+phys(i)] = 0xa5
	}
	freeBlock(p, 2)
	require.Equal(t, p, allocZeroed(2))
	require.Equal(t, make([]byte, 4*pageSize), atRAM(p)[:4*pageSize])
	require.Zero(t, allocFrame())
}

func TestOrderFor(t *testing.T) {
	for _, c := range []struct {
		n     uint64
		order uint
	}{{0, 0}, {1, 0}, {4096, 0}, {4097, 1}, {8192, 1}, {8193, 2}, {2 << 20, 9}, {2<<20 + 1, 10}, {1 << 30, 18}} {
		require.Equal(t, c.order, orderFor(c.n), "%d bytes", c.n)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 1<<40).Draw(t, "bytes")
		o := orderFor(n)
		require.GreaterOrEqual(t, uint64(pageSize)<<o, n)
		require.True(t, o == 0 || uint64(pageSize)<<(o-1) < n)
	})
}
