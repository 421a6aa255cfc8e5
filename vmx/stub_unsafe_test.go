package vmx

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86"
)

// vmxOps are the instructions that x86asm does not know, by their bytes.
var vmxOps = map[string]string{
	"\x0F\x01\xC2": "VMLAUNCH", "\x0F\x01\xC3": "VMRESUME", "\x0F\x78\xC1": "VMREAD", "\x0F\x79\xC1": "VMWRITE",
}

// disassemble gives the instructions of code; a slot is one of them.
func disassemble(t *testing.T, code []byte) []string {
	t.Helper()
	var out []string
	for i := 0; i < len(code); {
		rest := code[i:]
		switch {
		case len(rest) > slotSize && rest[0] == opJMPShort && string(rest[2:7]) == slotMark:
			out = append(out, "SLOT"+string('0'+rest[7]))
			i += slotSize
			continue
		case len(rest) > 2 && vmxOps[string(rest[:3])] != "":
			out = append(out, vmxOps[string(rest[:3])])
			i += 3
			continue
		}
		in, err := x86asm.Decode(rest, 64)
		require.NoError(t, err, "offset %d: % x", i, rest[:min(15, len(rest))])
		out = append(out, in.String())
		i += in.Len
	}
	return out
}

// stubs gives the code of enter and of exited.
func stubs() (in, out []byte) {
	start, exit, end := entryText()
	text := unsafe.Slice(*(**byte)(unsafe.Pointer(&start)), end-start)
	return text[:exit-start], text[exit-start:]
}

// landmarks are the instructions whose order matters.
func landmarks(code []string) (order []string) {
	for _, in := range code {
		op, _, _ := strings.Cut(in, " ")
		if slices.Contains([]string{"VMLAUNCH", "VMRESUME", "VMREAD", "VMWRITE", "RET", "CALL", "RDTSC", "STI", "XSAVE64", "XRSTOR64", "RDMSR"}, op) ||
			strings.HasPrefix(op, "SLOT") {
			order = append(order, op)
		}
	}
	return order
}

// TestStubOrder: the budget of an exit is four VMREADs, and two more for a port
// access. All vector registers are saved before Go code runs: XMM by the stub,
// or all by XSAVE.
func TestStubOrder(t *testing.T) {
	in, out := stubs()
	entry, exit := disassemble(t, in), disassemble(t, out)
	require.Equal(t, []string{"RDTSC", "VMWRITE", "VMWRITE", "SLOT3", "SLOT1", "VMLAUNCH", "VMRESUME", "RET", "XRSTOR64"},
		landmarks(entry)[:9])
	require.Equal(t, []string{
		"SLOT2", "RDTSC", "VMREAD", "VMREAD", "VMREAD", "VMREAD", "RET", "XSAVE64", "XRSTOR64", "RDMSR", "VMREAD", "VMREAD",
	}, landmarks(exit)[:12])
	count := func(code []string, prefix string) (n int) {
		for _, s := range code {
			if strings.HasPrefix(s, prefix) {
				n++
			}
		}
		return n
	}
	require.Equal(t, 16, count(entry, "MOVUPS X"), "XMM registers loaded")
	require.Equal(t, 16, count(exit, "MOVUPS [RBX"), "XMM registers saved")
	require.Equal(t, 15, count(exit, "MOV [RDX"), "general registers saved, all but RSP")
}

// TestStubOffsets checks that the stubs load and store each register where the
// Area keeps it.
func TestStubOffsets(t *testing.T) {
	for i, code := range [...][]byte{first(stubs()), second(stubs())} {
		seen := map[int32]int{}
		for i := 0; i+7 <= len(code); i++ {
			// MOV r64, [RDX+disp32] or back: REX.W, 8B or 89, ModRM with rm 2.
			if code[i]&0xF8 != 0x48 || code[i+1] != 0x8B && code[i+1] != 0x89 || code[i+2]&0xC7 != 0x82 {
				continue
			}
			reg := int32(code[i+2]>>3&7 | code[i]&4<<1)
			disp := int32(binary.LittleEndian.Uint32(code[i+3:]))
			if n := (disp - int32(offsetGPR)) / 8; disp >= int32(offsetGPR) && n < x86.NumGPR {
				if n != x86.RDX { // goes through another register on the way out
					require.Equal(t, n, reg)
				}
				seen[n]++
			}
		}
		for n := int32(0); n < x86.NumGPR; n++ {
			want := 1
			if n == x86.RSP {
				want = 0
			}
			require.Equal(t, want, seen[n], "stub %d, general register %d", i, n)
		}
	}
}

