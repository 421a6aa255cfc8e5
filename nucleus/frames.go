package nucleus

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"ringo/memory"
	"ringo/nucleus/reg"
)

// The frame allocator: a buddy system over all RAM, in blocks of 4 KiB << order
// up to 1 GiB. A free block's links lie in the block itself, reached through
// the direct map; beside that one byte per frame says whether a free block
// begins there.

type phys = memory.HPA

const (
	pageShift = 12
	pageSize  = 1 << pageShift
	maxOrder  = 18
	headFree  = 0x80
)

// directBase is where the direct map puts host-physical address 0.
const directBase = 0xffff800000000000

// directOff is directBase once the nucleus runs on its own tables; before, the
// boot trampoline maps the low 4 GiB one to one.
var directOff uintptr

func physPtr(p phys) uintptr { return directOff + uintptr(p) }

type freeLinks struct{ next, prev phys }

var (
	frameLock  spinlock
	freeHead   [maxOrder + 1]phys
	frameByte  uintptr // address of the byte array
	frameTop   phys    // first address beyond the array
	frameTotal atomic.Uint64
	frameFree  atomic.Uint64 // in frames
)

func links(p phys) *freeLinks { return (*freeLinks)(unsafe.Pointer(physPtr(p))) }

func headByte(p phys) *uint8 {
	return (*uint8)(unsafe.Pointer(frameByte + uintptr(p>>pageShift)))
}

func pushFree(p phys, order uint) {
	l := links(p)
	l.prev, l.next = 0, freeHead[order]
	if l.next != 0 {
		links(l.next).prev = p
	}
	freeHead[order] = p
	*headByte(p) = headFree | uint8(order)
}

func takeFree(p phys, order uint) {
	l := links(p)
	if l.prev != 0 {
		links(l.prev).next = l.next
	} else {
		freeHead[order] = l.next
	}
	if l.next != 0 {
		links(l.next).prev = l.prev
	}
	*headByte(p) = 0
}

// allocBlock takes a block of 4 KiB << order, or returns 0. Its contents are
// undefined.
func allocBlock(order uint) phys {
	if order > maxOrder {
		return 0
	}
	frameLock.lock()
	o := order
	for o <= maxOrder && freeHead[o] == 0 {
		o++
	}
	if o > maxOrder {
		frameLock.unlock()
		return 0
	}
	p := freeHead[o]
	takeFree(p, o)
	for o > order {
		o--
		pushFree(p+phys(pageSize)<<o, o)
	}
	frameFree.Store(frameFree.Load() - 1<<order)
	frameLock.unlock()
	return p
}

// freeBlock gives back what allocBlock took with the same order.
func freeBlock(p phys, order uint) {
	frameLock.lock()
	frameFree.Store(frameFree.Load() + 1<<order)
	for order < maxOrder {
		buddy := p ^ phys(pageSize)<<order
		if buddy >= frameTop || *headByte(buddy) != headFree|uint8(order) {
			break
		}
		takeFree(buddy, order)
		p &^= phys(pageSize) << order
		order++
	}
	pushFree(p, order)
	frameLock.unlock()
}

// allocFrame takes one zeroed frame of 4 KiB, or returns 0.
func allocFrame() phys { return allocZeroed(0) }

func allocZeroed(order uint) phys {
	p := allocBlock(order)
	if p != 0 {
		reg.ClearPage(physPtr(p), pageSize<<order)
	}
	return p
}

// orderFor is the smallest order whose block holds n bytes.
func orderFor(n uint64) uint {
	if n <= pageSize {
		return 0
	}
	return uint(bits.Len64((n - 1) >> pageShift))
}

// addFrames makes [from, to) free, in the largest aligned blocks.
func addFrames(from, to phys) {
	from = (from + pageSize - 1) &^ (pageSize - 1)
	to &^= pageSize - 1
	if to > frameTop {
		to = frameTop
	}
	for from < to {
		o := uint(bits.TrailingZeros64(uint64(from))) - pageShift
		if o > maxOrder {
			o = maxOrder
		}
		for from+phys(pageSize)<<o > to {
			o--
		}
		frameTotal.Store(frameTotal.Load() + 1<<o)
		freeBlock(from, o)
		from += phys(pageSize) << o
	}
}
