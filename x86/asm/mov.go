package asm

// Mov copies src to dst: general registers, memory, immediates, segment,
// control and debug registers.
func (a *Asm) Mov(dst, src Operand) {
	d, dstReg := dst.(Reg)
	s, srcReg := src.(Reg)
	switch {
	case dstReg && special(d):
		a.movSpecial(d, src, true)
	case srcReg && special(s):
		a.movSpecial(s, dst, false)
	case isImm(src):
		a.movImm(dst, src)
	default:
		if size := a.opSize("mov", dst, src); size != 0 {
			a.regMem("mov", size, []byte{wide(0x88, size)}, []byte{wide(0x8a, size)}, dst, src)
		}
	}
}

func special(r Reg) bool {
	return r.class() == classSeg || r.class() == classCR || r.class() == classDR
}

// movSpecial moves between a segment, control or debug register and rm; load
// is towards the special register.
func (a *Asm) movSpecial(r Reg, rm Operand, load bool) {
	if r.class() == classSeg {
		a.movSegment(r, rm, load)
		return
	}
	g, ok := rm.(Reg)
	native := 32
	if a.mode == Bits64 {
		native = 64
	}
	if !ok || g.size() != native {
		a.errorf(ErrOperand, "mov: control and debug registers go to and from %d-bit registers", native)
		return
	}
	op := byte(0x20)
	if r.class() == classDR {
		op++
	}
	if load {
		op += 2
	}
	// The width is fixed by the mode: neither 66 nor REX.W.
	a.emit(inst{name: "mov", op: []byte{0x0f, op}, reg: r, rm: g})
}

func (a *Asm) movSegment(seg Reg, rm Operand, load bool) {
	g, isReg := rm.(Reg)
	if isReg && !(g.isGPR() && g.size() >= 16) || isImm(rm) || load && seg == CS {
		a.badOperands("mov")
		return
	}
	op, size := byte(0x8c), 0
	if load {
		op = 0x8e
	} else if isReg {
		size = g.size()
	}
	a.emit(inst{name: "mov", size: size, op: []byte{op}, reg: seg, rm: rm})
}

func (a *Asm) movImm(dst, src Operand) {
	size := a.opSize("mov", dst)
	r, isReg := dst.(Reg)
	value, isConst := src.(Imm)
	switch {
	case size == 0:
	case isImm(dst):
		a.badOperands("mov")
	case isReg && size == 64 && isConst && fits(int64(value), 32, true), !isReg:
		a.emit(inst{name: "mov", size: size, op: []byte{wide(0xc6, size)}, rm: dst, imm: src, immLen: immSize(size), signed: size == 64})
	case size == 8:
		a.emit(inst{name: "mov", size: size, op: []byte{0xb0}, plus: r, imm: src, immLen: 8})
	default:
		a.emit(inst{name: "mov", size: size, op: []byte{0xb8}, plus: r, imm: src, immLen: size})
	}
}

// Movzx copies a narrower src to dst and fills with zeros.
func (a *Asm) Movzx(dst Reg, src Operand) { a.extend("movzx", 0xb6, dst, src) }

// Movsx copies a narrower src to dst and fills with the sign.
func (a *Asm) Movsx(dst Reg, src Operand) { a.extend("movsx", 0xbe, dst, src) }

func (a *Asm) extend(name string, op byte, dst Reg, src Operand) {
	from := a.opSize(name, src)
	if from == 0 {
		return
	}
	if isImm(src) || from >= dst.size() || from > 16 {
		a.badOperands(name)
		return
	}
	a.emit(inst{name: name, size: dst.size(), op: []byte{0x0f, wide(op, from)}, reg: dst, rm: src})
}

// Lea puts the address of m in dst.
func (a *Asm) Lea(dst Reg, m Mem) {
	if dst.size() < 16 {
		a.badOperands("lea")
		return
	}
	a.emit(inst{name: "lea", size: dst.size(), op: []byte{0x8d}, reg: dst, rm: m})
}

// Xchg exchanges; with memory it is atomic by itself.
func (a *Asm) Xchg(dst Operand, src Reg) { a.swap("xchg", []byte{0x86}, dst, src) }

// Xadd adds src to dst and puts dst's old value in src.
func (a *Asm) Xadd(dst Operand, src Reg) { a.swap("xadd", []byte{0x0f, 0xc0}, dst, src) }

// Cmpxchg puts src in dst if dst equals AX, else dst in AX.
func (a *Asm) Cmpxchg(dst Operand, src Reg) { a.swap("cmpxchg", []byte{0x0f, 0xb0}, dst, src) }

func (a *Asm) swap(name string, op []byte, dst Operand, src Reg) {
	size := a.opSize(name, dst, src)
	if size == 0 {
		return
	}
	op[len(op)-1] = wide(op[len(op)-1], size)
	a.regMem(name, size, op, nil, dst, src)
}

// StoreMoffs stores AL to RAX to a fixed address of the full address size, 64
// bits in 64-bit mode, with no other register.
func (a *Asm) StoreMoffs(addr uint64, src Reg) { a.moffs(0xa2, addr, src) }

// LoadMoffs loads AL to RAX from a fixed address of the full address size.
func (a *Asm) LoadMoffs(dst Reg, addr uint64) { a.moffs(0xa0, addr, dst) }

func (a *Asm) moffs(op byte, addr uint64, r Reg) {
	if !r.isGPR() || r.number() != 0 {
		a.errorf(ErrOperand, "mov: only AL, AX, EAX and RAX move to and from a full address")
		return
	}
	a.emit(inst{name: "mov", size: r.size(), op: []byte{wide(op, r.size())}, imm: Imm(addr), immLen: int(a.mode)})
}
