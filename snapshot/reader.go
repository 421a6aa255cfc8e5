package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Reader reads a stream of sections. It holds one section at a time and
// allocates no more than the stream has delivered, up to MaxPayload.
type Reader struct {
	r    io.Reader
	head []byte // header of the current section
	seen map[sectionKey]bool
	n    uint64
	err  error // sticks; io.EOF after a valid end mark
}

// NewReader reads and checks the stream's header.
func NewReader(r io.Reader) (*Reader, error) {
	h := make([]byte, headerSize)
	if _, err := io.ReadFull(r, h); err != nil {
		return nil, fmt.Errorf("%w: no header of %d bytes: %w", ErrCorrupt, headerSize, noEOF(err))
	}
	if string(h[:8]) != streamMagic {
		return nil, fmt.Errorf("%w: it starts with %q, not %q: this is no snapshot", ErrCorrupt, h[:8], streamMagic)
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != streamVersion {
		return nil, fmt.Errorf("%w: stream version %d, this build reads %d", ErrSchema, v, streamVersion)
	}
	return &Reader{r: r, seen: map[sectionKey]bool{}}, nil
}

// Next gives the next section, whose payload is the caller's to keep, or
// io.EOF after the end mark.
func (r *Reader) Next() (*Section, error) {
	if r.err != nil {
		return nil, r.err
	}
	s, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return s, nil
}

func (r *Reader) next() (*Section, error) {
	if err := r.fill(0, 1); err != nil {
		return nil, err
	}
	switch r.head[0] {
	case tagEnd:
		return nil, r.end()
	case tagSection, tagRepeat:
		return r.section()
	}
	return nil, fmt.Errorf("%w: section %d has unknown tag %#x", ErrCorrupt, r.n, r.head[0])
}

func (r *Reader) section() (*Section, error) {
	if err := r.fill(1, sectionSize); err != nil {
		return nil, err
	}
	nameEnd := sectionSize + int(r.head[1])
	version := binary.LittleEndian.Uint32(r.head[3:])
	size := binary.LittleEndian.Uint32(r.head[7:])
	if size > MaxPayload {
		return nil, fmt.Errorf("%w: section %d has %d bytes, at most %d", ErrTooLarge, r.n, size, MaxPayload)
	}
	if err := r.fill(sectionSize, nameEnd+int(r.head[2])); err != nil {
		return nil, err
	}
	s := &Section{
		Schema:   Schema{Name: string(r.head[sectionSize:nameEnd]), Version: version},
		Instance: string(r.head[nameEnd:]),
		Repeat:   r.head[0] == tagRepeat,
	}
	var body bytes.Buffer // grows with what arrives, not with what size claims
	if _, err := io.CopyN(&body, r.r, int64(size)+sumSize); err != nil {
		return nil, r.short(err)
	}
	s.Payload = body.Bytes()[:size:size]
	want := binary.LittleEndian.Uint32(body.Bytes()[size:])
	if sum := crc32.Update(crc32.Checksum(r.head, castagnoli), castagnoli, s.Payload); sum != want {
		return nil, fmt.Errorf("%w: section %d %q %q: checksum %#x, want %#x", ErrCorrupt, r.n, s.Schema, s.Instance, sum, want)
	}
	r.n++
	return s, r.once(s)
}

// once refuses a second section where only one may be.
func (r *Reader) once(s *Section) error {
	if s.Repeat {
		return nil
	}
	k := sectionKey{s.Name, s.Instance}
	if r.seen[k] || len(r.seen) >= maxSections {
		return fmt.Errorf("%w: section %q %q comes twice, or is past the %d that a stream holds", ErrCorrupt, s.Schema, s.Instance, maxSections)
	}
	r.seen[k] = true
	return nil
}

func (r *Reader) end() error {
	if err := r.fill(1, endSize); err != nil {
		return err
	}
	body, sum := r.head[:endSize-sumSize], binary.LittleEndian.Uint32(r.head[endSize-sumSize:])
	if crc32.Checksum(body, castagnoli) != sum {
		return fmt.Errorf("%w: checksum of the end mark", ErrCorrupt)
	}
	if n := binary.LittleEndian.Uint64(body[1:]); n != r.n {
		return fmt.Errorf("%w: %d sections read, the end mark says %d", ErrCorrupt, r.n, n)
	}
	return io.EOF
}

// fill reads bytes from to end of the current header.
func (r *Reader) fill(from, end int) error {
	if cap(r.head) < end {
		r.head = append(make([]byte, 0, sectionSize+2*MaxName), r.head...)
	}
	r.head = r.head[:end]
	if _, err := io.ReadFull(r.r, r.head[from:]); err != nil {
		return r.short(err)
	}
	return nil
}

func (r *Reader) short(err error) error {
	return fmt.Errorf("%w: cut short in section %d: %w", ErrCorrupt, r.n, noEOF(err))
}

// noEOF keeps io.EOF for the good end: a caller that compares with it must
// not take a cut stream for a whole one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Restore gives the section's state to d and wraps an error with the
// instance's name.
func (s *Section) Restore(d Snapshotter) error {
	if err := d.Restore(s.Schema, s.Decoder()); err != nil {
		return fmt.Errorf("instance %q: %w", s.Instance, err)
	}
	return nil
}
