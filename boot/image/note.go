package image

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// noteHeader is the three words before a note's name and descriptor.
const noteHeader = 12

// Note finds the descriptor of the first note with this name and type in the
// PT_NOTE segments, or nil.
func (e *ELF) Note(name string, kind uint32) ([]byte, error) {
	for i := range e.Progs {
		h := &e.Progs[i]
		if h.Type != elf.PT_NOTE {
			continue
		}
		if h.Filesz > maxNotes {
			return nil, fmt.Errorf("%w: ELF notes of %d bytes; at most %d are read", ErrUnsupported, h.Filesz, maxNotes)
		}
		if err := e.inFile("an ELF note segment", h.Off, h.Filesz); err != nil {
			return nil, err
		}
		b := make([]byte, h.Filesz)
		if err := ReadFull(e.file, b, int64(h.Off)); err != nil {
			return nil, err
		}
		if d := findNote(b, name, kind); d != nil {
			return d, nil
		}
	}
	return nil, nil
}

// findNote walks the notes in b. Name and descriptor are each padded to 4
// bytes; a note that does not fit ends the walk.
func findNote(b []byte, name string, kind uint32) []byte {
	for len(b) >= noteHeader {
		nameSize := uint64(binary.LittleEndian.Uint32(b))
		descSize := uint64(binary.LittleEndian.Uint32(b[4:]))
		typ := binary.LittleEndian.Uint32(b[8:])
		b = b[noteHeader:]
		desc := (nameSize + 3) &^ 3
		if desc+descSize > uint64(len(b)) {
			return nil
		}
		if typ == kind && string(b[:nameSize]) == name+"\x00" {
			return b[desc : desc+descSize]
		}
		b = b[min(desc+(descSize+3)&^3, uint64(len(b))):]
	}
	return nil
}
