package asm

// String instructions, each at a width of size bits. Rep repeats the next
// one CX times.

// Rep is the REP (and REPE) prefix.
func (a *Asm) Rep() { a.prefixOp(0xf3) }

// Repne is the REPNE prefix.
func (a *Asm) Repne() { a.prefixOp(0xf2) }

// Movs copies from [SI] to [DI].
func (a *Asm) Movs(size int) { a.stringOp("movs", 0xa4, size) }

// Cmps compares [SI] with [DI].
func (a *Asm) Cmps(size int) { a.stringOp("cmps", 0xa6, size) }

// Stos stores AX to [DI].
func (a *Asm) Stos(size int) { a.stringOp("stos", 0xaa, size) }

// Lods loads AX from [SI].
func (a *Asm) Lods(size int) { a.stringOp("lods", 0xac, size) }

// Scas compares AX with [DI].
func (a *Asm) Scas(size int) { a.stringOp("scas", 0xae, size) }

// Ins reads port DX to [DI].
func (a *Asm) Ins(size int) { a.stringOp("ins", 0x6c, size) }

// Outs writes [SI] to port DX.
func (a *Asm) Outs(size int) { a.stringOp("outs", 0x6e, size) }

func (a *Asm) stringOp(name string, op byte, size int) {
	io := op < 0x70
	if size != 8 && size != 16 && size != 32 && (size != 64 || io) {
		a.errorf(ErrOperand, "%s: no form of %d bits", name, size)
		return
	}
	a.emit(inst{name: name, size: size, op: []byte{wide(op, size)}})
}

// Cld makes string instructions go up.
func (a *Asm) Cld() { a.op(0xfc) }

// Std makes them go down.
func (a *Asm) Std() { a.op(0xfd) }
