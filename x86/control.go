package x86

// Bits of CR0 (SDM volume 3A, section 2.5 "Control Registers").
const (
	CR0PE = 1 << 0
	CR0MP = 1 << 1
	CR0EM = 1 << 2
	CR0TS = 1 << 3
	CR0ET = 1 << 4
	CR0NE = 1 << 5
	CR0WP = 1 << 16
	CR0AM = 1 << 18
	CR0NW = 1 << 29
	CR0CD = 1 << 30
	CR0PG = 1 << 31

	// CR0Valid are the bits that software may set; a set bit in 63:32 gives
	// #GP, another reserved bit is ignored.
	CR0Valid = CR0PE | CR0MP | CR0EM | CR0TS | CR0ET | CR0NE | CR0WP | CR0AM | CR0NW | CR0CD | CR0PG
)

// Fields of CR3 and CR8 (SDM volume 3A, table "Use of CR3 with 4-Level Paging").
const (
	CR3PWT      = 1 << 3
	CR3PCD      = 1 << 4
	CR3PCIDMask = 0xFFF
	CR3NoFlush  = 1 << 63
	CR3Mask32   = 0xFFFFF000
	CR3MaskPAE  = 0xFFFFFFE0
	CR3MaskLong = 0x000FFFFFFFFFF000
	CR3LAMU57   = 1 << 61
	CR3LAMU48   = 1 << 62
	CR8Valid    = 0xF
	CR8TPRShift = 4 // CR8 is bits 7:4 of the task priority register
)

// Bits of CR4.
const (
	CR4VME        = 1 << 0
	CR4PVI        = 1 << 1
	CR4TSD        = 1 << 2
	CR4DE         = 1 << 3
	CR4PSE        = 1 << 4
	CR4PAE        = 1 << 5
	CR4MCE        = 1 << 6
	CR4PGE        = 1 << 7
	CR4PCE        = 1 << 8
	CR4OSFXSR     = 1 << 9
	CR4OSXMMEXCPT = 1 << 10
	CR4UMIP       = 1 << 11
	CR4LA57       = 1 << 12
	CR4VMXE       = 1 << 13
	CR4SMXE       = 1 << 14
	CR4FSGSBASE   = 1 << 16
	CR4PCIDE      = 1 << 17
	CR4OSXSAVE    = 1 << 18
	CR4KL         = 1 << 19
	CR4SMEP       = 1 << 20
	CR4SMAP       = 1 << 21
	CR4PKE        = 1 << 22
	CR4CET        = 1 << 23
	CR4PKS        = 1 << 24
	CR4UINTR      = 1 << 25
	CR4LASS       = 1 << 27
	CR4LAMSUP     = 1 << 28
	CR4FRED       = 1 << 32
)

// Bits of EFER (SDM volume 3A, section 2.2.1 "Extended Feature Enable
// Register"; APM volume 2, section 3.1.7).
const (
	EFERSCE   = 1 << 0
	EFERLME   = 1 << 8
	EFERLMA   = 1 << 10
	EFERNXE   = 1 << 11
	EFERSVME  = 1 << 12
	EFERLMSLE = 1 << 13
	EFERFFXSR = 1 << 14
	EFERTCE   = 1 << 15
	EFERMCOM  = 1 << 17 // MCOMMIT
	EFERINTWB = 1 << 18
	EFERUAIE  = 1 << 20 // upper address ignore
	EFERIBRS  = 1 << 21 // automatic IBRS
)
