package asm

// Two-operand arithmetic in the order of the opcode's extension.

// Add is dst += src.
func (a *Asm) Add(dst, src Operand) { a.alu("add", 0, dst, src) }

// Or is dst |= src.
func (a *Asm) Or(dst, src Operand) { a.alu("or", 1, dst, src) }

// Adc is dst += src + CF.
func (a *Asm) Adc(dst, src Operand) { a.alu("adc", 2, dst, src) }

// Sbb is dst -= src + CF.
func (a *Asm) Sbb(dst, src Operand) { a.alu("sbb", 3, dst, src) }

// And is dst &= src.
func (a *Asm) And(dst, src Operand) { a.alu("and", 4, dst, src) }

// Sub is dst -= src.
func (a *Asm) Sub(dst, src Operand) { a.alu("sub", 5, dst, src) }

// Xor is dst ^= src.
func (a *Asm) Xor(dst, src Operand) { a.alu("xor", 6, dst, src) }

// Cmp compares: the flags of dst - src.
func (a *Asm) Cmp(dst, src Operand) { a.alu("cmp", 7, dst, src) }

func (a *Asm) alu(name string, ext byte, dst, src Operand) {
	size := a.opSize(name, dst, src)
	if size == 0 {
		return
	}
	switch {
	case isImm(dst):
		a.badOperands(name)
	case isImm(src):
		i := inst{name: name, size: size, op: []byte{wide(0x80, size)}, reg: Reg(ext), rm: dst, imm: src, immLen: immSize(size), signed: size == 64}
		if size != 8 && small(src) {
			i.op, i.immLen, i.signed = []byte{0x83}, 8, true
		}
		a.emit(i)
	default:
		a.regMem(name, size, []byte{wide(ext<<3, size)}, []byte{wide(ext<<3+2, size)}, dst, src)
	}
}

// regMem emits the two-operand form: store to r/m with one opcode, load from
// r/m with another (nil: the instruction has no such form).
func (a *Asm) regMem(name string, size int, store, load []byte, dst, src Operand) {
	if r, ok := src.(Reg); ok && store != nil {
		a.emit(inst{name: name, size: size, op: store, reg: r, rm: dst})
		return
	}
	if r, ok := dst.(Reg); ok && load != nil {
		a.emit(inst{name: name, size: size, op: load, reg: r, rm: src})
		return
	}
	a.badOperands(name)
}

// Test sets the flags of dst & src.
func (a *Asm) Test(dst, src Operand) {
	size := a.opSize("test", dst, src)
	if size == 0 {
		return
	}
	if isImm(src) {
		a.emit(inst{name: "test", size: size, op: []byte{wide(0xf6, size)}, rm: dst, imm: src, immLen: immSize(size), signed: size == 64})
		return
	}
	a.regMem("test", size, []byte{wide(0x84, size)}, nil, dst, src)
}

// Not is dst = ^dst.
func (a *Asm) Not(dst Operand) { a.unary("not", 0xf6, 2, dst) }

// Neg is dst = -dst.
func (a *Asm) Neg(dst Operand) { a.unary("neg", 0xf6, 3, dst) }

// Mul is DX:AX = AX * src, unsigned, at the width of src.
func (a *Asm) Mul(src Operand) { a.unary("mul", 0xf6, 4, src) }

// IMul is DX:AX = AX * src, signed.
func (a *Asm) IMul(src Operand) { a.unary("imul", 0xf6, 5, src) }

// Div divides DX:AX by src: the quotient to AX, the remainder to DX.
func (a *Asm) Div(src Operand) { a.unary("div", 0xf6, 6, src) }

// IDiv is Div with signs.
func (a *Asm) IDiv(src Operand) { a.unary("idiv", 0xf6, 7, src) }

// Inc is dst++; CF stays.
func (a *Asm) Inc(dst Operand) { a.unary("inc", 0xfe, 0, dst) }

// Dec is dst--; CF stays.
func (a *Asm) Dec(dst Operand) { a.unary("dec", 0xfe, 1, dst) }

func (a *Asm) unary(name string, op byte, ext Reg, rm Operand) {
	if isImm(rm) {
		a.badOperands(name)
		return
	}
	if size := a.opSize(name, rm); size != 0 {
		a.emit(inst{name: name, size: size, op: []byte{wide(op, size)}, reg: ext, rm: rm})
	}
}

// Rol rotates left by count: an Imm or CL.
func (a *Asm) Rol(dst, count Operand) { a.shift("rol", 0, dst, count) }

// Ror rotates right.
func (a *Asm) Ror(dst, count Operand) { a.shift("ror", 1, dst, count) }

// Shl shifts left.
func (a *Asm) Shl(dst, count Operand) { a.shift("shl", 4, dst, count) }

// Shr shifts right, filling with zeros.
func (a *Asm) Shr(dst, count Operand) { a.shift("shr", 5, dst, count) }

// Sar shifts right, filling with the sign.
func (a *Asm) Sar(dst, count Operand) { a.shift("sar", 7, dst, count) }

func (a *Asm) shift(name string, ext Reg, dst, count Operand) {
	size := a.opSize(name, dst)
	_, isConst := count.(Imm)
	switch {
	case size == 0:
	case isImm(dst):
		a.badOperands(name)
	case count == CL:
		a.emit(inst{name: name, size: size, op: []byte{wide(0xd2, size)}, reg: ext, rm: dst})
	case isConst:
		a.emit(inst{name: name, size: size, op: []byte{wide(0xc0, size)}, reg: ext, rm: dst, imm: count, immLen: 8})
	default:
		a.badOperands(name)
	}
}

// Bt copies a bit of dst to CF; bit is a register or an Imm.
func (a *Asm) Bt(dst, bit Operand) { a.bits("bt", 4, dst, bit) }

// Bts is Bt and then sets the bit.
func (a *Asm) Bts(dst, bit Operand) { a.bits("bts", 5, dst, bit) }

// Btr is Bt and then clears the bit.
func (a *Asm) Btr(dst, bit Operand) { a.bits("btr", 6, dst, bit) }

func (a *Asm) bits(name string, ext byte, dst, bit Operand) {
	size := a.opSize(name, dst, bit)
	switch {
	case size == 0:
	case size == 8 || isImm(dst):
		a.badOperands(name)
	case isImm(bit):
		a.emit(inst{name: name, size: size, op: []byte{0x0f, 0xba}, reg: Reg(ext), rm: dst, imm: bit, immLen: 8})
	default:
		a.regMem(name, size, []byte{0x0f, 0x83 + ext<<3}, nil, dst, bit)
	}
}
