package insn

import (
	"math/bits"

	"ringo/x86"
)

// isBitString tells whether the bit number may reach past the memory operand.
func (in *Inst) isBitString() bool {
	return in.act >= actBt && in.act <= actBtc && in.Args[1].Kind == KindReg
}

// bitOffset moves a bit string's address to the element that holds the bit; the
// bit number is signed.
func (e *Emulator) bitOffset(offset uint64, size uint8) uint64 {
	shift := 64 - 8*uint(size)
	n := int64(e.reg(&e.in.Args[1])<<shift) >> shift
	log := bits.TrailingZeros8(8 * size)
	return (offset + uint64(n>>log*int64(size))) & sizeMask(e.in.AddrSize)
}

// doBit executes BT, BTS, BTR and BTC. Only CF changes.
func (e *Emulator) doBit() error {
	in := e.in
	dst := &in.Args[0]
	n, err := e.get(&in.Args[1])
	if err != nil {
		return err
	}
	old, err := e.get(dst)
	if err != nil {
		return err
	}
	bit := uint64(1) << (n & uint64(8*dst.Size-1))
	v := old
	switch in.act {
	case actBts:
		v |= bit
	case actBtr:
		v &^= bit
	case actBtc:
		v ^= bit
	}
	if in.act != actBt {
		if err := e.replace(dst, old, v); err != nil {
			return err
		}
	}
	var cf uint64
	if old&bit != 0 {
		cf = x86.FlagCF
	}
	e.setFlags(x86.FlagCF, cf)
	return nil
}
