package insn

import (
	"math/bits"

	"ringo/x86"
)

// doMove executes MOV and the like.
func (e *Emulator) doMove() error {
	in := e.in
	dst, src := &in.Args[0], &in.Args[1]
	v, err := e.get(src)
	if err != nil {
		return err
	}
	switch in.act {
	case actMovsx:
		shift := 64 - 8*uint(src.Size)
		v = uint64(int64(v<<shift) >> shift)
	case actMovbe:
		v = bits.ReverseBytes64(v) >> (64 - 8*uint(src.Size))
	}
	return e.put(dst, v)
}

// doALU executes an arithmetic or logic instruction, with or without LOCK.
func (e *Emulator) doALU() error {
	in := e.in
	dst, src := &in.Args[0], &in.Args[1]
	a, err := e.get(dst)
	if err != nil {
		return err
	}
	var b uint64
	if src.Kind != KindNone {
		if b, err = e.get(src); err != nil {
			return err
		}
	}
	v, flags := alu(in.act, a, b, e.s.RFLAGS, dst.Size)
	if in.act != actCmp && in.act != actTest {
		if err := e.replace(dst, a, v); err != nil {
			return err
		}
	}
	e.setFlags(x86.FlagsStatus, flags)
	return nil
}

// replace writes v to an operand that held old, atomically under LOCK.
func (e *Emulator) replace(o *Operand, old, v uint64) error {
	if o.Kind == KindMem {
		return e.swap(&e.mem, old, v, e.in.Lock)
	}
	return e.put(o, v)
}

// doOther executes the exchanges, the bit instructions and those that depend
// on a condition.
func (e *Emulator) doOther() error {
	in := e.in
	switch in.act {
	case actXchg:
		return e.doXchg()
	case actXadd:
		return e.doXadd()
	case actCmpxchg:
		return e.doCmpxchg()
	case actCmpxchgPair:
		return e.doCmpxchgPair()
	case actBt, actBts, actBtr, actBtc:
		return e.doBit()
	case actSetcc:
		v := uint64(0)
		if condition(in.Opcode, e.s.RFLAGS) {
			v = 1
		}
		return e.put(&in.Args[0], v)
	case actCmovcc:
		return e.doCmov()
	}
	return nil // actNop
}

// doCmov reads its source even if the condition is false, and then still
// clears the upper half of a 32-bit destination.
func (e *Emulator) doCmov() error {
	dst, src := &e.in.Args[0], &e.in.Args[1]
	v, err := e.get(src)
	if err != nil {
		return err
	}
	if !condition(e.in.Opcode, e.s.RFLAGS) {
		v = e.reg(dst)
	}
	return e.put(dst, v)
}

// doXchg is always locked. Either operand may be the one in memory.
func (e *Emulator) doXchg() error {
	a, b := &e.in.Args[0], &e.in.Args[1]
	if b.Kind == KindMem {
		a, b = b, a
	}
	old, err := e.get(a)
	if err != nil {
		return err
	}
	v := e.reg(b)
	if a.Kind == KindMem {
		err = e.swap(&e.mem, old, v, true)
	} else {
		err = e.put(a, v)
	}
	if err != nil {
		return err
	}
	e.setReg(b, old)
	return nil
}

// doXadd writes the source register first, so that XADD of a register with
// itself leaves the sum.
func (e *Emulator) doXadd() error {
	dst, src := &e.in.Args[0], &e.in.Args[1]
	old, err := e.get(dst)
	if err != nil {
		return err
	}
	v, flags := add(old, e.reg(src), 0, dst.Size)
	if dst.Kind == KindMem {
		if err := e.replace(dst, old, v); err != nil {
			return err
		}
		e.setReg(src, old)
	} else {
		e.setReg(src, old)
		e.setReg(dst, v)
	}
	e.setFlags(x86.FlagsStatus, flags)
	return nil
}

// doCmpxchg writes memory in either case, as the processor does.
func (e *Emulator) doCmpxchg() error {
	dst, src := &e.in.Args[0], &e.in.Args[1]
	acc := Operand{Kind: KindReg, Reg: x86.RAX, Size: dst.Size}
	old, err := e.get(dst)
	if err != nil {
		return err
	}
	diff, flags := sub(e.reg(&acc), old, 0, dst.Size)
	if diff == 0 {
		err = e.replace(dst, old, e.reg(src))
	} else if dst.Kind == KindMem {
		err = e.replace(dst, old, old)
	}
	if err != nil {
		return err
	}
	if diff != 0 {
		e.setReg(&acc, old)
	}
	e.setFlags(x86.FlagsStatus, flags)
	return nil
}

// doCmpxchgPair is CMPXCHG8B and CMPXCHG16B.
func (e *Emulator) doCmpxchgPair() error {
	size := e.in.memSize()
	g := &e.s.GPR
	half := size / 2
	mask := sizeMask(half)
	want := [2]uint64{g[x86.RAX] & mask, g[x86.RDX] & mask}
	fresh := [2]uint64{g[x86.RBX] & mask, g[x86.RCX] & mask}
	old, err := e.loadPair(size)
	if err != nil {
		return err
	}
	equal := old == want
	if !equal {
		fresh = old
	}
	if err := e.swapPair(size, old, fresh); err != nil {
		return err
	}
	var flags uint64
	if equal {
		flags = x86.FlagZF
	} else {
		g[x86.RAX], g[x86.RDX] = old[0], old[1]
	}
	e.setFlags(x86.FlagZF, flags)
	return nil
}

// loadPair reads the prepared operand as two halves.
func (e *Emulator) loadPair(size uint8) ([2]uint64, error) {
	if size == 16 {
		return e.loadVector(&e.mem, size)
	}
	v, err := e.load(&e.mem)
	return [2]uint64{v & 0xFFFFFFFF, v >> 32}, err
}

// swapPair writes the prepared operand where old was read.
func (e *Emulator) swapPair(size uint8, old, v [2]uint64) error {
	if size != 16 {
		return e.swap(&e.mem, old[0]|old[1]<<32, v[0]|v[1]<<32, e.in.Lock)
	}
	if !e.in.Lock {
		return e.storeVector(&e.mem, size, v)
	}
	swapped, err := e.m.CompareAndSwap16(e.mem.gpa[0], old, v)
	if err == nil && !swapped {
		err = ErrAgain
	}
	return err
}

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
