package x86

// Bits of a page fault's error code (SDM volume 3A, figure "Page-Fault Error
// Code").
const (
	PFPresent  = 1 << 0 // the translation was there; its rights were not enough
	PFWrite    = 1 << 1
	PFUser     = 1 << 2
	PFReserved = 1 << 3 // a reserved bit was set in an entry
	PFFetch    = 1 << 4
	PFPK       = 1 << 5 // protection key
	PFSS       = 1 << 6 // shadow stack
	PFHLAT     = 1 << 7
	PFSGX      = 1 << 15
	PFRMP      = 1 << 31 // AMD: reverse map table
)

// Bits of a paging-structure entry (SDM volume 3A, figure "Formats of CR3 and
// Paging-Structure Entries").
const (
	PTEPresent   = 1 << 0
	PTEWrite     = 1 << 1
	PTEUser      = 1 << 2
	PTEPWT       = 1 << 3
	PTEPCD       = 1 << 4
	PTEAccessed  = 1 << 5
	PTEDirty     = 1 << 6
	PTEPageSize  = 1 << 7  // in an entry that is not of the last level
	PTEPAT       = 1 << 7  // in an entry of the last level
	PTEGlobal    = 1 << 8  // in an entry that maps a page
	PTEPATLarge  = 1 << 12 // in an entry that maps a large page
	PTENX        = 1 << 63
	PTEAddrMask  = 0x000FFFFFFFFFF000 // of 8-byte entries
	PTEPKeyShift = 59                 // protection key, 4 bits
)

// Sizes of pages in bytes and of addresses in bits.
const (
	PageShift    = 12
	PageSize4K   = 1 << 12
	PageSize2M   = 1 << 21
	PageSize4M   = 1 << 22
	PageSize1G   = 1 << 30
	PageOffset4K = PageSize4K - 1
	MaxPhysBits  = 52
	LinearBits4  = 48 // 4-level paging
	LinearBits5  = 57 // 5-level paging
)

// IsCanonical tells whether bits 63 down to linearBits-1 of a are all equal;
// linearBits is LinearBits4 or LinearBits5.
func IsCanonical(a uint64, linearBits uint) bool {
	shift := 64 - linearBits
	return uint64(int64(a<<shift)>>shift) == a
}
