package asm

// Cond is a condition in the order of its encoding.
type Cond byte

// Conditions; C, NC and the like are further names of B, AE and the like.
const (
	O Cond = iota
	NO
	B
	AE
	E
	NE
	BE
	A
	S
	NS
	P
	NP
	L
	GE
	LE
	G

	C  = B
	NC = AE
	Z  = E
	NZ = NE
)

// near is the width of a near displacement.
func (a *Asm) near() int { return min(int(a.mode), 32) }

// Jmp jumps to a label anywhere in the segment.
func (a *Asm) Jmp(label string) {
	a.relative(label, a.near(), 0xe9)
}

// JmpShort jumps to a label within 127 bytes.
func (a *Asm) JmpShort(label string) {
	a.relative(label, 8, 0xeb)
}

// Jcc jumps to a label if the condition holds.
func (a *Asm) Jcc(c Cond, label string) {
	a.relative(label, a.near(), 0x0f, 0x80+byte(c))
}

// JccShort is Jcc within 127 bytes.
func (a *Asm) JccShort(c Cond, label string) {
	a.relative(label, 8, 0x70+byte(c))
}

// Loop decrements CX (at the mode's width) and jumps, within 127 bytes, if it
// is not zero.
func (a *Asm) Loop(label string) {
	a.relative(label, 8, 0xe2)
}

// Setcc sets an 8-bit register or memory to 1 if the condition holds, else 0.
func (a *Asm) Setcc(c Cond, dst Operand) {
	if m, ok := dst.(Mem); ok && m.Size == 0 {
		dst = m.Byte()
	}
	if size := a.opSize("setcc", dst); size == 8 {
		a.emit(inst{name: "setcc", size: 8, op: []byte{0x0f, 0x90 + byte(c)}, rm: dst})
	} else if size != 0 {
		a.badOperands("setcc")
	}
}

// Call calls a label.
func (a *Asm) Call(label string) {
	a.relative(label, a.near(), 0xe8)
}

// Ret returns from a near call.
func (a *Asm) Ret() { a.op(0xc3) }

// RetPop returns and drops n bytes of arguments.
func (a *Asm) RetPop(n uint16) {
	a.emit(inst{name: "ret", op: []byte{0xc2}, imm: Imm(n), immLen: 16})
}

// JmpTo jumps to the address in a register or in memory.
func (a *Asm) JmpTo(target Operand) { a.indirect("jmp", 4, target) }

// CallTo calls the address in a register or in memory.
func (a *Asm) CallTo(target Operand) { a.indirect("call", 2, target) }

func (a *Asm) indirect(name string, ext Reg, target Operand) {
	if isImm(target) {
		a.badOperands(name)
		return
	}
	size := a.opSize(name, target)
	switch {
	case size == 0:
	case size == 8 || a.mode == Bits64 && size != 64:
		a.badOperands(name)
	default:
		a.emit(inst{name: name, size: stackOperand(size), op: []byte{0xff}, reg: ext, rm: target})
	}
}

// JmpFar jumps to selector:label with an offset of size bits, 16 or 32 (not
// in 64-bit mode, where only JmpFarTo exists).
func (a *Asm) JmpFar(selector uint16, label string, size int) {
	a.far("jmp", 0xea, selector, label, size)
}

// CallFar calls selector:label with an offset of size bits.
func (a *Asm) CallFar(selector uint16, label string, size int) {
	a.far("call", 0x9a, selector, label, size)
}

func (a *Asm) far(name string, op byte, selector uint16, label string, size int) {
	if !a.needLegacy(name + " with a far pointer") {
		return
	}
	if size != 16 && size != 32 {
		a.errorf(ErrOperand, "%s: a far offset has 16 or 32 bits, not %d", name, size)
		return
	}
	a.emit(inst{name: name, size: size, op: []byte{op}, imm: Addr{Label: label}, immLen: size})
	a.Data16(selector)
	a.end()
}

// JmpFarTo jumps to the far pointer in memory: an offset of m.Size bits, then
// the selector.
func (a *Asm) JmpFarTo(m Mem) {
	if m.Size < 16 {
		a.errorf(ErrOperand, "jmp: the far pointer needs the size of its offset")
		return
	}
	a.emit(inst{name: "jmp", size: m.Size, op: []byte{0xff}, reg: 5, rm: m})
}

// RetFar pops an offset of size bits and the selector.
func (a *Asm) RetFar(size int) { a.emit(inst{name: "retf", size: size, op: []byte{0xcb}}) }

// Int raises a software interrupt.
func (a *Asm) Int(vector byte) { a.op(0xcd, vector) }

// Int3 is the one-byte breakpoint.
func (a *Asm) Int3() { a.op(0xcc) }

// Iret returns from an interrupt; the frame's slots have size bits.
func (a *Asm) Iret(size int) { a.emit(inst{name: "iret", size: size, op: []byte{0xcf}}) }
