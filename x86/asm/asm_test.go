package asm_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"
	"pgregory.net/rapid"

	. "ringo/x86/asm"
	"ringo/x86/asm/asmtest"
)

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		mode Mode
		make func(a *Asm)
		want error
	}{
		"label not defined":    {Bits64, func(a *Asm) { a.Jmp("x") }, ErrLabel},
		"label defined twice":  {Bits64, func(a *Asm) { a.Label("x"); a.Label("x") }, ErrLabel},
		"short jump too far":   {Bits64, func(a *Asm) { a.JmpShort("x"); a.Space(128); a.Label("x") }, ErrRange},
		"short jump too far -": {Bits64, func(a *Asm) { a.Label("x"); a.Space(127); a.JccShort(E, "x") }, ErrRange},
		"address of 16 bits":   {Bits16, func(a *Asm) { a.Space(0x10000); a.Label("x"); a.Mov(AX, Addr{Label: "x"}) }, ErrRange},
		"immediate":            {Bits64, func(a *Asm) { a.Mov(AL, Imm(0x100)) }, ErrRange},
		"immediate of 64 bits": {Bits64, func(a *Asm) { a.Add(RAX, Imm(0x80000000)) }, ErrRange},
		"pad":                  {Bits64, func(a *Asm) { a.Space(9); a.Pad(8, 0) }, ErrRange},
		"two widths":           {Bits64, func(a *Asm) { a.Mov(EAX, RBX) }, ErrOperand},
		"no width":             {Bits64, func(a *Asm) { a.Mov(Ptr(RAX, 0), Imm(1)) }, ErrOperand},
		"two memory operands":  {Bits64, func(a *Asm) { a.Mov(Ptr(RAX, 0).Byte(), Ptr(RBX, 0).Byte()) }, ErrOperand},
		"store to immediate":   {Bits64, func(a *Asm) { a.Add(Imm(1), EAX) }, ErrOperand},
		"REX in 32-bit mode":   {Bits32, func(a *Asm) { a.Mov(RAX, RBX) }, ErrMode},
		"new byte register":    {Bits32, func(a *Asm) { a.Mov(SIL, AL) }, ErrMode},
		"AH with REX":          {Bits64, func(a *Asm) { a.Mov(AH, R8B) }, ErrOperand},
		"16-bit form":          {Bits16, func(a *Asm) { a.Mov(AL, Ptr(AX, 0)) }, ErrOperand},
		"16-bit addressing":    {Bits64, func(a *Asm) { a.Mov(AL, Ptr(BX, 0)) }, ErrMode},
		"SP as index":          {Bits64, func(a *Asm) { a.Mov(AL, Ptr(RAX, 0).Plus(RSP, 1)) }, ErrOperand},
		"scale":                {Bits64, func(a *Asm) { a.Mov(AL, Ptr(RAX, 0).Plus(RBX, 3)) }, ErrOperand},
		"CR and 32 bits":       {Bits64, func(a *Asm) { a.Mov(CR0, EAX) }, ErrOperand},
		"load of CS":           {Bits64, func(a *Asm) { a.Mov(CS, AX) }, ErrOperand},
		"push of 32 bits":      {Bits64, func(a *Asm) { a.Push(EAX) }, ErrOperand},
		"pusha":                {Bits64, func(a *Asm) { a.Pusha() }, ErrMode},
		"swapgs":               {Bits32, func(a *Asm) { a.Swapgs() }, ErrMode},
		"far jump":             {Bits64, func(a *Asm) { a.Label("x"); a.JmpFar(8, "x", 32) }, ErrMode},
		"port":                 {Bits64, func(a *Asm) { a.In(AL, Imm(0x3f8)) }, ErrOperand},
		"port data":            {Bits64, func(a *Asm) { a.In(BL, DX) }, ErrOperand},
		"shift count":          {Bits64, func(a *Asm) { a.Shl(EAX, DL) }, ErrOperand},
		"widening":             {Bits64, func(a *Asm) { a.Movzx(AX, EBX) }, ErrOperand},
		"vector":               {Bits64, func(a *Asm) { a.Movups(XMM0, RAX) }, ErrOperand},
	} {
		a := New(c.mode, 0)
		c.make(a)
		code, err := a.Bytes()
		require.ErrorIs(t, err, c.want, name)
		require.Nil(t, code, name)
	}
}

