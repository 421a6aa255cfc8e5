package insn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

func TestTransferForms(t *testing.T) {
	for _, c := range []struct {
		name, code string
		mode       Mode
		want       Transfer
	}{
		{"mov eax, [rbx+8]", "8b 43 08", Mode64, Transfer{Len: 3, Size: 4}},
		{"mov [rbx], cx", "66 89 0b", Mode64, Transfer{Len: 3, Size: 2, Write: true}},
		{"mov [rip+10h], r9", "4c 89 0d 10 00 00 00", Mode64, Transfer{Len: 7, Size: 8, Write: true}},
		{"mov dword [0xfee000b0], 0", "c7 04 25 b0 00 e0 fe 00 00 00 00", Mode32, Transfer{Len: 11, Size: 4, Write: true}},
		{"mov al, [moffs]", "a0 00 00 e0 fe", Mode32, Transfer{Len: 5, Size: 1}},
		{"movzx eax, byte [rbx]", "0f b6 03", Mode64, Transfer{Len: 3, Size: 1}},
		{"movsxd rax, dword [rbx]", "48 63 03", Mode64, Transfer{Len: 3, Size: 4}},
		{"movnti [rbx], eax", "0f c3 03", Mode64, Transfer{Len: 3, Size: 4, Write: true}},
	} {
		in, err := Decode(code(t, c.code), c.mode)
		require.NoError(t, err, c.name)
		got, ok := in.Transfer()
		require.True(t, ok, c.name)
		require.Equal(t, c.want, Transfer{Len: got.Len, Size: got.Size, Write: got.Write}, c.name)
	}
	for _, c := range []string{
		"01 03", "87 03", "8b c3", "8e 03", "8c 03", "f3 a5", "ff 33", "64 8b 03", "65 89 03", "0f 38 f0 03", "a5",
	} {
		in, err := Decode(code(t, c), Mode64)
		require.NoError(t, err, c)
		_, ok := in.Transfer()
		require.False(t, ok, c)
	}
}

func TestTransferRegisters(t *testing.T) {
	const old = 0x1111_2222_3333_4444
	for _, c := range []struct {
		code         string
		read, result uint64
	}{
		{"8b 03", 0xFFFF_FFFF_8000_0001, 0x8000_0001}, // 32 bits clear the upper half
		{"66 8b 03", 0x8001, 0x1111_2222_3333_8001},
		{"8a 03", 0x81, 0x1111_2222_3333_4481},
		{"8a 23", 0x81, 0x1111_2222_3333_8144}, // AH
		{"0f b6 03", 0xFF81, 0x81},
		{"0f be 03", 0x81, 0xFFFF_FF81},
		{"48 0f be 03", 0x81, 0xFFFF_FFFF_FFFF_FF81},
		{"66 0f be 03", 0x81, 0x1111_2222_3333_FF81},
		{"48 63 03", 0x8000_0001, 0xFFFF_FFFF_8000_0001},
	} {
		in, err := Decode(code(t, c.code), Mode64)
		require.NoError(t, err)
		tr, ok := in.Transfer()
		require.True(t, ok)
		gpr := [x86.NumGPR]uint64{x86.RAX: old}
		tr.Put(&gpr, c.read)
		require.Equal(t, c.result, gpr[x86.RAX], "%s: %#x", c.code, gpr[x86.RAX])
	}
	for _, c := range []struct {
		code  string
		value uint64
	}{
		{"89 03", 0x3333_4444}, {"66 89 03", 0x4444}, {"88 03", 0x44}, {"88 23", 0x44}, {"48 89 03", old},
		{"c6 03 80", 0x80}, {"66 c7 03 01 80", 0x8001}, {"c7 03 00 00 00 80", 0x8000_0000},
		{"48 c7 03 00 00 00 80", 0xFFFF_FFFF_8000_0000},
	} {
		in, err := Decode(code(t, c.code), Mode64)
		require.NoError(t, err)
		tr, ok := in.Transfer()
		require.True(t, ok)
		require.Equal(t, c.value, tr.Value(&[x86.NumGPR]uint64{x86.RAX: old}), c.code)
	}
}

func TestTransferOffset(t *testing.T) {
	gpr := [x86.NumGPR]uint64{x86.RBX: 0xFFFF_FFFF_0000_0010, x86.RCX: 3}
	for _, c := range []struct {
		code   string
		mode   Mode
		offset uint64
	}{
		{"8b 43 f8", Mode64, 0xFFFF_FFFF_0000_0008},
		{"8b 44 8b 01", Mode64, 0xFFFF_FFFF_0000_001D},
		{"8b 05 00 01 00 00", Mode64, 0x5100},
		{"67 8b 43 f8", Mode64, 8},
		{"8b 43 f8", Mode32, 8},
		{"67 8b 07", Mode32, 0x10},                              // [bx]
		{"8b 04 25 00 00 00 80", Mode64, 0xFFFF_FFFF_8000_0000}, // SIB without base
	} {
		in, err := Decode(code(t, c.code), c.mode)
		require.NoError(t, err)
		tr, ok := in.Transfer()
		require.True(t, ok)
		require.Equal(t, c.offset, tr.Offset(&gpr, 0x5000), c.code)
	}
}
