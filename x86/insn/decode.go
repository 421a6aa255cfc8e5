package insn

import (
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86"
)

// Decode decodes the instruction at the start of code. The length is right or
// there is an error: ErrTruncated, ErrTooLong, ErrInvalid (#UD) or
// ErrUnsupported for an instruction whose meaning is not known here.
func Decode(code []byte, mode Mode) (Inst, error) {
	var in Inst
	err := in.decode(code, mode)
	return in, err
}

// decode is Decode in place.
func (in *Inst) decode(code []byte, mode Mode) error {
	var l layout
	*in = Inst{}
	if err := l.scan(code, mode); err != nil {
		return err
	}
	if l.undefined() {
		return ErrInvalid
	}
	in.setLayout(&l)
	if l.vectorMove(in) {
		return nil
	}
	if op, ok := l.ownOp(); ok {
		in.Op = op
		in.act = actions[op]
		return nil
	}
	xi, err := l.lookup()
	if err != nil {
		return ErrUnsupported
	}
	in.Op = Op(xi.Op)
	in.act = l.action(in.Op)
	for i := range in.Args {
		in.Args[i] = in.operand(xi.Args[i], xi.MemBytes)
	}
	in.mendOperands(&l)
	return nil
}

// setLayout copies what the scanner alone knows.
func (in *Inst) setLayout(l *layout) {
	in.Len, in.Mode = uint8(l.pos), l.mode
	in.OpSize, in.AddrSize = l.opSize(), l.addrSize()
	in.Lock, in.Rep = l.lock, l.rep
	in.Opcode, in.ModRM = l.opcode, l.modrm
	if l.isMem() {
		in.Mem = l.memory()
	} else {
		in.Mem = Mem{Seg: l.segment(x86.DS), Base: NoReg, Index: NoReg, Scale: 1}
	}
	if l.immSize == 1 || l.immSize == 2 || l.immSize == 4 || l.immSize == 8 {
		in.Imm = l.value(l.immPos, l.immSize)
	}
}

// segment is the segment in effect where the default is def.
func (l *layout) segment(def uint8) uint8 {
	if l.seg != noSeg {
		return l.seg
	}
	return def
}

// pairs are the registers of 16-bit addressing by ModRM.rm.
var pairs = [8][2]uint8{
	{x86.RBX, x86.RSI}, {x86.RBX, x86.RDI}, {x86.RBP, x86.RSI}, {x86.RBP, x86.RDI},
	{x86.RSI, NoReg}, {x86.RDI, NoReg}, {x86.RBP, NoReg}, {x86.RBX, NoReg},
}

// memory is the operand that ModRM and SIB name.
func (l *layout) memory() Mem {
	m := Mem{Base: NoReg, Index: NoReg, Scale: 1, Disp: l.disp}
	switch {
	case l.addrSize() == 2:
		if l.mod() != 0 || l.rm() != 6 {
			m.Base, m.Index = pairs[l.rm()][0], pairs[l.rm()][1]
		}
	case l.hasSIB:
		if index := l.sib>>3&7 | l.rex&rexX<<2; index != x86.RSP {
			m.Index, m.Scale = index, 1<<(l.sib>>6)
		}
		if l.mod() != 0 || l.sib&7 != 5 {
			m.Base = l.sib&7 | l.rex&rexB<<3
		}
	case l.mod() == 0 && l.rm() == 5:
		if l.mode == Mode64 {
			m.Base = RIPReg
		}
	default:
		m.Base = l.rm() | l.rex&rexB<<3
	}
	def := uint8(x86.DS)
	if m.Base == x86.RSP || m.Base == x86.RBP {
		def = x86.SS
	}
	m.Seg = l.segment(def)
	return m
}

