package boot

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/boot/linux"
	"ringo/boot/multiboot"
	"ringo/boot/pvh"
	"ringo/memory"
)

// The types that a caller needs, under the name of this package.
type (
	Layout  = layout.Layout
	File    = image.File
	Request = image.Request
	Entry   = image.Entry
)

// ErrProtocol says that no protocol of that name exists.
var ErrProtocol = errors.New("unknown boot protocol")

// Protocol names a way to boot.
type Protocol string

// The protocols, as a VM definition names them.
const (
	Auto      Protocol = "auto" // by the image's magic numbers
	Linux     Protocol = "linux"
	PVH       Protocol = "pvh"
	Multiboot Protocol = "multiboot"
)

// protocols are tried in this order by Auto.
var protocols = []struct {
	name Protocol
	is   func(head []byte) bool
	load func(*image.Request) (*image.Entry, error)
}{
	{Linux, linux.IsImage, linux.Load},
	{PVH, image.IsELF, pvh.Load},
	{Multiboot, multiboot.IsImage, multiboot.Load},
}

// headSize is how much of a file the magic numbers are in.
const headSize = 8192

// Bytes makes a File of b, which must not change until the guest is loaded.
func Bytes(b []byte) File { return bytes.NewReader(b) }

// Load puts a kernel of any known kind, its initrd (nil for none) and its
// command line into guest memory, and gives vCPU 0's first state. The tables
// of boot/acpi are told to the guest whether they are there yet or not.
func Load(mem memory.Guest, l *Layout, kernel, initrd File, cmdline string) (*Entry, error) {
	return Auto.Load(&Request{Memory: mem, Layout: l, Kernel: kernel, Initrd: initrd, Cmdline: cmdline})
}

// Load loads by protocol p; the empty name is Auto.
func (p Protocol) Load(r *Request) (*Entry, error) {
	if err := writeBIOSData(r.Memory); err != nil {
		return nil, err
	}
	if p == Auto || p == "" {
		return detect(r)
	}
	for _, k := range protocols {
		if k.name == p {
			return k.load(r)
		}
	}
	return nil, fmt.Errorf("%w %q; choose auto, %s", ErrProtocol, p, names())
}

// names lists the protocols for people.
func names() string {
	var n []string
	for _, k := range protocols {
		n = append(n, string(k.name))
	}
	return strings.Join(n, ", ")
}

// detect loads by the first protocol whose magic number is in the image. An
// ELF file without a PVH note may still be a Multiboot kernel.
func detect(r *Request) (*Entry, error) {
	head := make([]byte, min(headSize, max(0, r.Kernel.Size())))
	if err := image.ReadFull(r.Kernel, head, 0); err != nil {
		return nil, err
	}
	var missing error
	for _, k := range protocols {
		if !k.is(head) {
			continue
		}
		e, err := k.load(r)
		if !errors.Is(err, pvh.ErrNoNote) {
			return e, err
		}
		missing = err
	}
	if missing != nil {
		return nil, fmt.Errorf("%w: %w, and no Multiboot header", image.ErrFormat, missing)
	}
	return nil, fmt.Errorf("%w: a Linux bzImage, a PVH ELF or a Multiboot image was asked for, found %s",
		image.ErrFormat, describe(head))
}
