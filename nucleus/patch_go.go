package nucleus

import "fmt"

// PatchText writes code over the image's text at addr, through the direct map:
// the text's own mapping is never writable. It is meant for the time before
// the code there first runs.
func PatchText(addr uintptr, code []byte) error {
	h := &bootInfo.hand
	for i := range h.Segments {
		s := &h.Segments[i]
		if s.Flags&segmentX != 0 && uint64(addr) >= s.Virt && uint64(addr)+uint64(len(code)) <= s.Virt+s.Size {
			at := physPtr(phys(h.ImagePhys + uint64(addr) - h.ImageVirt))
			for j, b := range code {
				store8(at+uintptr(j), b)
			}
			return nil
		}
	}
	return fmt.Errorf("patch %d bytes at %#x: not in the image's text", len(code), addr)
}
