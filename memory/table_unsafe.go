package memory

import "sync/atomic"

// node is one table as the processor walks it. The processor sets accessed
// and dirty bits in it at any time, so every access is atomic.
type node [entryCount]atomic.Uint64

// at is the node in the frame at h. The allocator keeps a frame of node's
// size and alignment at the address until Free, and Table frees a frame only
// when no walker can hold it.
func (t *Table) at(h HPA) *node { return (*node)(t.alloc.Pointer(h)) }
