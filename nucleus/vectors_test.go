package nucleus

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"
)

// errorCodes are the exceptions for which the processor pushes an error code
// (SDM volume 3A, table 6-1 "Protected-Mode Exceptions and Interrupts"; AMD
// APM volume 2, table 8-1 for 29 and 30).
var errorCodes = []int{8, 10, 11, 12, 13, 14, 17, 21, 29, 30}

// handlerOf is the code that a vector's stub jumps to.
func handlerOf(v int) string {
	switch {
	case v >= 32:
		return "irqCommon"
	case v == 14:
		return "pfCommon"
	case v == 2 || v == 18:
		return "nmiCommon"
	case v == 8:
		return "fatalTrap"
	}
	return "trapCommon"
}

// disassemble decodes the instructions of [at, at+n), and says where each is.
func disassemble(t *testing.T, at, n uintptr) (list []x86asm.Inst, addr []uintptr) {
	for code := peek(at, n); len(code) > 0; {
		i, err := x86asm.Decode(code, 64)
		require.NoError(t, err)
		list, addr = append(list, i), append(addr, at)
		at += uintptr(i.Len)
		code = code[i.Len:]
	}
	return list, addr
}

// TestVectorStubs: each stub is 16 bytes, leaves an error code and its own
// vector on the stack, and jumps to its handler.
func TestVectorStubs(t *testing.T) {
	for v := range 256 {
		list, addr := disassemble(t, stubBase()+16*uintptr(v), 16)
		var pushed []x86asm.Arg
		for i, inst := range list {
			switch inst.Op {
			case x86asm.NOP:
				continue
			case x86asm.PUSH:
				pushed = append(pushed, inst.Args[0])
				continue
			}
			require.Equal(t, x86asm.JMP, inst.Op, "vector %d: %v", v, inst)
			to := addr[i] + uintptr(inst.Len) + uintptr(inst.Args[0].(x86asm.Rel))
			f := runtime.FuncForPC(to)
			require.Equal(t, handlerOf(v), f.Name(), "vector %d", v)
			require.Equal(t, f.Entry(), to)
			break
		}
		want := []x86asm.Arg{x86asm.Imm(0), x86asm.Imm(v)}
		if slices.Contains(errorCodes, v) {
			want = want[1:]
		}
		require.Equal(t, want, pushed, "vector %d", v)
	}
}

// TestIDT decodes the gates (SDM volume 3A, section 6.14.1 "64-Bit Mode IDT").
func TestIDT(t *testing.T) {
	initIDT()
	stacks := map[int]int{2: istNMI, 8: istFault, 14: istPF, 18: istMC}
	for v, gate := range idt {
		offset := gate[0]&0xffff | gate[0]>>48<<16 | gate[1]<<32
		require.EqualValues(t, stubBase()+16*uintptr(v), offset)
		require.Zero(t, gate[1]>>32)
		require.EqualValues(t, selCode, gate[0]>>16&0xffff)
		require.EqualValues(t, 0x8e, gate[0]>>40&0xff, "present, ring 0, interrupt gate")
		want, own := stacks[v]
		if !own {
			want = istTrap
			if v >= 32 {
				want = istIRQ
			}
		}
		require.EqualValues(t, want, gate[0]>>32&0xff, "stack of vector %d", v)
	}
}