func first(a, _ []byte) []byte  { return a }
func second(_, b []byte) []byte { return b }

// TestLeaveVectors runs the real instructions: the image is completed and the
// host is left with an initial state.
func TestLeaveVectors(t *testing.T) {
	initHostImage()
	require.Zero(t, uintptr(unsafe.Pointer(hostImage))%64)
	buf := make([]byte, 2*x86.XSAVESize+64)
	image := buf[-uintptr(unsafe.Pointer(&buf[0]))&63:][:x86.XSAVESize]
	for i := xsaveXMM; i < xsaveXMMEnd; i++ {
		image[i] = byte(i)
	}
	const mask = x86.XCR0X87 | x86.XCR0SSE
	want := bytes.Clone(image[xsaveXMM:xsaveXMMEnd])
	for range 2 { // the second image is that of the host
		leaveVectors(&image[0], mask, mask, mask, hostImage)
		require.Equal(t, want, image[xsaveXMM:xsaveXMMEnd], "the exit stub's part is left alone")
		require.NotZero(t, image[xsaveHeader]&x86.XCR0SSE, "but counts as saved")
	}
	require.EqualValues(t, 0x37F, binary.LittleEndian.Uint16(image[:]))
	require.EqualValues(t, x86.MXCSRReset, binary.LittleEndian.Uint32(image[xsaveMXCSR:]), "the host's")
}

func TestMitigationSlots(t *testing.T) {
	in, out := stubs()
	for slot, text := range map[int][]byte{slotEntry: in, slotEarly: in, slotExit: out} {
		at, err := findSlot(text, slot)
		require.NoError(t, err)
		require.EqualValues(t, opNOP, text[at+slotSize-1], "room to the end")
		require.NotEqualValues(t, opNOP, text[at+slotSize])
	}
	_, err := findSlot(in, 9)
	require.Error(t, err)
}

// TestMitigationPatch patches a copy of the stubs and decodes what is in it.
func TestMitigationPatch(t *testing.T) {
	start, _, _ := entryText()
	in, out := stubs()
	for option, want := range map[string]string{
		"off": "",
		"":    "IBPB RSB L1D",
		"all": "IBPB MDS RSB L1D",
	} {
		text := append(bytes.Clone(in), out...)
		b := &Backend{cpu: processor{ibpb: true, flushCmd: true, mdClear: true, mdsNo: true}}
		require.NoError(t, b.mitigate(Options{Mitigations: option, PatchText: func(addr uintptr, code []byte) error {
			require.Len(t, code, slotSize)
			copy(text[addr-start:], code)
			return nil
		}}))
		require.Equal(t, want, strings.Join(b.Mitigations(), " "), option)
		require.Equal(t, want != "", b.features&featureIBPB != 0)
		joined := strings.Join(disassemble(t, text), "; ")
		require.Equal(t, option == "off", strings.Contains(joined, "SLOT2"))
		require.Equal(t, option != "off", strings.Contains(joined, "ADD RSP, 0x100; LFENCE"))
		require.Equal(t, option != "off", strings.Contains(joined, "WRMSR"))
		require.Equal(t, option == "all", strings.Contains(joined, "VERW"))
	}
	require.ErrorIs(t, (&Backend{}).mitigate(Options{Mitigations: "some"}), ErrMitigations)
}

func TestTSSBase(t *testing.T) {
	const base = 0xFFFF_8123_4567_89AB
	gdt := [6]uint64{4: 103 | base&0xFF_FFFF<<16 | 0x89<<40 | base>>24&0xFF<<56, 5: base >> 32}
	require.EqualValues(t, uint64(base), tssBase(uint64(uintptr(unsafe.Pointer(&gdt))), 0x20))
}
