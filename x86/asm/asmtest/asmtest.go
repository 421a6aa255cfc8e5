package asmtest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86/asm"
)

// unknown are encodings that x86asm cannot read.
var unknown = [][]byte{
	{0x0f, 0x01, 0xc1},    // vmcall
	{0x0f, 0x01, 0xd9},    // vmmcall
	{0x66, 0x0f, 0x01, 2}, // lgdt, lidt with a 32-bit base in 16-bit mode: read as having no prefix
	{0xc4}, {0xc5},        // VEX
}

func isUnknown(code []byte) bool {
	for _, u := range unknown {
		if bytes.HasPrefix(code, u) {
			return true
		}
	}
	return false
}

// Check disassembles every instruction of a program: each must have the length
// that the assembler thinks it has, and each relative jump must reach the
// start of an instruction. It returns the code.
func Check(t testing.TB, a *asm.Asm) []byte {
	t.Helper()
	code, err := a.Bytes()
	require.NoError(t, err)
	starts := map[int]bool{}
	for _, i := range a.Listing() {
		starts[i.Offset] = true
	}
	for _, i := range a.Listing() {
		one := code[i.Offset : i.Offset+i.Size]
		if isUnknown(one) {
			continue
		}
		d, err := x86asm.Decode(one, int(i.Mode))
		require.NoError(t, err, "offset %#x: % x", i.Offset, one)
		require.Equal(t, i.Size, d.Len, "offset %#x: % x reads as %v", i.Offset, one, d)
		if to, ok := d.Args[0].(x86asm.Rel); ok {
			require.True(t, starts[i.Offset+i.Size+int(to)], "offset %#x: %v does not reach an instruction", i.Offset, d)
		}
	}
	return code
}
