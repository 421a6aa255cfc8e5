package insn

import (
	"math/bits"

	"ringo/x86"
)

// resultFlags gives SF, ZF and PF of v, a value of size bytes.
func resultFlags(v uint64, size uint8) uint64 {
	v &= sizeMask(size)
	var f uint64
	if v == 0 {
		f |= x86.FlagZF
	}
	if v>>(8*size-1) != 0 {
		f |= x86.FlagSF
	}
	if bits.OnesCount8(uint8(v))&1 == 0 {
		f |= x86.FlagPF
	}
	return f
}

// add is a+b+carry with all status flags; operands are size bytes.
func add(a, b, carry uint64, size uint8) (uint64, uint64) {
	mask, sign := sizeMask(size), uint64(1)<<(8*size-1)
	a, b = a&mask, b&mask
	sum, out := bits.Add64(a, b, carry)
	v := sum & mask
	f := resultFlags(v, size)
	if out != 0 || sum != v {
		f |= x86.FlagCF
	}
	if (a^v)&(b^v)&sign != 0 {
		f |= x86.FlagOF
	}
	return v, f | (a^b^v)&x86.FlagAF
}

// sub is a-b-borrow with all status flags.
func sub(a, b, borrow uint64, size uint8) (uint64, uint64) {
	mask, sign := sizeMask(size), uint64(1)<<(8*size-1)
	a, b = a&mask, b&mask
	diff, out := bits.Sub64(a, b, borrow)
	v := diff & mask
	f := resultFlags(v, size)
	if out != 0 {
		f |= x86.FlagCF
	}
	if (a^b)&(a^v)&sign != 0 {
		f |= x86.FlagOF
	}
	return v, f | (a^b^v)&x86.FlagAF
}

// logic gives the flags of AND, OR, XOR and TEST: CF and OF are 0. AF, which
// the manuals leave undefined, is 0 as on all processors.
func logic(v uint64, size uint8) (uint64, uint64) {
	return v & sizeMask(size), resultFlags(v, size)
}

// alu computes an instruction of one or two operands. flags is RFLAGS before;
// it returns the result and the status flags after.
func alu(act action, a, b, flags uint64, size uint8) (uint64, uint64) {
	carry := flags & x86.FlagCF
	switch act {
	case actAdd:
		return add(a, b, 0, size)
	case actAdc:
		return add(a, b, carry, size)
	case actSub, actCmp:
		return sub(a, b, 0, size)
	case actSbb:
		return sub(a, b, carry, size)
	case actAnd, actTest:
		return logic(a&b, size)
	case actOr:
		return logic(a|b, size)
	case actXor:
		return logic(a^b, size)
	case actNeg:
		return sub(0, a, 0, size)
	case actInc:
		v, f := add(a, 1, 0, size)
		return v, f&^x86.FlagCF | carry
	case actDec:
		v, f := sub(a, 1, 0, size)
		return v, f&^x86.FlagCF | carry
	}
	return ^a & sizeMask(size), flags & x86.FlagsStatus // NOT
}

// condition evaluates the condition that the low four bits of an opcode name
// (SDM volume 1, appendix B "EFLAGS Condition Codes").
func condition(code uint8, flags uint64) bool {
	has := func(m uint64) bool { return flags&m != 0 }
	var c bool
	switch code >> 1 & 7 {
	case 0:
		c = has(x86.FlagOF)
	case 1:
		c = has(x86.FlagCF)
	case 2:
		c = has(x86.FlagZF)
	case 3:
		c = has(x86.FlagCF | x86.FlagZF)
	case 4:
		c = has(x86.FlagSF)
	case 5:
		c = has(x86.FlagPF)
	case 6:
		c = has(x86.FlagSF) != has(x86.FlagOF)
	case 7:
		c = has(x86.FlagZF) || has(x86.FlagSF) != has(x86.FlagOF)
	}
	return c != (code&1 != 0)
}
