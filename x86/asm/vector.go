package asm

// Movups moves 128 bits between vector registers and memory, without a claim
// on alignment.
func (a *Asm) Movups(dst, src Operand) {
	a.vector("movups", 0, []byte{0x0f, 0x10}, []byte{0x0f, 0x11}, dst, src)
}

// Movdqu is Movups in the integer domain.
func (a *Asm) Movdqu(dst, src Operand) {
	a.vector("movdqu", 0xf3, []byte{0x0f, 0x6f}, []byte{0x0f, 0x7f}, dst, src)
}

// Pcmpeqb compares 16 bytes: 0xff in dst where they are equal, else 0.
func (a *Asm) Pcmpeqb(dst Reg, src Operand) {
	a.vector("pcmpeqb", 0x66, []byte{0x0f, 0x74}, nil, dst, src)
}

// Pxor is dst ^= src.
func (a *Asm) Pxor(dst Reg, src Operand) { a.vector("pxor", 0x66, []byte{0x0f, 0xef}, nil, dst, src) }

// Pmovmskb puts the top bits of src's 16 bytes in dst, a 32-bit register.
func (a *Asm) Pmovmskb(dst, src Reg) {
	if dst.size() != 32 || src.class() != classXMM {
		a.badOperands("pmovmskb")
		return
	}
	a.emit(inst{name: "pmovmskb", prefix: 0x66, op: []byte{0x0f, 0xd7}, reg: dst, rm: src})
}

func (a *Asm) vector(name string, prefix byte, load, store []byte, dst, src Operand) {
	if vectorOperand(dst, classXMM) && vectorOperand(src, classXMM) {
		if d, ok := dst.(Reg); ok {
			a.emit(inst{name: name, prefix: prefix, op: load, reg: d, rm: src})
			return
		}
		if s, ok := src.(Reg); ok && store != nil {
			a.emit(inst{name: name, prefix: prefix, op: store, reg: s, rm: dst})
			return
		}
	}
	a.badOperands(name)
}

func vectorOperand(op Operand, class Reg) bool {
	switch o := op.(type) {
	case Reg:
		return o.class() == class
	case Mem:
		return true
	}
	return false
}

// Vmovups moves 256 bits between a YMM register and memory at [base + disp],
// or from one YMM register to another (64-bit mode).
func (a *Asm) Vmovups(dst, src Operand) {
	d, isLoad := dst.(Reg)
	s, isStore := src.(Reg)
	switch {
	case !a.need64("vmovups"):
	case !vectorOperand(dst, classYMM) || !vectorOperand(src, classYMM):
		a.badOperands("vmovups")
	case isLoad:
		a.vex("vmovups", 0x10, d, src)
	case isStore:
		a.vex("vmovups", 0x11, s, dst)
	default:
		a.badOperands("vmovups")
	}
}

// vex emits a 256-bit instruction of opcode map 1 without a second source,
// with the three-byte VEX prefix (APM volume 4, section 1.2 "Instruction
// Byte Order"). R, X, B and vvvv are inverted.
func (a *Asm) vex(name string, op byte, reg Reg, rm Operand) {
	const (
		escape      = 0xc4
		map0F       = 1
		noVVVV256   = 0x7c // W=0, vvvv=1111, L=1, pp=00
		invertedRXB = 0xe0
	)
	a.begin()
	defer a.end()
	flip := byte(0)
	if reg.number() > 7 {
		flip |= 0x80
	}
	mem, isMem := rm.(Mem)
	if isMem {
		if !a.checkMem(name, mem) {
			return
		}
		a.memPrefixes(mem)
		if mem.Index.number() > 7 {
			flip |= 0x40
		}
		if mem.Base.number() > 7 {
			flip |= 0x20
		}
	} else if rm.(Reg).number() > 7 {
		flip |= 0x20
	}
	a.Raw(escape, invertedRXB^flip|map0F, noVVVV256, op)
	if !isMem {
		a.modrm(3, reg, rm.(Reg).number())
		return
	}
	first := len(a.fixups)
	a.modrmMem(reg, mem)
	for n := first; n < len(a.fixups); n++ {
		a.fixups[n].end = len(a.code)
	}
}

// Vzeroupper clears the upper halves of all YMM registers.
func (a *Asm) Vzeroupper() { a.op(0xc5, 0xf8, 0x77) }
