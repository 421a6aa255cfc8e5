package console

import (
	"io"
	"strings"
)

// screen writes to the terminal. It keeps the first error.
type screen struct {
	w   io.Writer
	err error
}

// raw writes bytes as they are.
func (s *screen) raw(p []byte) {
	if s.err == nil && len(p) > 0 {
		_, s.err = s.w.Write(p)
	}
}

// text writes Ringo's own words: the terminal is raw, so a line feed needs a
// carriage return.
func (s *screen) text(t string) {
	s.raw([]byte(strings.ReplaceAll(t, "\n", "\r\n")))
}
