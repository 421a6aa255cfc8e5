package svm

import (
	"encoding/binary"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86"
)

// svmOps are the instructions that x86asm does not know, by their third byte.
var svmOps = map[byte]string{
	0xD8: "VMRUN", 0xD9: "VMMCALL", 0xDA: "VMLOAD", 0xDB: "VMSAVE", 0xDC: "STGI", 0xDD: "CLGI", 0xDF: "INVLPGA",
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
		case len(rest) > 2 && rest[0] == 0x0F && rest[1] == 0x01 && svmOps[rest[2]] != "":
			out = append(out, svmOps[rest[2]])
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

func enterCode() []byte {
	start, end := entryText()
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&start)), end-start)
}

// TestEntryOrder checks the order that nucleus traps 11 and 14 ask for.
func TestEntryOrder(t *testing.T) {
	code := disassemble(t, enterCode())
	var order []string
	lastLoad, firstSave, xmmIn, xmmOut, gprOut := -1, -1, 0, 0, 0
	vmrun := -1
	for i, in := range code {
		op, _, _ := strings.Cut(in, " ")
		switch {
		case op == "VMRUN":
			vmrun = i
			fallthrough
		case svmOpName(op) || op == "STI" || op == "CLI" || strings.HasPrefix(op, "SLOT") || op == "RET":
			order = append(order, op)
		case op == "MOVUPS" && strings.HasPrefix(in, "MOVUPS X"):
			xmmIn++
			lastLoad = i
		case op == "MOVUPS":
			xmmOut++
			if firstSave < 0 {
				firstSave = i
			}
		case vmrun >= 0 && op == "MOV" && strings.HasPrefix(in, "MOV [RDX"):
			gprOut++
		case op == "CALL":
			require.Fail(t, "a call inside the stub", in)
		}
		require.False(t, strings.HasPrefix(op, "V") && !svmOpName(op), "VEX instruction %s", in)
	}
	require.Equal(t, []string{
		"CLGI", "STI", "VMLOAD", "SLOT1", "VMRUN", "VMSAVE", "VMLOAD", "SLOT2", "CLI", "STGI", "RET",
	}, order[:11])
	require.Equal(t, 16, xmmIn)
	require.Equal(t, 16, xmmOut)
	require.Equal(t, 14, gprOut, "RAX and RSP are in the VMCB")
	require.Less(t, lastLoad, vmrun)
	require.Greater(t, firstSave, vmrun)
}

func svmOpName(op string) bool {
	for _, n := range svmOps {
		if n == op {
			return true
		}
	}
	return false
}

// TestEntryOffsets checks that the stub loads and stores each register where
// the Area keeps it.
func TestEntryOffsets(t *testing.T) {
	code := enterCode()
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
		want := 2
		if n == x86.RAX || n == x86.RSP {
			want = 0
		}
		require.Equal(t, want, seen[n], "general register %d", n)
	}
}

// TestXSAVERoundTrip runs the real instructions: state put into the registers
// comes out again, and the host is left with an initial state.
func TestXSAVERoundTrip(t *testing.T) {
	initHostImage()
	require.Zero(t, uintptr(unsafe.Pointer(hostImage))%64)
	buf := make([]byte, 2*x86.XSAVESize+64)
	image := buf[-uintptr(unsafe.Pointer(&buf[0]))&63:][:x86.XSAVESize]
	image[0], image[1] = 0x7F, 0x02
	binary.LittleEndian.PutUint32(image[xsaveMXCSR:], 0x1FA0)
	for i := xsaveXMM; i < xsaveXMMEnd; i++ {
		image[i] = byte(i)
	}
	const mask = x86.XCR0X87 | x86.XCR0SSE
	image[xsaveHeader] = mask
	want := string(image[xsaveXMM:xsaveXMMEnd])
	forgetFPUPointers()
	xrstor(&image[0], mask)
	xsave(&image[0], mask)
	require.Equal(t, want, string(image[xsaveXMM:xsaveXMMEnd]))
	require.EqualValues(t, 0x1FA0, binary.LittleEndian.Uint32(image[xsaveMXCSR:]))
	require.EqualValues(t, 0x27F, binary.LittleEndian.Uint16(image[:]))
	require.NotZero(t, image[xsaveHeader]&x86.XCR0X87)
	xrstor(hostImage, mask)

	fxrstor(&image[0])
	clear(image[:xsaveXMM])
	fxsave(&image[0])
	require.EqualValues(t, 0x27F, binary.LittleEndian.Uint16(image[:]))
	require.Equal(t, want, string(image[xsaveXMM:xsaveXMMEnd]))
	xrstor(hostImage, mask)
}

func TestMitigationSlots(t *testing.T) {
	text := enterCode()
	for _, slot := range []int{slotEntry, slotExit} {
		at, err := findSlot(text, slot)
		require.NoError(t, err)
		require.EqualValues(t, opNOP, text[at+slotSize-1], "room to the end")
		require.NotEqualValues(t, opNOP, text[at+slotSize])
	}
	_, err := findSlot(text, 3)
	require.Error(t, err)
}

// TestMitigationPatch patches a copy of the stub and decodes what is in it.
func TestMitigationPatch(t *testing.T) {
	start, _ := entryText()
	for option, want := range map[string]string{
		"off": "",
		"":    "IBPB RSB",
		"all": "IBPB MDS L1D RSB SRSO",
	} {
		text := append([]byte(nil), enterCode()...)
		b, err := newBackend(epyc(0))
		require.NoError(t, err)
		b.cpu.flushCmd = true
		require.NoError(t, b.mitigate(Options{Mitigations: option, PatchText: func(addr uintptr, code []byte) error {
			require.Len(t, code, slotSize)
			copy(text[addr-start:], code)
			return nil
		}}))
		require.Equal(t, want, strings.Join(b.Mitigations(), " "), option)
		require.Equal(t, want != "", b.features&featureIBPB != 0)
		joined := strings.Join(disassemble(t, text), "; ")
		if option == "off" {
			require.Contains(t, joined, "SLOT1")
			continue
		}
		require.Contains(t, joined, "ADD RSP, 0x100; LFENCE")
		require.Equal(t, option == "all", strings.Contains(joined, "WRMSR"))
		require.Equal(t, option == "all", strings.Contains(joined, "VERW"))
	}
	b := &Backend{}
	require.ErrorIs(t, b.mitigate(Options{Mitigations: "some"}), ErrMitigations)
}

// TestRSBLoop checks the jumps of the return stack stuffing.
func TestRSBLoop(t *testing.T) {
	targets := []int{}
	for i := 0; i < len(rsbStuffing); {
		in, err := x86asm.Decode(rsbStuffing[i:], 64)
		require.NoError(t, err)
		if rel, ok := in.Args[0].(x86asm.Rel); ok {
			targets = append(targets, i+in.Len+int(rel))
		}
		i += in.Len
	}
	require.Equal(t, []int{11, 17, 5}, targets)
}
