package insn

// vectorMove is a load or store of a vector register as the emulator does it.
type vectorMove struct {
	size    uint8 // bytes in memory; 0: not a vector move
	store   bool
	aligned bool // #GP(0) if the address is not a multiple of 16
	high    bool // bytes 8 to 15 of the register
	merge   bool // a load leaves the rest of the register alone
	vex     bool
}

// vectorForm is one opcode of the table; map 0F unless escape is set.
type vectorForm struct {
	escape, opcode uint8
	prefix         mandatory
	move           vectorMove
}

// vectorForms are the plain loads and stores of 128 bits or less, in the order
// of the opcode map.
var vectorForms = [...]vectorForm{
	{map0F, 0x10, noPrefix, vectorMove{size: 16}},              // MOVUPS
	{map0F, 0x10, with66, vectorMove{size: 16}},                // MOVUPD
	{map0F, 0x10, withF3, vectorMove{size: 4}},                 // MOVSS
	{map0F, 0x10, withF2, vectorMove{size: 8}},                 // MOVSD
	{map0F, 0x11, noPrefix, vectorMove{size: 16, store: true}}, // MOVUPS
	{map0F, 0x11, with66, vectorMove{size: 16, store: true}},
	{map0F, 0x11, withF3, vectorMove{size: 4, store: true}},
	{map0F, 0x11, withF2, vectorMove{size: 8, store: true}},
	{map0F, 0x12, noPrefix, vectorMove{size: 8, merge: true}},             // MOVLPS
	{map0F, 0x12, with66, vectorMove{size: 8, merge: true}},               // MOVLPD
	{map0F, 0x13, noPrefix, vectorMove{size: 8, store: true}},             // MOVLPS
	{map0F, 0x13, with66, vectorMove{size: 8, store: true}},               // MOVLPD
	{map0F, 0x16, noPrefix, vectorMove{size: 8, merge: true, high: true}}, // MOVHPS
	{map0F, 0x16, with66, vectorMove{size: 8, merge: true, high: true}},   // MOVHPD
	{map0F, 0x17, noPrefix, vectorMove{size: 8, store: true, high: true}}, // MOVHPS
	{map0F, 0x17, with66, vectorMove{size: 8, store: true, high: true}},   // MOVHPD
	{map0F, 0x28, noPrefix, vectorMove{size: 16, aligned: true}},          // MOVAPS
	{map0F, 0x28, with66, vectorMove{size: 16, aligned: true}},            // MOVAPD
	{map0F, 0x29, noPrefix, vectorMove{size: 16, store: true, aligned: true}},
	{map0F, 0x29, with66, vectorMove{size: 16, store: true, aligned: true}},
	{map0F, 0x2B, noPrefix, vectorMove{size: 16, store: true, aligned: true}}, // MOVNTPS
	{map0F, 0x2B, with66, vectorMove{size: 16, store: true, aligned: true}},   // MOVNTPD
	{map0F38, 0x2A, with66, vectorMove{size: 16, aligned: true}},              // MOVNTDQA
	{map0F, 0x6E, with66, vectorMove{size: 4}},                                // MOVD, MOVQ with W
	{map0F, 0x6F, with66, vectorMove{size: 16, aligned: true}},                // MOVDQA
	{map0F, 0x6F, withF3, vectorMove{size: 16}},                               // MOVDQU
	{map0F, 0x7E, with66, vectorMove{size: 4, store: true}},                   // MOVD, MOVQ with W
	{map0F, 0x7E, withF3, vectorMove{size: 8}},                                // MOVQ
	{map0F, 0x7F, with66, vectorMove{size: 16, store: true, aligned: true}},   // MOVDQA
	{map0F, 0x7F, withF3, vectorMove{size: 16, store: true}},                  // MOVDQU
	{map0F, 0xD6, with66, vectorMove{size: 8, store: true}},                   // MOVQ
	{map0F, 0xE7, with66, vectorMove{size: 16, store: true, aligned: true}},   // MOVNTDQ
	{map0F, 0xF0, withF2, vectorMove{size: 16}},                               // LDDQU
}

// vectorMove recognizes a vector load or store between memory and an XMM
// register and fills in. 256 bits and VEX forms that merge three operands are
// left out.
func (l *layout) vectorMove(in *Inst) bool {
	if !l.isMem() || l.lock || l.enc != encLegacy && l.enc != encVEX || l.opMap != map0F && l.opMap != map0F38 {
		return false
	}
	if l.long || l.vvvv != 0 {
		return false
	}
	for i := range vectorForms {
		f := &vectorForms[i]
		if f.opcode != l.opcode || f.escape != l.opMap || f.prefix != l.prefix() {
			continue
		}
		in.vec = f.move
		in.vec.vex = l.enc == encVEX
		if in.vec.vex && in.vec.merge {
			return false
		}
		if l.opcode|0x10 == 0x7E && f.prefix == with66 && l.rex&rexW != 0 {
			in.vec.size = 8
		}
		in.Op, in.act = VectorMove, actVector
		xmm := Operand{Kind: KindXMM, Reg: l.reg() | l.rex&rexR<<1, Size: 16}
		mem := Operand{Kind: KindMem, Size: in.vec.size}
		in.Args = [3]Operand{xmm, mem}
		if in.vec.store {
			in.Args = [3]Operand{mem, xmm}
		}
		return true
	}
	return false
}
