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
		v = signExtend(v, src.Size)
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
	case actCmovcc:
		return e.doCmov()
	}
	v := uint64(0) // SETcc
	if condition(in.Opcode, e.s.RFLAGS) {
		v = 1
	}
	return e.put(&in.Args[0], v)
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