// lookup asks x86asm about the instruction with its prefixes in canonical
// form: each that counts once, REX last, and none that the opcode ignores.
// Undocumented aliases become the documented opcode. An answer of another
// length is none.
func (l *layout) lookup() (x86asm.Inst, error) {
	var buf [2 * MaxLen]byte
	b := buf[:0]
	if l.enc == encLegacy {
		b = l.canonicalPrefixes(b)
	}
	start := len(b)
	b = append(b, l.code[l.opPos:l.pos]...)
	if l.enc == encLegacy && l.opMap == map1Byte {
		l.unalias(b[start:])
	}
	xi, err := x86asm.Decode(b, int(l.mode))
	if err == nil && (xi.Len != len(b) || xi.Op == 0) {
		err = x86asm.ErrUnrecognized
	}
	return xi, err
}

// canonicalPrefixes appends the prefixes that count. VEX and EVEX get none,
// since x86asm wants them at the very start.
func (l *layout) canonicalPrefixes(b []byte) []byte {
	if l.seg != noSeg {
		b = append(b, segPrefix[l.seg])
	}
	if l.addr67 {
		b = append(b, prefixAddr)
	}
	if l.lock {
		b = append(b, prefixLock)
	}
	if l.data66 {
		b = append(b, prefixData)
	}
	if l.rep != 0 && l.repCounts() {
		b = append(b, l.rep)
	}
	if l.rex != 0 {
		b = append(b, l.rex)
	}
	return b
}

// repCounts tells whether F2 or F3 means something to the opcode.
func (l *layout) repCounts() bool {
	return l.opMap != map1Byte || l.isString() || l.opcode == 0x90
}

// isString tells whether the instruction is a string instruction, which REP
// repeats.
func (l *layout) isString() bool {
	op := l.opcode
	return l.opMap == map1Byte && l.enc == encLegacy &&
		(op >= 0x6C && op <= 0x6F || op >= 0xA4 && op <= 0xA7 || op >= 0xAA && op <= 0xAF)
}

// unalias replaces an undocumented encoding by the one with the same effect:
// 82 by 80, TEST /1 by /0, SAL /6 by SHL /4. b begins with the opcode.
func (l *layout) unalias(b []byte) {
	op := l.opcode
	switch {
	case op == 0x82:
		b[0] = 0x80
	case op|1 == 0xF7 && l.reg() == 1:
		b[1] &^= 0x38
	case (op|1 == 0xC1 || op >= 0xD0 && op <= 0xD3) && l.reg() == 6:
		b[1] &^= 0x10
	}
}

// operand converts an operand; memBytes is the size of one in memory.
func (in *Inst) operand(a x86asm.Arg, memBytes int) Operand {
	switch a := a.(type) {
	case nil:
		return Operand{}
	case x86asm.Mem:
		return Operand{Kind: KindMem, Size: uint8(memBytes)}
	case x86asm.Imm:
		in.Imm = int64(a)
		return Operand{Kind: KindImm}
	case x86asm.Reg:
		return register(a)
	}
	return Operand{Kind: KindOther}
}

// register converts a register; x86asm numbers each class from its first.
func register(r x86asm.Reg) Operand {
	class := func(kind Kind, first x86asm.Reg, size uint8) Operand {
		return Operand{Kind: kind, Reg: uint8(r - first), Size: size}
	}
	switch {
	case r >= x86asm.AL && r <= x86asm.BL:
		return class(KindReg, x86asm.AL, 1)
	case r >= x86asm.AH && r <= x86asm.BH:
		o := class(KindReg, x86asm.AH, 1)
		o.High = true
		return o
	case r >= x86asm.SPB && r <= x86asm.R15B:
		o := class(KindReg, x86asm.SPB, 1)
		o.Reg += x86.RSP
		return o
	case r >= x86asm.AX && r <= x86asm.R15W:
		return class(KindReg, x86asm.AX, 2)
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return class(KindReg, x86asm.EAX, 4)
	case r >= x86asm.RAX && r <= x86asm.R15:
		return class(KindReg, x86asm.RAX, 8)
	case r >= x86asm.ES && r <= x86asm.GS:
		return class(KindSeg, x86asm.ES, 2)
	case r >= x86asm.CR0 && r <= x86asm.CR15:
		return class(KindCR, x86asm.CR0, 0)
	case r >= x86asm.DR0 && r <= x86asm.DR15:
		return class(KindDR, x86asm.DR0, 0)
	}
	return Operand{Kind: KindOther}
}
