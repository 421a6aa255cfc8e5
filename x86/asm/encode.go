package asm

// inst is one instruction on its way to bytes: prefixes, opcode, ModRM and
// immediate (APM volume 3, section 1.1 "Encoding Syntax").
type inst struct {
	name   string
	size   int     // operand size in bits; 0 or 8: neither 66 nor REX.W
	prefix byte    // mandatory prefix of the opcode, or 0
	op     []byte  // opcode with its 0F escape
	reg    Reg     // in ModRM.reg: a register, or an opcode extension as a bare number
	rm     Operand // in ModRM.rm: Reg or Mem; nil: no ModRM byte
	plus   Reg     // register that is added to the last opcode byte, or 0
	imm    Operand // Imm or Addr, or nil
	immLen int     // in bits
	signed bool    // the immediate is sign-extended
}

const (
	rexBase = 0x40
	rexW    = 8
	rexR    = 4
	rexX    = 2
	rexB    = 1
)

// emit writes the instruction.
func (a *Asm) emit(i inst) {
	a.begin()
	defer a.end()
	mem, isMem := i.rm.(Mem)
	if isMem {
		if !a.checkMem(i.name, mem) {
			return
		}
		a.memPrefixes(mem)
	}
	if i.size == 16 && a.mode != Bits16 || i.size == 32 && a.mode == Bits16 {
		a.Raw(0x66)
	}
	if i.prefix != 0 {
		a.Raw(i.prefix)
	}
	if !a.rex(i) {
		return
	}
	op := append([]byte(nil), i.op...)
	if i.plus != 0 {
		op[len(op)-1] += byte(i.plus.number() & 7)
	}
	a.Raw(op...)
	first := len(a.fixups)
	switch rm := i.rm.(type) {
	case Reg:
		a.modrm(3, i.reg, rm.number())
	case Mem:
		a.modrmMem(i.reg, rm)
	}
	if i.imm != nil {
		a.value(i.imm, i.immLen, i.signed)
	}
	for n := first; n < len(a.fixups); n++ {
		a.fixups[n].end = len(a.code)
	}
}

// rex writes the REX prefix if one is needed.
func (a *Asm) rex(i inst) bool {
	bits, high, need := 0, false, false
	look := func(r Reg, bit int) {
		if r.number() > 7 && r.class() != classHigh {
			bits |= bit
		}
		need = need || r.class() == classGPR8 && r.needsREX()
		high = high || r.class() == classHigh
	}
	look(i.reg, rexR)
	look(i.plus, rexB)
	switch rm := i.rm.(type) {
	case Reg:
		look(rm, rexB)
	case Mem:
		look(rm.Base, rexB)
		look(rm.Index, rexX)
	}
	if i.size == 64 {
		bits |= rexW
	}
	if bits == 0 && !need {
		return true
	}
	switch {
	case a.mode != Bits64:
		a.errorf(ErrMode, "%s: 64-bit registers exist in 64-bit mode only", i.name)
		return false
	case high:
		a.errorf(ErrOperand, "%s: AH to BH cannot be used with a register that needs REX", i.name)
		return false
	}
	a.Raw(byte(rexBase | bits))
	return true
}

func (a *Asm) modrm(mod int, reg Reg, rm int) {
	a.Raw(byte(mod<<6 | reg.number()&7<<3 | rm&7))
}

// value writes an immediate or data field of size bits.
func (a *Asm) value(op Operand, size int, signed bool) {
	switch v := op.(type) {
	case Addr:
		a.fixups = append(a.fixups, fixup{at: len(a.code), size: size, label: v.Label, add: v.Add})
		a.Space(size / 8)
	case Imm:
		if !fits(int64(v), size, signed) {
			a.errorf(ErrRange, "%#x does not fit %d bits", int64(v), size)
		}
		a.little(int64(v), size)
	default:
		a.errorf(ErrOperand, "%T is no immediate", op)
	}
}

func (a *Asm) little(v int64, size int) {
	for n := 0; n < size; n += 8 {
		a.Raw(byte(v >> n))
	}
}

// relative writes a jump: its opcode and a field of size bits with the distance
// from its end to a label.
func (a *Asm) relative(label string, size int, op ...byte) {
	a.begin()
	a.Raw(op...)
	a.fixups = append(a.fixups, fixup{
		at: len(a.code), size: size, label: label, relative: true, end: len(a.code) + size/8,
	})
	a.Space(size / 8)
	a.end()
}
