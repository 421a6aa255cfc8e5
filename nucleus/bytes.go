package nucleus

import (
	"unsafe"

	"ringo/nucleus/reg"
)

// Bulk memory operations that use no vector register: the runtime's memmove
// and memclr may use VEX instructions, which would clear the upper halves of
// a guest's vector registers.

func copyBytes(dst, src, n uintptr) { reg.Copy(dst, src, n) }

func clearBytes(p, n uintptr) {
	reg.ClearPage(p, n&^7)
	for i := n &^ 7; i < n; i++ {
		*(*uint8)(unsafe.Pointer(p + i)) = 0
	}
}

func load64(p uintptr) uint64     { return *(*uint64)(unsafe.Pointer(p)) }
func store64(p uintptr, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }
func load32(p uintptr) uint32     { return *(*uint32)(unsafe.Pointer(p)) }
func store32(p uintptr, v uint32) { *(*uint32)(unsafe.Pointer(p)) = v }
func load8(p uintptr) uint8       { return *(*uint8)(unsafe.Pointer(p)) }
func store8(p uintptr, v uint8)   { *(*uint8)(unsafe.Pointer(p)) = v }
