package asm

// Push pushes a register (16-bit, or as wide as the mode's stack), a segment
// register, memory or an immediate. In 16-bit mode a 32-bit register or
// PushImm32 pushes 4 bytes.
func (a *Asm) Push(src Operand) {
	switch s := src.(type) {
	case Reg:
		if s.class() == classSeg {
			a.pushSegment(s)
			return
		}
		if a.stackSize("push", s.size()) {
			a.emit(inst{name: "push", size: stackOperand(s.size()), op: []byte{0x50}, plus: s})
		}
	case Mem:
		if a.stackSize("push", s.Size) {
			a.emit(inst{name: "push", size: stackOperand(s.Size), op: []byte{0xff}, reg: 6, rm: s})
		}
	default:
		size := min(int(a.mode), 32)
		if small(src) {
			a.emit(inst{name: "push", op: []byte{0x6a}, imm: src, immLen: 8, signed: true})
			return
		}
		a.emit(inst{name: "push", op: []byte{0x68}, imm: src, immLen: size, signed: a.mode == Bits64})
	}
}

// PushImm32 pushes a 32-bit immediate as 4 bytes in 16 and 32-bit mode.
func (a *Asm) PushImm32(src Operand) {
	if a.needLegacy("push of 4 bytes") {
		a.emit(inst{name: "push", size: 32, op: []byte{0x68}, imm: src, immLen: 32})
	}
}

// Pop pops into a register, a segment register or memory.
func (a *Asm) Pop(dst Operand) {
	switch d := dst.(type) {
	case Reg:
		if d.class() == classSeg {
			a.popSegment(d)
			return
		}
		if a.stackSize("pop", d.size()) {
			a.emit(inst{name: "pop", size: stackOperand(d.size()), op: []byte{0x58}, plus: d})
		}
	case Mem:
		if a.stackSize("pop", d.Size) {
			a.emit(inst{name: "pop", size: stackOperand(d.Size), op: []byte{0x8f}, rm: d})
		}
	default:
		a.badOperands("pop")
	}
}

func (a *Asm) pushSegment(s Reg) {
	switch {
	case s == FS:
		a.op(0x0f, 0xa0)
	case s == GS:
		a.op(0x0f, 0xa8)
	case a.needLegacy("push of ES to DS"):
		a.op(0x06 + byte(s.number())<<3)
	}
}

func (a *Asm) popSegment(s Reg) {
	switch {
	case s == FS:
		a.op(0x0f, 0xa1)
	case s == GS:
		a.op(0x0f, 0xa9)
	case s == CS:
		a.badOperands("pop")
	case a.needLegacy("pop of ES to DS"):
		a.op(0x07 + byte(s.number())<<3)
	}
}

// stackSize checks the width of a stack operand in this mode.
func (a *Asm) stackSize(name string, size int) bool {
	ok := size == 16 || size == 32 && a.mode != Bits64 || size == 64 && a.mode == Bits64
	if !ok {
		a.errorf(ErrOperand, "%s: %d bits cannot be pushed or popped in %d-bit mode", name, size, a.mode)
	}
	return ok
}

// stackOperand is the operand size to encode: 64 bits need no REX.W.
func stackOperand(size int) int {
	if size == 64 {
		return 0
	}
	return size
}

// Pusha pushes all eight general registers (not in 64-bit mode).
func (a *Asm) Pusha() {
	if a.needLegacy("pusha") {
		a.op(0x60)
	}
}

// Popa pops all eight but SP.
func (a *Asm) Popa() {
	if a.needLegacy("popa") {
		a.op(0x61)
	}
}

// Pushf pushes the flags at the mode's width.
func (a *Asm) Pushf() { a.op(0x9c) }

// Popf pops the flags.
func (a *Asm) Popf() { a.op(0x9d) }
