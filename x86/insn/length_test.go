package insn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLengths(t *testing.T) {
	cases := []struct {
		code string
		mode Mode
	}{
		// What x86asm gets wrong or does not know.
		{"c5 f8 77", Mode64},
		{"c5 fc 77", Mode64},
		{"66 0f ae 30", Mode64},
		{"f3 0f c7 f8", Mode64},
		{"0f 01 c1", Mode64},
		{"0f 01 d9", Mode64},
		{"0f 01 ca", Mode64},
		{"f3 0f 1e fa", Mode64},
		{"0f 01 ef", Mode64},
		{"66 0f 38 f8 03", Mode64},
		{"66 f2 0f 38 f1 c0", Mode64},
		{"67 c5 f8 10 43 10", Mode64},
		{"62 f1 7c 48 10 43 01", Mode64},
		{"8f e9 78 e1 c0", Mode64},             // XOP VPHADDD-like
		{"8f ea 78 10 c0 01 02 03 04", Mode64}, // XOP BEXTR
		{"0f 0f c1 b4", Mode64},                // 3DNow!
		{"66 0f 78 c0 01 02", Mode64},          // EXTRQ
		{"f2 0f 78 c1 01 02", Mode64},          // INSERTQ
		{"f2 0f 79 c1", Mode64},
		{"82 23 0f", Mode32},
		{"c5 07", Mode32}, // LDS
		{"c5 f8 28 c1", Mode32},
		{"62 07", Mode32}, // BOUND
		{"9a 01 02 03 04 05 06", Mode32},
		{"9a 01 02 03 04", Mode16},
		{"66 9a 01 02 03 04 05 06", Mode16},
		{"f7 05 01 02 03 04 05 06 07 08", Mode32},
		{"f7 06 01 02 03 04", Mode16},
		{"f6 0e 01 02 03", Mode16},
		{"67 f7 05 01 02 03 04 05 06", Mode16},
		{"c8 01 02 03", Mode64},
		{"a0 01 02 03 04 05 06 07 08", Mode64},
		{"67 a0 01 02 03 04", Mode64},
		{"48 b8 01 02 03 04 05 06 07 08", Mode64},
		{"66 48 b8 01 02 03 04 05 06 07 08", Mode64},
		{"48 66 b8 01 02", Mode64},
		{"0f 20 04", Mode64},
		{"2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 90", Mode64},
	}
	for _, c := range cases {
		b := code(t, c.code)
		for _, extra := range []int{0, 20} {
			n, err := Length(append(bytes.Clone(b), make([]byte, extra)...), c.mode)
			require.NoError(t, err, c.code)
			require.Equal(t, len(b), n, c.code)
		}
		for short := range b {
			_, err := Length(b[:short], c.mode)
			require.ErrorIs(t, err, ErrTruncated, "%s cut to %d", c.code, short)
		}
	}
}

func TestLengthErrors(t *testing.T) {
	for _, c := range []struct {
		code string
		mode Mode
		want error
	}{
		{strings.Repeat("66", 15) + "90", Mode64, ErrTooLong},
		{strings.Repeat("2e", 13) + "8b00" + "00", Mode16, nil},
		{strings.Repeat("2e", 11) + "c78000010203040506070809", Mode64, ErrTooLong},
		{"06", Mode64, ErrInvalid},
		{"9a 01 02 03 04 05 06", Mode64, ErrInvalid},
		{"0f 0a", Mode64, ErrInvalid},
		{"66 c5 f8 28 c1", Mode64, ErrInvalid},
		{"f0 c5 f8 28 c1", Mode64, ErrInvalid},
		{"c4 e0 78 28 c1", Mode64, ErrInvalid}, // map 0
	} {
		_, err := Length(code(t, c.code), c.mode)
		require.ErrorIs(t, err, c.want, c.code)
	}
}

func TestUndefined(t *testing.T) {
	for _, c := range []string{
		"fe d0", "ff f8", "c6 08 01", "8d c0", "8e c8", "8c f0", "0f ba 00 01", "0f c7 00", "0f c7 c8",
		"0f 01 28", "0f 01 c7", "0f 20 c8", "44 0f 20 c8", "0f 00 30", "0f c3 c0",
		"f0 89 03", "f0 01 c0", "f0 39 03", "f0 0f a3 03", "f0 83 3b 01", "f0 90",
	} {
		_, err := Decode(code(t, c), Mode64)
		require.ErrorIs(t, err, ErrInvalid, c)
	}
}

func TestMendedNames(t *testing.T) {
	for c, want := range map[string]string{
		"0f 01 c1": "VMCALL", "0f 01 d9": "VMMCALL", "0f 01 d8": "VMRUN", "0f 01 ca": "CLAC", "0f 01 cb": "STAC",
		"f3 0f 1e fa": "ENDBR64", "f3 0f 1e fb": "ENDBR32", "0f 01 ee": "RDPKRU", "66 0f ae 30": "CLWB",
		"66 0f ae 38": "CLFLUSHOPT", "0f ae 30": "XSAVEOPT", "f3 0f c7 f8": "RDPID", "0f c7 f8": "RDSEED",
		"0f c7 f0": "RDRAND", "f3 0f c7 30": "VMXON", "0f 78 c0": "VMREAD", "c5 f8 77": "VZEROUPPER",
		"c5 fc 77": "VZEROALL", "66 0f 38 f8 03": "MOVDIR64B", "0f 38 f9 03": "MOVDIRI", "0f 01 e8": "SERIALIZE",
		"0f a2": "CPUID", "f4": "HLT", "0f 01 f9": "RDTSCP", "f3 90": "PAUSE", "0f 01 d1": "XSETBV",
		"c0 30 04": "SHL", "f3 0f 09": "WBNOINVD",
	} {
		in, err := Decode(code(t, c), Mode64)
		require.NoError(t, err, c)
		require.Equal(t, want, in.Op.String(), c)
		require.Len(t, code(t, c), int(in.Len), c)
	}
	require.Equal(t, "mov eax, dword ptr [rbx+0x10]", Text(code(t, "8b 43 10"), 0, Mode64))
	require.Equal(t, "(bad)", Text(code(t, "06"), 0, Mode64))
	require.Equal(t, "VMCALL", Text(code(t, "0f 01 c1"), 0, Mode64))
}
