package hvtest

import (
	"sync/atomic"
	"unsafe"

	"ringo/memory"
)

// addressOf gives an address for a table that holds no pointers. Whoever
// stores it keeps p alive elsewhere.
func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// frame is n bytes of a frame at h. n does not pass the frame's end, since
// accesses stay inside a page, so the pointer is good for all of it.
func (f *Fake) frame(h memory.HPA, n uint64) []byte {
	return unsafe.Slice((*byte)(f.frames.Pointer(h)), n)
}

// word is the aligned 8 bytes of a frame at h.
func (f *Fake) word(h memory.HPA) *atomic.Uint64 {
	return (*atomic.Uint64)(f.frames.Pointer(h &^ 7))
}
