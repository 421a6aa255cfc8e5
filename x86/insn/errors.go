package insn

import "errors"

var (
	// ErrTruncated says that the instruction goes on past the bytes given.
	ErrTruncated = errors.New("instruction is longer than the bytes given")
	// ErrTooLong says that the instruction has more than 15 bytes; the
	// processor raises #GP(0).
	ErrTooLong = errors.New("instruction is longer than 15 bytes")
	// ErrInvalid says that the processor raises #UD.
	ErrInvalid = errors.New("invalid instruction")
	// ErrUnsupported says that the instruction is not known here, or is known
	// but not emulated.
	ErrUnsupported = errors.New("instruction is not supported")
	// ErrNotRAM says that code or a page table lies where no RAM is.
	ErrNotRAM = errors.New("guest code or page table is not in RAM")
)
