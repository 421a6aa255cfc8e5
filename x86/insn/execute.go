package insn

import "ringo/x86"

// execute runs the decoded instruction.
func (e *Emulator) execute() error {
	in := e.in
	switch in.act {
	case actNone:
		return ErrUnsupported
	case actNop:
		return nil // a memory operand is not accessed
	case actPort:
		return e.doPort()
	case actString:
		return e.doString()
	case actVector:
		return e.doVector()
	case actPush:
		return e.doPush()
	case actPop:
		return e.doPop()
	case actOwner, actOwnerPrivileged:
		return e.doOwner()
	case actReadCR, actWriteCR, actReadDR, actWriteDR, actCLTS, actLMSW, actSMSW:
		return e.doSystem()
	}
	if in.IsMem() {
		if err := e.prepare(); err != nil {
			return err
		}
	}
	switch {
	case in.act <= actMovbe:
		return e.doMove()
	case in.act <= actDec:
		return e.doALU()
	}
	return e.doOther()
}

// prepare translates the explicit memory operand for what the instruction does
// to it, so that nothing has happened yet when it faults.
func (e *Emulator) prepare() error {
	in := e.in
	offset := e.effective(&in.Mem, in.AddrSize)
	size := in.memSize()
	if in.isBitString() {
		offset = e.bitOffset(offset, size)
	}
	var access Access
	if in.writesMem() {
		access = AccessWrite
	}
	if in.act == actCmpxchgPair && size == 16 {
		if err := e.aligned16(in.Mem.Seg, offset); err != nil {
			return err
		}
	}
	access = e.rights(access)
	lin, err := e.linear(in.Mem.Seg, offset, size, access)
	if err != nil {
		return err
	}
	if e.Known.covers(lin, size, access) {
		e.mem = span{gpa: [2]uint64{e.Known.GPA}, size: [2]uint8{size}}
		return nil
	}
	e.mem, err = e.translateLinear(lin, size, access)
	return err
}

// aligned16 raises #GP(0) for a linear address that is not a multiple of 16.
func (e *Emulator) aligned16(seg uint8, offset uint64) error {
	if e.mode != Mode64 || seg == x86.FS || seg == x86.GS {
		offset += e.s.Seg[seg].Base
	}
	if offset&15 != 0 {
		return e.gp()
	}
	return nil
}

// memSize is the width of the memory operand in bytes.
func (in *Inst) memSize() uint8 {
	if in.Args[0].Kind == KindMem {
		return in.Args[0].Size
	}
	return in.Args[1].Size
}

// writesMem tells whether the memory operand is written.
func (in *Inst) writesMem() bool {
	switch in.act {
	case actCmp, actTest, actBt, actPush, actLMSW:
		return false
	case actXchg:
		return true
	}
	return in.Args[0].Kind == KindMem
}

// get reads an operand, zero-extended; memory is the prepared operand.
func (e *Emulator) get(o *Operand) (uint64, error) {
	switch o.Kind {
	case KindReg:
		return e.reg(o), nil
	case KindMem:
		return e.load(&e.mem)
	case KindImm:
		return uint64(e.in.Imm), nil
	case KindSeg:
		return uint64(e.s.Seg[o.Reg&7].Selector), nil
	}
	return 0, ErrUnsupported
}

// put writes an operand.
func (e *Emulator) put(o *Operand, v uint64) error {
	switch o.Kind {
	case KindReg:
		e.setReg(o, v)
		return nil
	case KindMem:
		return e.store(&e.mem, v)
	}
	return ErrUnsupported
}

// reg reads a general register.
func (e *Emulator) reg(o *Operand) uint64 { return o.register(&e.s.GPR) }

// setReg writes a general register.
func (e *Emulator) setReg(o *Operand, v uint64) { o.setRegister(&e.s.GPR, v) }

// register is the value of a general register.
func (o *Operand) register(gpr *[x86.NumGPR]uint64) uint64 {
	v := gpr[o.Reg&15]
	if o.High {
		v >>= 8
	}
	return v & sizeMask(o.Size)
}

// setRegister writes a general register: 4 bytes clear the upper half, 1 and
// 2 leave the rest.
func (o *Operand) setRegister(gpr *[x86.NumGPR]uint64, v uint64) {
	r := &gpr[o.Reg&15]
	switch {
	case o.High:
		*r = *r&^0xFF00 | v&0xFF<<8
	case o.Size >= 4:
		*r = v & sizeMask(o.Size)
	default:
		mask := sizeMask(o.Size)
		*r = *r&^mask | v&mask
	}
}

// setFlags replaces the flags in mask.
func (e *Emulator) setFlags(mask, flags uint64) {
	e.s.RFLAGS = e.s.RFLAGS&^mask | flags&mask | x86.FlagReserved1
}
