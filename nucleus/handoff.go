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

// maxPhys bounds host-physical addresses (SDM volume 3A, section 4.1.4
// "Enumeration of Paging Features by CPUID").
const maxPhys = 1 << 52

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
		if size == 0 || from > maxPhys || size > maxPhys-from {
			continue
		}
		b.ranges[b.nRanges] = memRange{phys(from), phys(from + size), load32(e + 16)}
		b.nRanges++
	}
	b.rsdp = phys(load64(bp + bpRSDP))
	from := phys(load32(bp+bpRamdisk)) | phys(load32(bp+bpExtRamdisk))<<32
	size := phys(load32(bp+bpRDSize)) | phys(load32(bp+bpExtRDSize))<<32
	if from <= maxPhys && size <= maxPhys-from {
		b.initrd = memRange{from: from, to: from + size}
	}
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

// fixedReserved are the first MiB, the image and the loader's file.
func fixedReserved() [3]memRange {
	b := &bootInfo
	return [3]memRange{
		{from: 0, to: 1 << 20},
		{from: phys(b.hand.ReservedPhys), to: phys(b.hand.ReservedPhys + b.hand.ReservedSize)},
		b.initrd,
	}
}

// taken says that entry j of the map takes memory from entry i, which is RAM:
// another kind wins where the firmware's entries overlap, and of two that are
// RAM the first.
func taken(i, j int) bool { return bootInfo.ranges[j].kind != e820RAM || j < i }

// reservedEnd says whether an address of entry i of the map belongs to
// something else; if so it gives the first frame after that thing.
func reservedEnd(i int, p phys) (end phys, ok bool) {
	for _, r := range fixedReserved() {
		if p >= r.from && p < r.to {
			end, ok = max(end, r.to), true
		}
	}
	for j := 0; j < bootInfo.nRanges; j++ {
		if r := &bootInfo.ranges[j]; taken(i, j) && p >= r.from && p < r.to {
			end, ok = max(end, r.to), true
		}
	}
	return (end + pageSize - 1) &^ (pageSize - 1), ok
}

// nextReserved gives the start of the first reserved thing in [from, to) of
// entry i of the map, or to.
func nextReserved(i int, from, to phys) phys {
	for _, r := range fixedReserved() {
		if r.to > r.from && r.from >= from && r.from < to {
			to = r.from
		}
	}
	for j := 0; j < bootInfo.nRanges; j++ {
		if r := &bootInfo.ranges[j]; taken(i, j) && r.from >= from && r.from < to {
			to = r.from
		}
	}
	return to
}

// eachFree calls f with the parts of RAM that nothing occupies, in whole
// frames.
func eachFree(f func(from, to phys)) {
	b := &bootInfo
	for i := 0; i < b.nRanges; i++ {
		r := &b.ranges[i]
		if r.kind != e820RAM {
			continue
		}
		p := (r.from + pageSize - 1) &^ (pageSize - 1)
		for p < r.to {
			if end, ok := reservedEnd(i, p); ok {
				p = end
				continue
			}
			to := nextReserved(i, p, r.to) &^ (pageSize - 1)
			if to <= p {
				p += pageSize // something begins inside this frame
				continue
			}
			f(p, to)
			p = to
		}
	}
}