func TestErrorsCollect(t *testing.T) {
	a := New(Bits64, 0)
	a.Jmp("nowhere")
	a.Mov(AL, Imm(0x100))
	_, err := a.Bytes()
	require.ErrorIs(t, err, ErrLabel)
	require.ErrorIs(t, err, ErrRange)
	require.ErrorContains(t, err, `"nowhere"`)
}

func TestLabels(t *testing.T) {
	a := New(Bits64, 0x1000)
	a.Jmp("code")
	a.Label("data")
	a.Data64(0x1122334455667788)
	a.Label("code")
	a.Mov(At("data").Dword(), Imm(-2))        // RIP-relative, with an immediate behind it
	a.Mov(RAX, Addr{Label: "data", Add: 4})   // absolute
	a.Mov(EBX, Mem{Base: RCX, Label: "data"}) // base + label
	a.DataAddr(32, "code", 1)
	code := asmtest.Check(t, a)
	i, err := x86asm.Decode(code[13:], 64)
	require.NoError(t, err)
	m, ok := i.Args[0].(x86asm.Mem)
	require.True(t, ok)
	require.Equal(t, int64(0x1005), 0x1000+13+int64(i.Len)+int64(int32(m.Disp)))
	require.Equal(t, []byte{0x09, 0x10, 0, 0, 0, 0, 0, 0}, code[13+i.Len+2:][:8])
	require.Equal(t, []byte{0x0e, 0x10, 0, 0}, code[len(code)-4:])
	at, err := a.Address("code")
	require.NoError(t, err)
	require.Equal(t, uint64(0x100d), at)
	_, err = a.Address("none")
	require.ErrorIs(t, err, ErrLabel)
	require.NotEqual(t, a.Unique("l"), a.Unique("l"))
}

// TestMemoryForms compares every kind of 64-bit memory operand with what
// x86asm reads.
func TestMemoryForms(t *testing.T) {
	toX86 := func(r Reg) x86asm.Reg { return x86asm.RAX + x86asm.Reg(r-RAX) }
	rapid.Check(t, func(t *rapid.T) {
		m := Mem{Disp: int64(int32(rapid.Uint32().Draw(t, "disp")))}
		want := x86asm.Mem{Disp: m.Disp}
		if rapid.Bool().Draw(t, "short") {
			m.Disp = int64(int8(m.Disp))
			want.Disp = m.Disp
		}
		if rapid.Bool().Draw(t, "has base") {
			m.Base = GPR(rapid.IntRange(0, 15).Draw(t, "base"), 64)
			want.Base = toX86(m.Base)
		}
		if rapid.Bool().Draw(t, "has index") {
			m.Index = GPR(rapid.IntRange(0, 15).Filter(func(n int) bool { return n != 4 }).Draw(t, "index"), 64)
			m.Scale = 1 << rapid.IntRange(0, 3).Draw(t, "scale")
			want.Index, want.Scale = toX86(m.Index), uint8(m.Scale)
		}
		r := GPR(rapid.IntRange(0, 15).Draw(t, "reg"), 64)
		a := New(Bits64, 0)
		a.Mov(r, m)
		code, err := a.Bytes()
		require.NoError(t, err)
		i, err := x86asm.Decode(code, 64)
		require.NoError(t, err)
		require.Equal(t, len(code), i.Len)
		require.Equal(t, toX86(r), i.Args[0])
		got := i.Args[1].(x86asm.Mem)
		got.Disp = int64(int32(got.Disp)) // read as unsigned where there is no base
		if want.Index == 0 {
			got.Scale = 0
		}
		require.Equal(t, want, got)
	})
}
