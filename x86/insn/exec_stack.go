package insn

import "ringo/x86"

// stackSize is the width of the stack pointer in bytes: 8 in 64-bit mode, else
// as the B bit of SS says.
func (e *Emulator) stackSize() uint8 {
	switch {
	case e.mode == Mode64:
		return 8
	case e.s.Seg[x86.SS].Attr&x86.AttrDB != 0:
		return 4
	}
	return 2
}

// moveStack gives RSP moved by n, within the stack pointer's width.
func (e *Emulator) moveStack(n int64) uint64 {
	mask := sizeMask(e.stackSize())
	sp := e.s.GPR[x86.RSP]
	return sp&^mask | (sp+uint64(n))&mask
}

// pushSize is the operand size of PUSH and POP: 8 bytes in 64-bit mode, or 2
// with an operand size prefix.
func (e *Emulator) pushSize() uint8 {
	if e.mode == Mode64 && e.in.OpSize == 4 {
		return 8
	}
	return e.in.OpSize
}

// doPush executes PUSH of a register, an immediate or memory.
func (e *Emulator) doPush() error {
	in := e.in
	src := &in.Args[0]
	if src.Kind == KindMem {
		if err := e.prepare(); err != nil {
			return err
		}
	}
	size := e.pushSize()
	sp := e.moveStack(-int64(size))
	stack, err := e.translate(x86.SS, sp&sizeMask(e.stackSize()), size, AccessWrite)
	if err != nil {
		return err
	}
	v, err := e.get(src)
	if err != nil {
		return err
	}
	if err := e.store(&stack, v); err != nil {
		return err
	}
	e.s.GPR[x86.RSP] = sp
	return nil
}

// doPop executes POP to a register or memory. An address with RSP as its base
// is computed after RSP has moved.
func (e *Emulator) doPop() error {
	in := e.in
	dst := &in.Args[0]
	if dst.Kind != KindReg && dst.Kind != KindMem {
		return ErrUnsupported
	}
	size := e.pushSize()
	old := e.s.GPR[x86.RSP]
	stack, err := e.translate(x86.SS, old&sizeMask(e.stackSize()), size, 0)
	if err != nil {
		return err
	}
	sp := e.moveStack(int64(size))
	if dst.Kind == KindMem {
		e.s.GPR[x86.RSP] = sp
		err = e.prepare()
		e.s.GPR[x86.RSP] = old
		if err != nil {
			return err
		}
	}
	v, err := e.load(&stack)
	if err != nil {
		return err
	}
	if dst.Kind == KindMem {
		if err := e.put(dst, v); err != nil {
			return err
		}
	}
	e.s.GPR[x86.RSP] = sp
	if dst.Kind == KindReg {
		e.setReg(dst, v)
	}
	return nil
}
