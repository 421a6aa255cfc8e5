package snapshot

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// Writer writes a stream of sections to an io.Writer. The first error sticks.
type Writer struct {
	w    io.Writer
	head []byte // scratch for headers
	seen map[sectionKey]bool
	n    uint64
	err  error
}

// NewWriter writes the stream's header.
func NewWriter(w io.Writer) (*Writer, error) {
	s := &Writer{w: w, seen: map[sectionKey]bool{}}
	s.head = append(s.head, streamMagic...)
	s.head = binary.LittleEndian.AppendUint32(s.head, streamVersion)
	s.write(s.head)
	return s, s.err
}

// Save encodes the state of d as the section of that instance.
func (w *Writer) Save(instance string, d Snapshotter) error {
	e := NewEncoder(d.Schema())
	if err := d.Save(e); err != nil {
		return fmt.Errorf("instance %q: %w", instance, err)
	}
	p, err := e.Payload()
	if err != nil {
		return fmt.Errorf("instance %q: %w", instance, err)
	}
	return w.Section(&Section{Schema: d.Schema(), Instance: instance, Payload: p})
}

// Section writes one section. The payload is not kept.
func (w *Writer) Section(s *Section) error {
	if w.err != nil {
		return w.err
	}
	if err := w.check(s); err != nil {
		return err
	}
	tag := byte(tagSection)
	if s.Repeat {
		tag = tagRepeat
	}
	h := append(w.head[:0], tag, byte(len(s.Name)), byte(len(s.Instance)))
	h = binary.LittleEndian.AppendUint32(h, s.Version)
	h = binary.LittleEndian.AppendUint32(h, uint32(len(s.Payload)))
	h = append(append(h, s.Name...), s.Instance...)
	sum := crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, s.Payload)
	w.head = h
	w.write(h)
	w.write(s.Payload)
	w.write(binary.LittleEndian.AppendUint32(w.head[:0], sum))
	w.n++
	return w.err
}

// Close writes the end mark; without it a Reader takes the stream for cut
// short. It does not close the io.Writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	h := binary.LittleEndian.AppendUint64(append(w.head[:0], tagEnd), w.n)
	h = binary.LittleEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
	w.write(h)
	if w.err != nil {
		return w.err
	}
	w.err = fmt.Errorf("%w: the stream is closed", ErrCorrupt)
	return nil
}

// check refuses what a Reader would refuse.
func (w *Writer) check(s *Section) error {
	switch {
	case len(s.Name) == 0 || len(s.Name) > MaxName || len(s.Instance) > MaxName:
		return fmt.Errorf("%w: section %q %q: a name has at most %d bytes", ErrTooLarge, s.Schema, s.Instance, MaxName)
	case len(s.Payload) > MaxPayload:
		return fmt.Errorf("%w: section %q %q has %d bytes, at most %d: split it", ErrTooLarge, s.Schema, s.Instance, len(s.Payload), MaxPayload)
	case s.Repeat:
		return nil
	}
	k := sectionKey{s.Name, s.Instance}
	if w.seen[k] || len(w.seen) >= maxSections {
		return fmt.Errorf("%w: section %q %q comes twice, or is past the %d that a stream holds", ErrCorrupt, s.Schema, s.Instance, maxSections)
	}
	w.seen[k] = true
	return nil
}

func (w *Writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(p)
	}
}
