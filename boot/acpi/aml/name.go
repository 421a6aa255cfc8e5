package aml

import (
	"fmt"
	"strings"
)

const (
	segSize  = 4
	rootChar = '\\'
	segPad   = "____"
)

// nameString encodes a path such as `\_SB.COM1`: an optional root, then
// segments of one to four characters, padded with underscores.
func nameString(path string) Term {
	var t Term
	rest := path
	if strings.HasPrefix(rest, string(rootChar)) {
		t = append(t, rootChar)
		rest = rest[1:]
	}
	if rest == "" {
		return append(t, 0) // NullName
	}
	segs := strings.Split(rest, ".")
	switch {
	case len(segs) == 2:
		t = append(t, prefixDual)
	case len(segs) > 0xFF:
		panic(fmt.Sprintf("aml: path %q has %d segments", path, len(segs)))
	case len(segs) > 2:
		t = append(t, prefixMulti, byte(len(segs)))
	}
	for _, s := range segs {
		checkSegment(path, s)
		t = append(t, s+segPad[len(s):]...)
	}
	return t
}

// checkSegment panics unless s is a name segment: a capital or underscore,
// then those or digits.
func checkSegment(path, s string) {
	ok := len(s) >= 1 && len(s) <= segSize
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c >= 'A' && c <= 'Z' || c == '_' || i > 0 && c >= '0' && c <= '9'
	}
	if !ok {
		panic(fmt.Sprintf("aml: %q in path %q is not a name segment", s, path))
	}
}
