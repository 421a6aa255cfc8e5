package entry

import (
	"errors"
	"fmt"
)

const (
	pageSize  = 0x1000
	largePage = 0x20_0000
	fourGiB   = 1 << 32

	// MaxImageSize bounds the image in memory: it must leave room below the
	// holes that firmware has near 4 GiB, and its page tables must stay small.
	MaxImageSize = 512 << 20
)

// Errors of Image.
var (
	// ErrPayload: the payload cannot be started by the entry code.
	ErrPayload = errors.New("unusable payload")
)

// Payload is the linked image, flattened: the byte for virtual address Virt+n
// is Data[n].
type Payload struct {
	Virt     uint64 // page-aligned
	Data     []byte // the file part; the rest up to Size is zero
	Size     uint64 // bytes in memory
	Entry    uint64 // virtual address of the first instruction
	Segments []Segment
}

func (p Payload) check() error {
	size := uint64(len(p.Data))
	switch {
	case p.Virt%pageSize != 0:
		return fmt.Errorf("image starts at %#x, which is not a page boundary: %w", p.Virt, ErrPayload)
	case p.Size == 0 || size > p.Size:
		return fmt.Errorf("image has %#x bytes in the file and %#x in memory: %w", size, p.Size, ErrPayload)
	case p.Size > MaxImageSize:
		return fmt.Errorf("image needs %#x bytes of memory, at most %#x are possible: %w", p.Size, MaxImageSize, ErrPayload)
	case p.Virt > fourGiB-largePage || p.Virt+p.Size > fourGiB-largePage:
		return fmt.Errorf("image ends at %#x, link it below %#x: %w", p.Virt+p.Size, fourGiB-largePage, ErrPayload)
	case p.Entry < p.Virt || p.Entry-p.Virt >= p.Size:
		return fmt.Errorf("entry point %#x lies outside the image, %#x to %#x: %w", p.Entry, p.Virt, p.Virt+p.Size, ErrPayload)
	case len(p.Segments) > MaxSegments:
		return fmt.Errorf("image has %d segments, the hand-off record holds %d: %w", len(p.Segments), MaxSegments, ErrPayload)
	}
	return nil
}

func alignUp(n, to uint64) uint64 { return (n + to - 1) / to * to }
