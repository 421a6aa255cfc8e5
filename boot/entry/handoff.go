package entry

// Magic is Handoff.Magic: "RINGOHO1", the first letter in the lowest byte.
const Magic = 0x314f484f474e4952

// MaxSegments is how many segments of the image a Handoff describes.
const MaxSegments = 8

// DirectMap is the virtual address at which the boot page tables map the
// first 4 GiB of physical memory without exception.
const DirectMap = 0xffff_8000_0000_0000

// Handoff is what the entry code tells the host, in memory, little-endian.
// The host may read it as this structure or at the offsets below.
type Handoff struct {
	Magic      uint64 // 0x00: Magic
	BootParams uint64 // 0x08: physical address of the loader's boot_params page
	ImagePhys  uint64 // 0x10: where the image's first byte was loaded
	ImageVirt  uint64 // 0x18: where it is linked
	ImageSize  uint64 // 0x20: bytes of it, bss included, whole pages
	// ReservedPhys and ReservedSize are everything that the entry code
	// occupies: head, boot stack, image, boot page tables. They are not marked
	// in the loader's memory map.
	ReservedPhys     uint64 // 0x28
	ReservedSize     uint64 // 0x30
	APTrampoline     uint64 // 0x38: physical address of the AP blob
	APTrampolineSize uint64 // 0x40: bytes
	EntryTSC         uint64 // 0x48: RDTSC at the 32 or 64-bit entry
	ProtocolEntry    uint64 // 0x50: 16, 32 or 64: the entry that the loader used
	// Segments are the image's loadable segments in order of address; those
	// not used are zero.
	Segments [MaxSegments]Segment // 0x58, 24 bytes each
}

// Segment is one loadable segment of the image.
type Segment struct {
	Virt  uint64 // linked address
	Size  uint64 // bytes in memory
	Flags uint64 // SegmentX, SegmentW, SegmentR
}

// Access of a segment, as ELF's p_flags has it.
const (
	SegmentX = 1
	SegmentW = 2
	SegmentR = 4
)

// Offsets in Handoff.
const (
	HandoffMagic            = 0x00
	HandoffBootParams       = 0x08
	HandoffImagePhys        = 0x10
	HandoffImageVirt        = 0x18
	HandoffImageSize        = 0x20
	HandoffReservedPhys     = 0x28
	HandoffReservedSize     = 0x30
	HandoffAPTrampoline     = 0x38
	HandoffAPTrampolineSize = 0x40
	HandoffEntryTSC         = 0x48
	HandoffProtocolEntry    = 0x50
	HandoffSegments         = 0x58
	HandoffSize             = HandoffSegments + MaxSegments*24
)
