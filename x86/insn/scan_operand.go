package insn

// notIn64 tells whether 64-bit mode does not define opcodes of this letter.
func notIn64(class byte) bool {
	switch class {
	case '6', 'i', '8', '9', 'm':
		return true
	}
	return false
}

// scanOperands takes what follows an opcode of the given letter.
func (l *layout) scanOperands(class byte) error {
	if class == 'x' || class == 'P' || class == 'E' || l.mode == Mode64 && notIn64(class) {
		return ErrInvalid
	}
	switch class {
	case 'M', 'B', 'Z', 'T', 't', 'Q', '8', 'm', 'D', 'R':
		if err := l.scanModRM(class == 'R'); err != nil {
			return err
		}
	}
	if class == 'm' && !l.isMem() {
		return ErrInvalid
	}
	l.immPos = l.pos
	l.immSize = l.immediateSize(class)
	return l.skip(l.immSize)
}

// immediateSize is the number of bytes behind ModRM and displacement.
func (l *layout) immediateSize(class byte) uint8 {
	z := min(l.opSize(), 4)
	switch class {
	case 'B', 'b', 'i', '8':
		return 1
	case 'Z', 'z':
		return z
	case 'J':
		// AMD's processors honour 66 on near branches in 64-bit mode, Intel's
		// do not; Intel's always report the length of what they intercept.
		return z
	case 'v':
		return l.opSize()
	case 'w':
		return 2
	case 'e':
		return 3
	case 'a':
		return l.addrSize()
	case '9':
		return z + 2
	case 'D':
		return 4
	case 'T':
		if l.reg() < 2 {
			return 1
		}
	case 't':
		if l.reg() < 2 {
			return z
		}
	case 'Q':
		if l.data66 || l.rep == prefixRepne {
			return 2
		}
	}
	return 0
}

// scanModRM takes ModRM, SIB and displacement.
func (l *layout) scanModRM(register bool) error {
	b, err := l.next()
	if err != nil {
		return err
	}
	l.hasModRM, l.modrm = true, b
	if register {
		l.modrm |= 0xC0
	}
	if l.mod() == 3 {
		return nil
	}
	if l.addrSize() == 2 {
		l.dispSize = [3]uint8{0, 1, 2}[l.mod()]
		if l.mod() == 0 && l.rm() == 6 {
			l.dispSize = 2
		}
	} else {
		l.dispSize = [3]uint8{0, 1, 4}[l.mod()]
		base := l.rm()
		if base == 4 {
			if l.sib, err = l.next(); err != nil {
				return err
			}
			l.hasSIB = true
			base = l.sib & 7
		}
		if l.mod() == 0 && base == 5 {
			l.dispSize = 4
		}
	}
	at := l.pos
	if err := l.skip(l.dispSize); err != nil {
		return err
	}
	l.disp = l.value(at, l.dispSize)
	return nil
}
