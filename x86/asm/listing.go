package asm

// Instruction is one emitted instruction with its prefixes.
type Instruction struct {
	Offset int // from the start of the code
	Size   int // in bytes
	Mode   Mode
}

// Listing returns the instructions in order, without data and Raw bytes, so
// that a disassembler can check them one by one.
func (a *Asm) Listing() []Instruction { return a.insts }

// begin opens an instruction, or continues the one that a prefix opened.
func (a *Asm) begin() {
	if !a.prefixed {
		a.insts = append(a.insts, Instruction{Offset: len(a.code), Mode: a.mode})
	}
	a.prefixed = false
}

// end closes the instruction that begin opened.
func (a *Asm) end() {
	last := &a.insts[len(a.insts)-1]
	last.Size = len(a.code) - last.Offset
}

// op emits an instruction without operands.
func (a *Asm) op(b ...byte) {
	a.begin()
	a.Raw(b...)
	a.end()
}

// prefixOp emits a prefix byte that belongs to the next instruction.
func (a *Asm) prefixOp(b byte) {
	a.op(b)
	a.prefixed = true
}
