package insn

// undefined tells whether the processor raises #UD for a form that the opcode
// maps list: members of groups, operands of the wrong kind, LOCK where it is
// not allowed.
func (l *layout) undefined() bool {
	if l.enc != encLegacy {
		return false
	}
	if l.lock && !l.lockable() {
		return true
	}
	switch l.opMap {
	case map1Byte:
		return l.undefined1()
	case map0F:
		return l.undefined0F()
	}
	return false
}

// undefined1 is undefined for the one-byte map.
func (l *layout) undefined1() bool {
	switch l.opcode {
	case 0x8C: // MOV r/m, Sreg
		return l.reg() > 5
	case 0x8D: // LEA
		return !l.isMem()
	case 0x8E: // MOV Sreg, r/m
		return l.reg() > 5 || l.reg() == 1
	case 0x8F: // POP
		return l.reg() != 0
	case 0xC6, 0xC7: // MOV, XABORT, XBEGIN
		return l.reg() != 0 && l.modrm != 0xF8
	case 0xFE: // INC, DEC
		return l.reg() > 1
	case 0xFF:
		return l.reg() == 7 || l.mod() == 3 && (l.reg() == 3 || l.reg() == 5)
	}
	return false
}

// undefined0F is undefined for the two-byte map.
func (l *layout) undefined0F() bool {
	switch l.opcode {
	case 0x00: // group 6
		return l.reg() > 5
	case 0x01: // group 7
		return l.isMem() && l.reg() == 5 || l.isGroup7() && group7[l.modrm&0x3F] == 0
	case 0x20, 0x22: // MOV CR: 0, 2, 3, 4 and 8
		n := l.reg() | l.rex&rexR<<1
		return n != 8 && (n > 4 || n == 1)
	case 0x21, 0x23: // MOV DR
		return l.rex&rexR != 0
	case 0xBA: // group 8
		return l.reg() < 4
	case 0xC3: // MOVNTI
		return !l.isMem()
	case 0xC7: // group 9
		if l.isMem() {
			return l.reg() == 0 || l.reg() == 2
		}
		return l.reg() < 6
	}
	return false
}

// lockable tells whether LOCK is allowed: a read-modify-write with its
// destination in memory (SDM volume 2A, "LOCK"). AMD's LOCK MOV CR0, which is
// MOV CR8 for 32-bit code, is not offered to guests.
func (l *layout) lockable() bool {
	if !l.isMem() {
		return false
	}
	switch l.opMap {
	case map1Byte:
		switch op := l.opcode; {
		case op < 0x38: // ADD to XOR, destination in memory
			return op&7 <= 1
		case op >= 0x80 && op <= 0x83:
			return l.reg() != 7
		case op == 0x86, op == 0x87: // XCHG
			return true
		case op == 0xF6, op == 0xF7: // NOT, NEG
			return l.reg() == 2 || l.reg() == 3
		case op == 0xFE, op == 0xFF: // INC, DEC
			return l.reg() <= 1
		}
	case map0F:
		switch l.opcode {
		case 0xAB, 0xB3, 0xBB, 0xB0, 0xB1, 0xC0, 0xC1: // BTS, BTR, BTC, CMPXCHG, XADD
			return true
		case 0xBA:
			return l.reg() >= 5
		case 0xC7: // CMPXCHG8B, CMPXCHG16B
			return l.reg() == 1
		}
	}
	return false
}
