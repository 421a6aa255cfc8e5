package hvtest

import (
	"unsafe"

	"ringo/memory"
)

// frameBytes is a frame of 4 KiB. The frame is not freed while the rig uses
// it.
func frameBytes(a memory.PageAllocator, h memory.HPA) []byte {
	return unsafe.Slice((*byte)(a.Pointer(h)), int(memory.Page4K))
}
