package nucleusrules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaultOfInstruction(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		rule Rule
	}{
		{"VZEROUPPER", []byte{0xC5, 0xF8, 0x77}, RuleVEX},
		{"VEX of three bytes: VMOVDQU YMM0, [RAX]", []byte{0xC4, 0xE1, 0x7E, 0x6F, 0x00}, RuleVEX},
		{"VEX after a segment prefix", []byte{0x65, 0xC5, 0xFE, 0x6F, 0x00}, RuleVEX},
		{"EVEX: VMOVDQU64 ZMM0, [RAX]", []byte{0x62, 0xF1, 0xFE, 0x48, 0x6F, 0x00}, RuleVEX},
		{"FLD1", []byte{0xD9, 0xE8}, RuleExtended},
		{"EMMS", []byte{0x0F, 0x77}, RuleExtended},
		{"XSAVE64 [RAX]", []byte{0x48, 0x0F, 0xAE, 0x20}, RuleExtended},
		{"XRSTOR64 [RAX]", []byte{0x48, 0x0F, 0xAE, 0x28}, RuleExtended},
		{"FXSAVE64 [RAX]", []byte{0x48, 0x0F, 0xAE, 0x00}, RuleExtended},
		{"FXRSTOR64 [RAX]", []byte{0x48, 0x0F, 0xAE, 0x08}, RuleExtended},
		{"MOVUPS [RAX], XMM15", []byte{0x44, 0x0F, 0x11, 0x38}, ""},
		{"POP [RAX], which XOP shares its first byte with", []byte{0x8F, 0x00}, ""},
		{"LFENCE", []byte{0x0F, 0xAE, 0xE8}, ""},
		{"XSETBV", []byte{0x0F, 0x01, 0xD1}, ""},
		{"VMRUN", []byte{0x0F, 0x01, 0xD8}, ""},
	} {
		in, err := decode(c.code, 0x1000)
		require.NoError(t, err, c.name)
		require.Equal(t, 0x1000+uint64(len(c.code)), in.next, c.name)
		rule, bad := in.fault()
		require.Equal(t, c.rule, rule, c.name)
		require.Equal(t, c.rule != "", bad, c.name)
	}
	_, err := decode([]byte{0x06}, 0x1000)
	require.ErrorContains(t, err, "0x1000")
}

func TestStackOfInstruction(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want stack
	}{
		{"PUSH RAX", []byte{0x50}, stack{grow: 8}},
		{"PUSH AX", []byte{0x66, 0x50}, stack{grow: 2}},
		{"PUSH RSP", []byte{0x54}, stack{grow: 8}},
		{"PUSHFQ", []byte{0x9C}, stack{grow: 8}},
		{"POP RAX", []byte{0x58}, stack{grow: -8}},
		{"POP RSP", []byte{0x5C}, stack{grow: -8, unknown: true}},
		{"SUB RSP, 200H", []byte{0x48, 0x81, 0xEC, 0, 2, 0, 0}, stack{grow: 0x200}},
		{"SUB RSP, -80H", []byte{0x48, 0x83, 0xEC, 0x80}, stack{grow: -0x80}},
		{"ADD RSP, 18H", []byte{0x48, 0x83, 0xC4, 0x18}, stack{grow: -0x18}},
		{"AND RSP, -64", []byte{0x48, 0x83, 0xE4, 0xC0}, stack{grow: 63}},
		{"LEA RSP, [RSP-16]", []byte{0x48, 0x8D, 0x64, 0x24, 0xF0}, stack{grow: 16}},
		{"LEA RSP, [RIP]", []byte{0x48, 0x8D, 0x25, 0, 0, 0, 0}, stack{other: true}},
		{"LEA RSP, [RAX]", []byte{0x48, 0x8D, 0x20}, stack{unknown: true}},
		{"MOV RSP, [RAX]", []byte{0x48, 0x8B, 0x20}, stack{other: true}},
		{"MOV RSP, RAX", []byte{0x48, 0x89, 0xC4}, stack{unknown: true}},
		{"SUB RSP, RAX", []byte{0x48, 0x29, 0xC4}, stack{unknown: true}},
		{"XCHG RSP, RAX", []byte{0x48, 0x94}, stack{unknown: true}},
		{"LEAVE", []byte{0xC9}, stack{unknown: true}},
		{"CMP RSP, [R14+16]", []byte{0x49, 0x3B, 0x66, 0x10}, stack{}},
		{"TEST RSP, RSP", []byte{0x48, 0x85, 0xE4}, stack{}},
		{"MOV [RAX], RSP", []byte{0x48, 0x89, 0x20}, stack{}},
		{"SUB RAX, 8", []byte{0x48, 0x83, 0xE8, 0x08}, stack{}},
	} {
		in, err := decode(c.code, 0)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, in.stack(), c.name)
	}
}

// text makes an image of one function f, followed by one called g, and a
// read-only word.
func text(code ...byte) *Image {
	const base = 0x1000
	end := base + uint64(len(code))
	m := &Image{
		segments:  []segment{{base, append(code, 0xC3), false}},
		functions: []symbol{{"f", base, end}, {"g", end, end + 1}},
		byName:    map[string]*symbol{},
	}
	m.index()
	return m
}

func TestCodeThatCannotBeFollowed(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		err  string
	}{
		{"PUSH RAX; JMP to it", []byte{0x50, 0xEB, 0xFD}, "grows in a loop"},
		{"NOP and no more", []byte{0x90}, "leaves the function"},
		{"not an instruction", []byte{0x06}, "instruction at 0x1000"},
		{"JMP [RAX+RCX*8] without a table", []byte{0xFF, 0x24, 0xC8}, "no table"},
	} {
		_, err := text(c.code...).Function("f")
		require.ErrorContains(t, err, c.err, c.name)
	}
}

func TestCalls(t *testing.T) {
	f, err := text(0x50, 0x58, 0xE9, 0, 0, 0, 0).Function("f") // PUSH RAX; POP RAX; JMP g
	require.NoError(t, err)
	require.Equal(t, []Call{{To: "g", Depth: 0, Site: 0x1002}}, f.Calls)
	require.Equal(t, 8, f.Own)

	f, err = text(0xE8, 0xFC, 0xFF, 0xFF, 0xFF, 0xC3).Function("f") // CALL f+1; RET
	require.NoError(t, err)
	require.Equal(t, RuleCode, f.Faults[0].Rule)

	f, err = text(0x74, 0x01, 0x50, 0xE8, 0x01, 0, 0, 0, 0xC3).Function("f") // JZ +1; PUSH RAX; CALL g; RET
	require.NoError(t, err)
	require.Equal(t, []Call{{To: "g", Depth: 16, Site: 0x1003}}, f.Calls, "the deeper of two ways counts")

	// MOV RDX, [RIP+x]; JZ over MOV RDX, [RBX]; MOV RCX, [RDX]; CALL RCX; RET
	f, err = text(0x48, 0x8B, 0x15, 0, 0, 0, 0, 0x74, 0x03, 0x48, 0x8B, 0x13, 0x48, 0x8B, 0x0A, 0xFF, 0xD1, 0xC3).Function("f")
	require.NoError(t, err)
	require.Equal(t, []Call{{Depth: 8, Site: 0x100F}}, f.Calls, "two ways lead to the call")
}
