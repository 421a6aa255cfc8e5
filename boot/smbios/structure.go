package smbios

import (
	"encoding/binary"
	"strings"
)

// Structure types, in the order of the specification.
const (
	typeBIOS          = 0
	typeSystem        = 1
	typeChassis       = 3
	typeProcessor     = 4
	typeMemoryArray   = 16
	typeMemoryDevice  = 17
	typeMappedAddress = 19
	typeBoot          = 32
	typeEnd           = 127
)

// Handles: the type in the high byte, so each structure has its own.
const (
	handleMemoryArray = typeMemoryArray << 8
	handleNone        = 0xFFFE // no error information is provided
)

// table collects structures.
type table struct {
	b   []byte
	err error
}

// add appends a structure: its header, the formatted part, then the strings,
// which the formatted part names by their numbers from 1. Both the strings
// and the set of them end with a NUL; an empty set is two NULs.
func (t *table) add(kind uint8, index uint8, formatted any, text ...string) {
	if t.err != nil {
		return
	}
	const headerSize = 4
	size := 0
	if formatted != nil {
		size = binary.Size(formatted)
	}
	t.b = append(t.b, kind, uint8(headerSize+size), index, kind)
	if formatted != nil {
		t.b, t.err = binary.Append(t.b, binary.LittleEndian, formatted)
	}
	for _, s := range text {
		t.b = append(append(t.b, clean(s)...), 0)
	}
	if len(text) == 0 {
		t.b = append(t.b, 0)
	}
	t.b = append(t.b, 0)
}

// maxText is the longest string that the specification lets people rely on.
const maxText = 64

// clean makes a string that ends where a reader thinks it does: printable
// ASCII, not empty, at most maxText bytes.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if s == "" {
		return "none"
	}
	return s[:min(len(s), maxText)]
}
