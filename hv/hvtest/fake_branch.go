package hvtest

import (
	"ringo/x86"
	"ringo/x86/insn"
)

// branch executes jumps, calls and returns.
func (v *fakeCPU) branch(in *insn.Inst) error {
	s := &v.s
	next := s.RIP + uint64(in.Len)
	target := next + uint64(in.Imm)
	var err error
	switch in.Op {
	case opLJMP:
		return v.farJump(in)
	case opIRET, opIRETD, opIRETQ:
		return v.iret(in)
	case opRET:
		if target, err = v.pop(v.pushSize(in)); err != nil {
			return err
		}
	case opCALL:
		if target, err = v.target(in, target); err != nil {
			return err
		}
		if err = v.push(next, v.pushSize(in)); err != nil {
			return err
		}
	case opJMP:
		if target, err = v.target(in, target); err != nil {
			return err
		}
	case opLOOP:
		s.GPR[x86.RCX]--
		if s.GPR[x86.RCX] == 0 {
			target = next
		}
	default:
		if !holds(in.Opcode&0xF, s.RFLAGS) {
			target = next
		}
	}
	return v.jump(target)
}

// target is where a near jump or call goes: relative, or through r/m.
func (v *fakeCPU) target(in *insn.Inst, relative uint64) (uint64, error) {
	if k := in.Args[0].Kind; k == insn.KindReg || k == insn.KindMem {
		return v.operand(in, in.Args[0], v.pushSize(in))
	}
	return relative, nil
}

// jump sets RIP and ends the instruction.
func (v *fakeCPU) jump(target uint64) error {
	switch insn.ModeOf(&v.s) {
	case insn.Mode16:
		target &= 0xFFFF
	case insn.Mode32:
		target &= 0xFFFF_FFFF
	default:
		if !x86.IsCanonical(target, v.s.LinearBits()) {
			return &insn.Fault{Vector: x86.VectorGP, HasError: true}
		}
	}
	if !v.s.Mode64() && target > uint64(v.s.Seg[x86.CS].Limit) {
		return &insn.Fault{Vector: x86.VectorGP, HasError: v.s.CR0&x86.CR0PE != 0}
	}
	v.s.RIP = target
	v.s.Interrupt.STIShadow, v.s.Interrupt.MovSSShadow = false, false
	return nil
}

// holds tells whether a condition code is true (SDM volume 1, appendix B
// "EFLAGS Condition Codes").
func holds(cc uint8, flags uint64) bool {
	has := func(f uint64) bool { return flags&f != 0 }
	var t bool
	switch cc >> 1 {
	case 0:
		t = has(x86.FlagOF)
	case 1:
		t = has(x86.FlagCF)
	case 2:
		t = has(x86.FlagZF)
	case 3:
		t = has(x86.FlagCF | x86.FlagZF)
	case 4:
		t = has(x86.FlagSF)
	case 5:
		t = has(x86.FlagPF)
	case 6:
		t = has(x86.FlagSF) != has(x86.FlagOF)
	case 7:
		t = has(x86.FlagZF) || has(x86.FlagSF) != has(x86.FlagOF)
	}
	return t != (cc&1 != 0)
}

// pushSize is the width in bytes of what a near branch or PUSHF moves.
func (v *fakeCPU) pushSize(in *insn.Inst) uint8 {
	if in.Mode == insn.Mode64 {
		return 8
	}
	return in.OpSize
}

func (v *fakeCPU) push(value uint64, size uint8) error {
	mask := ^uint64(0) >> (64 - 8*uint(v.stackSize()))
	sp := v.s.GPR[x86.RSP]
	sp = sp&^mask | (sp-uint64(size))&mask
	if err := v.mem.write(v.mem.segment(x86.SS, sp&mask), size, value); err != nil {
		return err
	}
	v.s.GPR[x86.RSP] = sp
	return nil
}

func (v *fakeCPU) pop(size uint8) (uint64, error) {
	mask := ^uint64(0) >> (64 - 8*uint(v.stackSize()))
	sp := v.s.GPR[x86.RSP]
	value, err := v.mem.read(v.mem.segment(x86.SS, sp&mask), size)
	if err == nil {
		v.s.GPR[x86.RSP] = sp&^mask | (sp+uint64(size))&mask
	}
	return value, err
}

// farJump is JMP ptr16:16 or ptr16:32, within the privilege level.
func (v *fakeCPU) farJump(in *insn.Inst) error {
	if in.IsMem() {
		return insn.ErrUnsupported
	}
	at := v.mem.segment(x86.CS, v.s.RIP+uint64(in.Len)-2-uint64(in.OpSize))
	offset, err := v.mem.read(at, in.OpSize)
	if err != nil {
		return err
	}
	sel, err := v.mem.read(at+uint64(in.OpSize), 2)
	if err != nil {
		return err
	}
	cs, err := v.descriptor(uint16(sel))
	if err != nil {
		return err
	}
	v.s.Seg[x86.CS] = cs
	return v.jump(offset)
}

// iret returns within the privilege level; in 64-bit mode it also loads the
// stack.
func (v *fakeCPU) iret(in *insn.Inst) error {
	s := &v.s
	size := in.OpSize
	n := 3
	if s.Mode64() {
		n = 5
	}
	var frame [5]uint64
	sp := s.GPR[x86.RSP]
	for i := range frame[:n] {
		w, err := v.pop(size)
		if err != nil {
			s.GPR[x86.RSP] = sp
			return err
		}
		frame[i] = w
	}
	cs, err := v.descriptor(uint16(frame[1]))
	if err != nil {
		s.GPR[x86.RSP] = sp
		return err
	}
	s.Seg[x86.CS] = cs
	keep := uint64(0)
	if size == 2 {
		keep = s.RFLAGS &^ 0xFFFF
	}
	s.RFLAGS = keep | frame[2] | x86.FlagReserved1
	if n == 5 {
		s.GPR[x86.RSP] = frame[3]
	}
	s.Interrupt.NMIBlocked = false
	return v.jump(frame[0])
}
