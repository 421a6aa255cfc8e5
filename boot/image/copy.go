package image

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"ringo/boot/layout"
	"ringo/memory"
)

// chunk is how much guest memory is held at once while a file is copied.
const chunk = 2 << 20

// Copy reads n bytes of f from offset off into guest memory at a, straight
// into the guest's frames.
func Copy(mem memory.Guest, a memory.GPA, f io.ReaderAt, off int64, n uint64) error {
	for n > 0 {
		m := min(n, chunk-uint64(a)%chunk)
		err := withPieces(mem, a, m, func(p []byte) error {
			err := ReadFull(f, p, off)
			off += int64(len(p))
			return err
		})
		if err != nil {
			return err
		}
		a += memory.GPA(m)
		n -= m
	}
	return nil
}

// Zero clears r. A guest that is loaded again after a reset finds its old
// memory, so what a protocol promises to be zero is made so.
func Zero(mem memory.Guest, r layout.Range) error {
	a, n := r.Start, r.Size
	for n > 0 {
		m := min(n, chunk-uint64(a)%chunk)
		err := withPieces(mem, a, m, func(p []byte) error {
			clear(p)
			return nil
		})
		if err != nil {
			return err
		}
		a += memory.GPA(m)
		n -= m
	}
	return nil
}

// withPieces pins n bytes at a for writing and calls f with each piece.
func withPieces(mem memory.Guest, a memory.GPA, n uint64, f func([]byte) error) error {
	pin, err := mem.Pin(a, n, true)
	if err != nil {
		return fmt.Errorf("writing guest memory %v: %w", layout.Range{Start: a, Size: n}, err)
	}
	defer pin.Release()
	for _, p := range pin.Pieces() {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// ReadFull fills p from offset off of f. A file that ends early is
// ErrTruncated.
func ReadFull(f io.ReaderAt, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %d bytes wanted at offset %d, %d found", ErrTruncated, len(p), off, n)
	}
	return fmt.Errorf("reading %d bytes at offset %d of the image: %w", len(p), off, err)
}

// WriteCmdline puts the command line, with its NUL, at CmdlineBase. limit is
// the longest that the kernel takes in bytes, without the NUL.
func (r *Request) WriteCmdline(limit uint64) error {
	limit = min(limit, CmdlineSize-1)
	if uint64(len(r.Cmdline)) > limit {
		return fmt.Errorf("%w: it has %d bytes, this kernel takes %d; shorten it", ErrCmdline, len(r.Cmdline), limit)
	}
	if i := strings.IndexByte(r.Cmdline, 0); i >= 0 {
		return fmt.Errorf("%w: byte %d is NUL, where the kernel would stop reading; remove it", ErrCmdline, i)
	}
	return r.Memory.WriteAt(append([]byte(r.Cmdline), 0), CmdlineBase)
}

// LoadInitrd copies the initrd as high as it fits at or below limit. Without
// an initrd the range is empty.
func (r *Request) LoadInitrd(p *Plan, limit memory.GPA) (layout.Range, error) {
	if r.Initrd == nil || r.Initrd.Size() <= 0 {
		return layout.Range{}, nil
	}
	size := uint64(r.Initrd.Size())
	at, err := p.Place("the initrd", size, uint64(memory.Page4K), limit)
	if err != nil {
		return at, err
	}
	if err := Copy(r.Memory, at.Start, r.Initrd, 0, size); err != nil {
		return at, fmt.Errorf("initrd: %w", err)
	}
	return at, nil
}
