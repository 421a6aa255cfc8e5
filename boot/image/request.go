package image

import (
	"errors"
	"io"

	"ringo/boot/layout"
	"ringo/memory"
	"ringo/x86"
)

var (
	// ErrFormat says that the file is not an image of the kind asked for.
	ErrFormat = errors.New("not a kernel image of this kind")
	// ErrTruncated says that the file ends before what its headers promise.
	ErrTruncated = errors.New("image is truncated")
	// ErrUnsupported says that the image is sound but needs what is not here.
	ErrUnsupported = errors.New("image is not supported")
	// ErrOverlap says that two parts want the same guest memory.
	ErrOverlap = errors.New("parts of the image overlap in guest memory")
	// ErrNoRoom says that guest RAM is too small or not where it is wanted.
	ErrNoRoom = errors.New("no room in guest memory")
	// ErrCmdline says that the command line cannot be passed.
	ErrCmdline = errors.New("kernel command line")
)

// File is the content of a kernel or an initrd. *bytes.Reader and
// *io.SectionReader are Files.
type File interface {
	io.ReaderAt
	Size() int64
}

// Request is what a loader needs to know.
type Request struct {
	Memory memory.Guest
	Layout *layout.Layout
	Kernel File
	Initrd File // nil for none
	// Cmdline is passed as it is. It may not hold a NUL.
	Cmdline string
}

// Entry is a loaded guest.
type Entry struct {
	// State is the state of vCPU 0 at the kernel's first instruction.
	State *x86.State
	// Protocol names the boot protocol that was used, for people.
	Protocol string
}
