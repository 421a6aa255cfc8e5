package asm

// opSize returns the operand size in bits that the operands agree on, or 0
// after it recorded an error.
func (a *Asm) opSize(name string, ops ...Operand) int {
	size := 0
	for _, op := range ops {
		n := 0
		switch o := op.(type) {
		case Reg:
			if n = o.size(); n == 0 {
				a.errorf(ErrOperand, "%s: operand must be a general register", name)
				return 0
			}
		case Mem:
			n = o.Size
		}
		if n == 0 {
			continue
		}
		if size != 0 && n != size {
			a.errorf(ErrOperand, "%s: operands of %d and %d bits", name, size, n)
			return 0
		}
		size = n
	}
	if size == 0 {
		a.errorf(ErrOperand, "%s: no operand says how wide the access is", name)
	}
	return size
}

// wide returns op for 8-bit operands and op+1 for wider ones, the rule of most
// opcodes.
func wide(op byte, size int) byte {
	if size == 8 {
		return op
	}
	return op + 1
}

// immSize returns the width of an immediate for an operand size: there is no
// 64-bit one but in MOV to a register.
func immSize(size int) int { return min(size, 32) }

func isImm(op Operand) bool {
	switch op.(type) {
	case Imm, Addr:
		return true
	}
	return false
}

// small says that op is an immediate that can be sign-extended from 8 bits.
func small(op Operand) bool {
	i, ok := op.(Imm)
	return ok && fits(int64(i), 8, true)
}

func (a *Asm) badOperands(name string) {
	a.errorf(ErrOperand, "%s: no encoding for these operands", name)
}

// need64 and needLegacy record an error when the instruction does not exist
// in this mode.
func (a *Asm) need64(name string) bool {
	if a.mode != Bits64 {
		a.errorf(ErrMode, "%s exists in 64-bit mode only", name)
	}
	return a.mode == Bits64
}

func (a *Asm) needLegacy(name string) bool {
	if a.mode == Bits64 {
		a.errorf(ErrMode, "%s does not exist in 64-bit mode", name)
	}
	return a.mode != Bits64
}
