package insn

import "ringo/x86"

// Transfer is an instruction that moves one value between memory and a general
// register, or an immediate to memory: MOV, MOVZX, MOVSX, MOVSXD and MOVNTI.
// Drivers access devices with these, so an owner may keep a Transfer and carry
// it out with the general registers alone. It holds no pointer.
type Transfer struct {
	Len   uint8 // bytes of the instruction; 0 in an empty Transfer
	Size  uint8 // bytes in memory: 1, 2, 4 or 8
	Write bool  // to memory

	signed bool
	reg    Operand // KindNone for an immediate
	imm    uint64
	mem    Mem
	mask   uint64 // of the address size
}

// Transfer gives the instruction as a Transfer if it is one in the segments
// ES, SS or DS.
func (in *Inst) Transfer() (t Transfer, ok bool) {
	if in.act != actMov && in.act != actMovzx && in.act != actMovsx {
		return t, false
	}
	t = Transfer{
		Len: in.Len, signed: in.act == actMovsx, imm: uint64(in.Imm), mem: in.Mem, mask: sizeMask(in.AddrSize),
	}
	dst, src := &in.Args[0], &in.Args[1]
	switch {
	case dst.Kind == KindReg && src.Kind == KindMem:
		t.Size, t.reg = src.Size, *dst
	case dst.Kind == KindMem && src.Kind == KindReg:
		t.Size, t.reg, t.Write = dst.Size, *src, true
	case dst.Kind == KindMem && src.Kind == KindImm:
		t.Size, t.Write = dst.Size, true
	default:
		return t, false
	}
	seg := in.Mem.Seg
	plain := seg == x86.ES || seg == x86.SS || seg == x86.DS
	return t, plain && t.Size != 0 && t.Size <= 8 && t.Size&(t.Size-1) == 0
}

// Offset is where the memory operand begins in its segment; next is the
// address of the next instruction.
func (t *Transfer) Offset(gpr *[x86.NumGPR]uint64, next uint64) uint64 {
	return t.mem.offset(gpr, next) & t.mask
}

// Value is what goes to memory, in the low Size bytes.
func (t *Transfer) Value(gpr *[x86.NumGPR]uint64) uint64 {
	if t.reg.Kind == KindNone {
		return t.imm & sizeMask(t.Size)
	}
	return t.reg.register(gpr)
}

// Put takes what was read from memory, of which the low Size bytes count.
func (t *Transfer) Put(gpr *[x86.NumGPR]uint64, v uint64) {
	v &= sizeMask(t.Size)
	if t.signed {
		v = signExtend(v, t.Size)
	}
	t.reg.setRegister(gpr, v)
}

// signExtend extends a value of n bytes, 1 to 8.
func signExtend(v uint64, n uint8) uint64 {
	shift := (64 - 8*uint(n)) & 63
	return uint64(int64(v<<shift) >> shift)
}
