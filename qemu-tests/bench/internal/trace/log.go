package trace

import "errors"

// ErrLog says that a log is not one that this package reads.
var ErrLog = errors.New("not a log of executed instructions")

// where is the place of an instruction: host and guest have address spaces of
// their own.
type where struct {
	pc    uint64
	guest bool
}

// step is one executed instruction.
type step struct {
	where
	class Class
	known bool // its bytes were in the log
}
