package multiboot

import (
	"fmt"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/memory"
)

// flat is a checked image that is loaded by the header's address fields.
type flat struct {
	file    int64  // offset of the first byte to load
	loaded  uint64 // bytes from the file
	bss     uint64 // zero bytes after them
	address uint32 // where the first byte goes
}

// flat checks the address fields against a file of size bytes with the header
// at offset off.
func (h *header) flat(off uint32, size int64) (*flat, error) {
	bad := func(what string) (*flat, error) {
		return nil, fmt.Errorf("%w: %s (header_addr %#x at offset %#x, load_addr %#x, load_end_addr %#x, bss_end_addr %#x)",
			image.ErrFormat, what, h.HeaderAddr, off, h.LoadAddr, h.LoadEndAddr, h.BSSEndAddr)
	}
	if h.LoadAddr > h.HeaderAddr || h.HeaderAddr-h.LoadAddr > off {
		return bad("the Multiboot load_addr lies before the file's first byte or after the header")
	}
	f := &flat{file: int64(off - (h.HeaderAddr - h.LoadAddr)), address: h.LoadAddr}
	f.loaded = uint64(size - f.file)
	if h.LoadEndAddr != 0 {
		if h.LoadEndAddr < h.LoadAddr {
			return bad("the Multiboot load_end_addr lies before load_addr")
		}
		want := uint64(h.LoadEndAddr - h.LoadAddr)
		if want > f.loaded {
			return nil, fmt.Errorf("%w: the Multiboot header loads %d bytes from offset %d, the file has %d",
				image.ErrTruncated, want, f.file, size)
		}
		f.loaded = want
	}
	if h.BSSEndAddr != 0 {
		end := uint64(h.LoadAddr) + f.loaded
		if uint64(h.BSSEndAddr) < end {
			return bad("the Multiboot bss_end_addr lies before the end of the data")
		}
		f.bss = uint64(h.BSSEndAddr) - end
	}
	if n := f.loaded + f.bss; uint64(h.EntryAddr)-uint64(h.LoadAddr) >= n {
		return bad(fmt.Sprintf("the Multiboot entry_addr %#x is not in the loaded image", h.EntryAddr))
	}
	return f, nil
}

// load claims and fills the image's memory.
func (f *flat) load(r *image.Request, p *image.Plan) error {
	at, err := p.Claim("the Multiboot image", uint64(f.address), f.loaded+f.bss)
	if err != nil {
		return err
	}
	if err := image.Copy(r.Memory, at.Start, r.Kernel, f.file, f.loaded); err != nil {
		return fmt.Errorf("the Multiboot image: %w", err)
	}
	return image.Zero(r.Memory, layout.Range{Start: at.Start + memory.GPA(f.loaded), Size: f.bss})
}
