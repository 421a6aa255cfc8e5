package nucleus

import "unsafe"

// handoff is the record that the boot trampoline leaves: boot/entry.Handoff,
// at the offsets that it documents. (boot/entry may import the nucleus, so
// the nucleus does not import it; a test compares the two.)
type handoff struct {
	Magic, BootParams               uint64
	ImagePhys, ImageVirt, ImageSize uint64
	ReservedPhys, ReservedSize      uint64
	APTrampoline, APTrampolineSize  uint64
	EntryTSC, ProtocolEntry         uint64
	Segments                        [8]segment
}

type segment struct{ Virt, Size, Flags uint64 }

const (
	handoffMagic = 0x314f484f474e4952 // "RINGOHO1"
	segmentX     = 1
	segmentW     = 2
)

// Offsets in the loader's boot_params page (Linux documentation, "The zero
// page").
const (
	bpRSDP       = 0x070
	bpExtRamdisk = 0x0c0
	bpExtRDSize  = 0x0c4
	bpExtCmdline = 0x0c8
	bpE820Count  = 0x1e8
	bpRamdisk    = 0x218
	bpRDSize     = 0x21c
	bpCmdline    = 0x228
	bpCmdSize    = 0x238
	bpE820       = 0x2d0
)

const (
	e820RAM  = 1
	e820ACPI = 3
	e820NVS  = 4
)

// memRange is one entry of the firmware's memory map.
type memRange struct {
	from, to phys
	kind     uint32
}

const maxRanges = 128

// bootInfo is what the nucleus keeps of the hand-off.
var bootInfo struct {
	hand     handoff
	ranges   [maxRanges]memRange
	nRanges  int
	initrd   memRange
	rsdp     phys
	cmdline  [4096]byte
	nCmdline int
}

// readHandoff copies everything that the loader left behind, before any of
// that memory is used for something else.
func readHandoff(at phys) {
	b := &bootInfo
	h := (*handoff)(unsafe.Pointer(physPtr(at)))
	if h.Magic != handoffMagic {
		fatal("boot: the hand-off record has no magic number: cmd/mkimage and the nucleus do not match")
	}
	b.hand = *h
	bp := physPtr(phys(h.BootParams))
	n := int(load8(bp + bpE820Count))
	for i := 0; i < n && b.nRanges < maxRanges; i++ {
		e := bp + bpE820 + uintptr(i)*20
		from, size := load64(e), load64(e+8)
		if size == 0 || from+size < from {
			continue
		}
		b.ranges[b.nRanges] = memRange{phys(from), phys(from + size), load32(e + 16)}
		b.nRanges++
	}
	b.rsdp = phys(load64(bp + bpRSDP))
	from := phys(load32(bp+bpRamdisk)) | phys(load32(bp+bpExtRamdisk))<<32
	size := phys(load32(bp+bpRDSize)) | phys(load32(bp+bpExtRDSize))<<32
	b.initrd = memRange{from: from, to: from + size}
	cmd := phys(load32(bp+bpCmdline)) | phys(load32(bp+bpExtCmdline))<<32
	for cmd != 0 && b.nCmdline < len(b.cmdline)-1 {
		ch := load8(physPtr(cmd) + uintptr(b.nCmdline))
		if ch == 0 {
			break
		}
		b.cmdline[b.nCmdline] = ch
		b.nCmdline++
	}
}

// reserved says whether a frame belongs to the image or the loader's files;
// if so it gives the first address after that thing.
func reservedEnd(p phys) (phys, bool) {
	b := &bootInfo
	list := [3]memRange{
		{from: 0, to: 1 << 20},
		{from: phys(b.hand.ReservedPhys), to: phys(b.hand.ReservedPhys + b.hand.ReservedSize)},
		b.initrd,
	}
	for i := range list {
		if p >= list[i].from && p < list[i].to {
			return (list[i].to + pageSize - 1) &^ (pageSize - 1), true
		}
	}
	return 0, false
}

// nextReserved gives the start of the first reserved thing in [from, to).
func nextReserved(from, to phys) phys {
	b := &bootInfo
	for _, r := range [2]phys{phys(b.hand.ReservedPhys), b.initrd.from} {
		if r > from && r < to {
			to = r
		}
	}
	return to
}

// eachFree calls f with the parts of RAM that nothing occupies.
func eachFree(f func(from, to phys)) {
	b := &bootInfo
	for i := 0; i < b.nRanges; i++ {
		r := &b.ranges[i]
		if r.kind != e820RAM {
			continue
		}
		p := (r.from + pageSize - 1) &^ (pageSize - 1)
		for p < r.to {
			if end, ok := reservedEnd(p); ok {
				p = end
				continue
			}
			to := nextReserved(p, r.to) &^ (pageSize - 1)
			if to <= p {
				break
			}
			f(p, to)
			p = to
		}
	}
}
