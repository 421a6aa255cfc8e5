package aml

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The wanted bytes follow from the grammar in the specification's chapter 20,
// worked out by hand.
func TestEncoding(t *testing.T) {
	for _, c := range []struct {
		name string
		term Term
		want string
	}{
		{"Zero", Integer(0), "00"},
		{"One", Integer(1), "01"},
		{"byte", Integer(0xFF), "0A FF"},
		{"word", Integer(0x100), "0B 00 01"},
		{"dword", Integer(0xFEE00000), "0C 00 00 E0 FE"},
		{"qword", Integer(1 << 32), "0E 00 00 00 00 01 00 00 00"},
		{"string", String("AB"), "0D 41 42 00"},
		{"EISA ID", EISAID("PNP0501"), "0C 41 D0 05 01"},
		{"name", Name("_UID", Integer(5)), "08 5F 55 49 44 0A 05"},
		{"short name", Name("A", Integer(0)), "08 41 5F 5F 5F 00"},
		{"root name", Name(`\_S5`, Integer(0)), "08 5C 5F 53 35 5F 00"},
		{"package", Package(Integer(5), Integer(0)), "12 05 02 0A 05 00"},
		{"buffer", Buffer([]byte{7, 8}), "11 05 0A 02 07 08"},
		{"empty device", Device("DEV0"), "5B 82 05 44 45 56 30"},
		{"scope", Scope(`\_SB`), "10 06 5C 5F 53 42 5F"},
		{"two segments", Scope(`\A.B`), "10 0B 5C 2E 41 5F 5F 5F 42 5F 5F 5F"},
		{"three segments", Scope(`A.B.C`), "10 0F 2F 03 41 5F 5F 5F 42 5F 5F 5F 43 5F 5F 5F"},
		{"root scope", Scope(`\`), "10 03 5C 00"},
		{"method", Method("_STA", 1, Return(Integer(15))), "14 09 5F 53 54 41 01 A4 0A 0F"},
		{"COM1", Resources(IO(0x3F8, 8), IRQ(4)), "11 10 0A 0D 47 01 F8 03 F8 03 01 08 22 10 00 79 00"},
		{"memory", Resources(Memory32(0xFEC00000, 0x1000)),
			"11 11 0A 0E 86 09 00 01 00 00 C0 FE 00 10 00 00 79 00"},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		require.NoError(t, err)
		require.Equal(t, Term(want), c.term, c.name)
	}
}

// decodePkgLength reads a package length as an interpreter does.
func decodePkgLength(b []byte) (length, size int) {
	extra := int(b[0] >> 6)
	if extra == 0 {
		return int(b[0] & 0x3F), 1
	}
	length = int(b[0] & 0xF)
	for i := range extra {
		length |= int(b[1+i]) << (4 + 8*i)
	}
	return length, 1 + extra
}

func TestPkgLengthProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 5000), rapid.IntRange(0, 1<<28-5)).Draw(t, "n")
		b := pkgLength(n)
		length, size := decodePkgLength(b)
		require.Equal(t, size, len(b))
		require.Equal(t, n+size, length)
	})
	for _, n := range []int{0, 61, 62, 63, 64, 4092, 4093, 4094, 1<<20 - 4, 1<<20 - 3, 1<<28 - 5} {
		length, size := decodePkgLength(pkgLength(n))
		require.Equal(t, n+size, length)
	}
	require.Panics(t, func() { pkgLength(1<<28 - 4) })
}

func TestIntegerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64().Draw(t, "v") >> rapid.IntRange(0, 63).Draw(t, "shift")
		b := Integer(v)
		if v < 2 {
			require.Equal(t, Term{byte(v)}, b)
			return
		}
		var word [8]byte
		copy(word[:], b[1:])
		require.Equal(t, v, binary.LittleEndian.Uint64(word[:]))
		require.Equal(t, map[byte]int{0x0A: 2, 0x0B: 3, 0x0C: 5, 0x0E: 9}[b[0]], len(b))
	})
}

func TestMistakesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"lower case":        func() { Name("abc", Integer(0)) },
		"long segment":      func() { Name("ABCDE", Integer(0)) },
		"digit first":       func() { Name("1ABC", Integer(0)) },
		"empty segment":     func() { Name("A..B", Integer(0)) },
		"EISA ID length":    func() { EISAID("PNP050") },
		"EISA ID letters":   func() { EISAID("pnp0501") },
		"EISA ID digits":    func() { EISAID("PNPXXXX") },
		"string":            func() { String("a\x00") },
		"interrupt":         func() { IRQ(16) },
		"package":           func() { Package(make([]Term, 256)...) },
		"method arguments":  func() { Method("A", 8) },
		"too many segments": func() { Scope(strings.Repeat("A.", 255) + "A") },
	} {
		require.Panics(t, f, name)
	}
}
