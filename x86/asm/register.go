package asm

// Reg is a register operand: its class in the high byte, its number in the
// low one. The zero Reg is no register.
type Reg uint16

// Register classes.
const (
	classGPR8 Reg = (iota + 1) << 8
	classHigh     // AH to BH: not together with a REX prefix
	classGPR16
	classGPR32
	classGPR64
	classSeg
	classCR
	classDR
	classXMM
	classYMM
	classIP

	classMask Reg = 0xff00
)

// Byte registers.
const (
	AL Reg = classGPR8 | iota
	CL
	DL
	BL
	SPL
	BPL
	SIL
	DIL
	R8B
	R9B
	R10B
	R11B
	R12B
	R13B
	R14B
	R15B
)

// The second byte of the first four registers.
const (
	AH Reg = classHigh | (iota + 4)
	CH
	DH
	BH
)

// 16-bit registers.
const (
	AX Reg = classGPR16 | iota
	CX
	DX
	BX
	SP
	BP
	SI
	DI
	R8W
	R9W
	R10W
	R11W
	R12W
	R13W
	R14W
	R15W
)

// 32-bit registers.
const (
	EAX Reg = classGPR32 | iota
	ECX
	EDX
	EBX
	ESP
	EBP
	ESI
	EDI
	R8D
	R9D
	R10D
	R11D
	R12D
	R13D
	R14D
	R15D
)

// 64-bit registers.
const (
	RAX Reg = classGPR64 | iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Segment registers.
const (
	ES Reg = classSeg | iota
	CS
	SS
	DS
	FS
	GS
)

// Control registers.
const (
	CR0 Reg = classCR
	CR2 Reg = classCR | 2
	CR3 Reg = classCR | 3
	CR4 Reg = classCR | 4
	CR8 Reg = classCR | 8
)

// Debug registers.
const (
	DR0 Reg = classDR
	DR1 Reg = classDR | 1
	DR2 Reg = classDR | 2
	DR3 Reg = classDR | 3
	DR6 Reg = classDR | 6
	DR7 Reg = classDR | 7
)

// The first vector registers; XMM and YMM give the others by number.
const (
	XMM0 Reg = classXMM
	YMM0 Reg = classYMM
)

// RIP may only be the base of a Mem.
const RIP Reg = classIP

// XMM returns vector register n, 0 to 15.
func XMM(n int) Reg { return classXMM | Reg(n&15) }

// YMM returns 256-bit vector register n, 0 to 15.
func YMM(n int) Reg { return classYMM | Reg(n&15) }

// GPR returns general-purpose register n (the manuals' number, 0 to 15) at a
// width of size bits.
func GPR(n, size int) Reg {
	switch size {
	case 8:
		return classGPR8 | Reg(n&15)
	case 16:
		return classGPR16 | Reg(n&15)
	case 32:
		return classGPR32 | Reg(n&15)
	}
	return classGPR64 | Reg(n&15)
}

func (r Reg) class() Reg  { return r & classMask }
func (r Reg) number() int { return int(r &^ classMask) }

func (r Reg) isGPR() bool { return r.class() >= classGPR8 && r.class() <= classGPR64 }

// size returns the width in bits of a general-purpose register, else 0.
func (r Reg) size() int {
	switch r.class() {
	case classGPR8, classHigh:
		return 8
	case classGPR16:
		return 16
	case classGPR32:
		return 32
	case classGPR64:
		return 64
	}
	return 0
}

// needsREX says that the register cannot be named without a REX prefix.
func (r Reg) needsREX() bool {
	return r.number() > 7 || r.class() == classGPR8 && r.number() > 3
}
