package insn

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/x86"
	"ringo/x86/insn/internal/native"
)

var aluActions = map[string]action{
	"ADD": actAdd, "ADC": actAdc, "SUB": actSub, "SBB": actSbb, "AND": actAnd, "OR": actOr, "XOR": actXor,
	"CMP": actCmp, "INC": actInc, "DEC": actDec, "NEG": actNeg, "NOT": actNot,
}

// interesting are operands at the edges of every size.
var interesting = []uint64{
	0, 1, 2, 0xF, 0x10, 0x7F, 0x80, 0x81, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
	0xFFFFFFFF, 0x100000000, 1<<63 - 1, 1 << 63, ^uint64(0) - 1, ^uint64(0), 0x123456789ABCDEF0,
}

// requireNative compares one operation with the processor's.
func requireNative(t require.TestingT, name string, size uint8, a, b, flags uint64) {
	want, wantFlags := native.ALU[name][size](a, b, flags)
	got, gotFlags := alu(aluActions[name], a, b, flags, size)
	require.Equal(t, wantFlags&x86.FlagsStatus, gotFlags, "%s size %d a %#x b %#x flags %#x", name, size, a, b, flags)
	if name != "CMP" {
		require.Equal(t, want&sizeMask(size), got, "%s size %d a %#x b %#x flags %#x", name, size, a, b, flags)
	}
}

func TestALUAgainstProcessor(t *testing.T) {
	for name := range aluActions {
		for _, size := range []uint8{1, 2, 4, 8} {
			for _, a := range interesting {
				for _, b := range interesting {
					for _, flags := range []uint64{0, x86.FlagCF, x86.FlagsStatus} {
						requireNative(t, name, size, a, b, flags)
					}
				}
			}
		}
	}
}

func TestALUAgainstProcessorRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		flags := rapid.Uint64().Draw(t, "flags") & x86.FlagsStatus
		for name := range aluActions {
			for _, size := range []uint8{1, 2, 4, 8} {
				requireNative(t, name, size, a, b, flags)
			}
		}
	})
}

func TestConditions(t *testing.T) {
	// The flags after a comparison decide signed and unsigned order.
	for _, a := range interesting {
		for _, b := range interesting {
			_, f := sub(a, b, 0, 8)
			for code, want := range map[uint8]bool{
				2: a < b, 3: a >= b, 4: a == b, 5: a != b, 6: a <= b, 7: a > b,
				0xC: int64(a) < int64(b), 0xD: int64(a) >= int64(b), 0xE: int64(a) <= int64(b), 0xF: int64(a) > int64(b),
				8: int64(a-b) < 0, 9: int64(a-b) >= 0,
			} {
				require.Equal(t, want, condition(code, f), "code %d of %#x and %#x", code, a, b)
			}
		}
	}
	require.True(t, condition(0, x86.FlagOF))
	require.True(t, condition(0xA, x86.FlagPF))
	require.False(t, condition(0xB, x86.FlagPF))
}
