package insn

import "golang.org/x/arch/x86/x86asm"

// Op is an instruction's mnemonic: x86asm's number, or one of those in
// mend.go for what x86asm does not know.
type Op uint32

// Kind is where an operand lives.
type Kind uint8

const (
	KindNone  Kind = iota
	KindReg        // general register Reg; Size 1 with High is AH, CH, DH or BH
	KindMem        // memory at Inst.Mem
	KindImm        // Inst.Imm
	KindSeg        // segment register Reg, numbered as in x86.State
	KindCR         // control register Reg
	KindDR         // debug register Reg
	KindXMM        // vector register Reg
	KindOther      // anything else: a branch target, x87, MMX, mask registers
)

// Operand is one explicit operand.
type Operand struct {
	Kind Kind
	Reg  uint8
	High bool
	Size uint8 // bytes; 0 where the size has no meaning
}

// NoReg says that an address has no base or no index.
const NoReg = 0xFF

// RIPReg as a base is the address of the next instruction.
const RIPReg = 0x10

// Mem is a memory operand's address: Base + Index*Scale + Disp in Seg.
type Mem struct {
	Seg   uint8 // x86.ES to x86.GS
	Base  uint8 // x86.RAX to x86.R15, RIPReg or NoReg
	Index uint8 // x86.RAX to x86.R15 or NoReg
	Scale uint8 // 1, 2, 4 or 8
	Disp  int64
}

// Inst is one decoded instruction. It holds no pointer.
type Inst struct {
	Op       Op
	Len      uint8 // bytes
	Mode     Mode
	OpSize   uint8 // operand size in bytes: 2, 4 or 8
	AddrSize uint8 // address size in bytes: 2, 4 or 8
	Lock     bool
	Rep      uint8 // F2 or F3 where one was given, else 0
	Opcode   uint8 // last opcode byte
	ModRM    uint8 // 0 where there is none

	Args [3]Operand
	Mem  Mem
	Imm  int64

	act action
	vec vectorMove
}

// IsMem tells whether an explicit operand is in memory.
func (in *Inst) IsMem() bool {
	return in.Args[0].Kind == KindMem || in.Args[1].Kind == KindMem
}

// String is the mnemonic in the manuals' capitals.
func (o Op) String() string {
	if o >= firstOwnOp && int(o-firstOwnOp) < len(ownOpNames) {
		return ownOpNames[o-firstOwnOp]
	}
	return x86asm.Op(o).String()
}

// Text is the instruction at the start of code in the manuals' syntax, for
// reports; pc is its address. Bytes that cannot be decoded give "(bad)".
func Text(code []byte, pc uint64, mode Mode) string {
	var l layout
	if err := l.scan(code, mode); err != nil {
		return "(bad)"
	}
	if op, ok := l.ownOp(); ok {
		return op.String()
	}
	xi, err := l.lookup()
	if err != nil {
		return "(bad)"
	}
	// Branch targets count from the length in memory, not from the canonical
	// one.
	xi.Len = l.pos
	return x86asm.IntelSyntax(xi, pc, nil)
}
