package x86

// Bits of DR6 (SDM volume 3B, section 18.2.3 "Debug Status Register (DR6)").
const (
	DR6B0       = 1 << 0
	DR6B1       = 1 << 1
	DR6B2       = 1 << 2
	DR6B3       = 1 << 3
	DR6BusLock  = 1 << 11 // active low
	DR6BD       = 1 << 13
	DR6BS       = 1 << 14
	DR6BT       = 1 << 15
	DR6RTM      = 1 << 16 // active low
	DR6Reserved = 0xFFFF0FF0
)

// Bits of DR7 (SDM volume 3B, section 18.2.4 "Debug Control Register (DR7)").
// Breakpoint n has R/Wn at bits 16+4n and LENn at 18+4n.
const (
	DR7L0       = 1 << 0
	DR7G0       = 1 << 1
	DR7L1       = 1 << 2
	DR7G1       = 1 << 3
	DR7L2       = 1 << 4
	DR7G2       = 1 << 5
	DR7L3       = 1 << 6
	DR7G3       = 1 << 7
	DR7LE       = 1 << 8
	DR7GE       = 1 << 9
	DR7Reserved = 1 << 10 // always 1
	DR7RTM      = 1 << 11
	DR7GD       = 1 << 13
	DR7RWShift  = 16
	DR7LENShift = 18

	// DR7Enable are the bits that enable any breakpoint.
	DR7Enable = 0xFF
)

// Bits of IA32_DEBUGCTL.
const (
	DebugCtlLBR = 1 << 0
	DebugCtlBTF = 1 << 1
)
