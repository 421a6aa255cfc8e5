package hv

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"ringo/memory"
	"ringo/snapshot"
)

// memoryPiece is how many bytes of guest memory a section holds at most.
const memoryPiece = uint64(memory.Page2M)

// saveMemory writes all pages that hold something. A page that is not in the
// stream reads as zeros.
func (b *board) saveMemory(w *snapshot.Writer) error {
	buf := make([]byte, memoryPiece)
	for _, s := range b.space.Slots() {
		for at := uint64(0); at < s.Size; {
			n := b.touched(s.GPA+memory.GPA(at), min(memoryPiece, s.Size-at))
			if n == 0 {
				at += uint64(memory.Page4K)
				continue
			}
			if err := b.savePiece(w, s.GPA+memory.GPA(at), buf[:n]); err != nil {
				return err
			}
			at += n
		}
	}
	return nil
}

// touched is the number of bytes from g on, at most n, that are in pages with
// a content of their own.
func (b *board) touched(g memory.GPA, n uint64) uint64 {
	for at := uint64(0); at < n; at += uint64(memory.Page4K) {
		if st, ok := b.space.State(g + memory.GPA(at)); !ok || st == memory.Absent || st == memory.Zero {
			return at
		}
	}
	return n
}

// savePiece writes the pages from g on that are not all zeros; p is the buffer
// for all of them.
func (b *board) savePiece(w *snapshot.Writer, g memory.GPA, p []byte) error {
	if err := b.space.ReadAt(p, g); err != nil {
		return err
	}
	for at := 0; at < len(p); {
		n := nonzero(p[at:])
		if n == 0 {
			at += len(zeroPage)
			continue
		}
		if err := saveRun(w, g+memory.GPA(at), p[at:at+n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}

var zeroPage [memory.Page4K]byte

// nonzero is the number of bytes in pages at the start of p that hold
// something.
func nonzero(p []byte) int {
	n := 0
	for n < len(p) && !bytes.Equal(p[n:n+len(zeroPage)], zeroPage[:]) {
		n += len(zeroPage)
	}
	return n
}

func saveRun(w *snapshot.Writer, g memory.GPA, p []byte) error {
	e := snapshot.NewEncoder(schemaMemory)
	e.Uint64("gpa", uint64(g))
	e.Bytes("content", p)
	payload, err := e.Payload()
	if err != nil {
		return err
	}
	return w.Section(&snapshot.Section{Schema: schemaMemory, Instance: "ram", Repeat: true, Payload: payload})
}

// restoreMemory reads memory to the end of the stream.
func (b *board) restoreMemory(r *snapshot.Reader) error {
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Require(schemaMemory); err != nil {
			return fmt.Errorf("after the devices: %w", err)
		}
		d := s.Decoder()
		g := d.Uint64("gpa")
		p := d.Bytes("content", int(memoryPiece))
		if err := d.Done(); err != nil {
			return err
		}
		if err := b.space.WriteAt(p, memory.GPA(g)); err != nil {
			return err
		}
	}
}
