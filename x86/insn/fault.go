package insn

import (
	"errors"
	"fmt"

	"ringo/x86"
)

// Fault is an exception that the guest has earned.
type Fault struct {
	Vector    uint8
	HasError  bool // an error code is pushed
	ErrorCode uint32
	CR2       uint64 // of a page fault
}

// Error tells the fault as the manuals write it.
func (f *Fault) Error() string {
	name := x86.VectorName(f.Vector)
	switch {
	case f.Vector == x86.VectorPF:
		return fmt.Sprintf("%s(%#x) at %#x", name, f.ErrorCode, f.CR2)
	case f.HasError:
		return fmt.Sprintf("%s(%#x)", name, f.ErrorCode)
	}
	return name
}

// ErrAgain says that nothing is wrong but the work is not finished: another
// CPU changed what was to be changed atomically. Run the guest or call again.
var ErrAgain = errors.New("try again")
