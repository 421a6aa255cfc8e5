package insn

import "ringo/x86"

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
