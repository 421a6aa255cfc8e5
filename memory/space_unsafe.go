package memory

import (
	"sync/atomic"
	"unsafe"
)

// bytes are n bytes at h, all in one frame, so that the allocator's pointer is
// good for them. They must not be used after the frame is freed: the caller
// is in a Section or holds a pin.
func (s *Space) bytes(h HPA, n uint64) []byte {
	return unsafe.Slice((*byte)(s.alloc.Pointer(h)), n)
}

// word64 and word32 take an aligned address in a present frame.
func (s *Space) word64(h HPA) *atomic.Uint64 { return (*atomic.Uint64)(s.alloc.Pointer(h)) }
func (s *Space) word32(h HPA) *atomic.Uint32 { return (*atomic.Uint32)(s.alloc.Pointer(h)) }
