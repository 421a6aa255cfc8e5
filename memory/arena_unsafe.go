package memory

import (
	"fmt"
	"unsafe"
)

// Pointer gives the address of h, which the index checks to be inside mem.
func (a *Arena) Pointer(h HPA) unsafe.Pointer {
	off := uint64(h - arenaBase)
	if h < arenaBase || off >= uint64(len(a.mem)) {
		panic(fmt.Sprintf("arena: HPA %#x is outside", uint64(h)))
	}
	return unsafe.Pointer(&a.mem[off])
}
