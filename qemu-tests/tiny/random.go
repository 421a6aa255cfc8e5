package tiny

import (
	. "ringo/x86/asm"
)

// Seed starts the random generator. The seed must not be 0.
func (g *Guest) Seed(seed uint64) {
	g.Mov(RAX, Imm(int64(seed)))
	g.Mov(Abs(varRandom), RAX)
}

// Random puts 64 random bits in RAX. It changes nothing else but the flags.
func (g *Guest) Random() { g.Call("random") }

// randomCode is a xorshift generator.
func (g *Guest) randomCode() {
	g.Label("random")
	g.Push(RCX)
	g.Mov(RAX, Abs(varRandom))
	for _, shift := range []int64{13, -7, 17} {
		g.Mov(RCX, RAX)
		if shift > 0 {
			g.Shl(RCX, Imm(shift))
		} else {
			g.Shr(RCX, Imm(-shift))
		}
		g.Xor(RAX, RCX)
	}
	g.Mov(Abs(varRandom), RAX)
	g.Pop(RCX)
	g.Ret()
}
