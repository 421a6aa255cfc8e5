package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/entry"
	"ringo/qemu-tests/tiny"
	. "ringo/x86/asm"
)

// TestAPTrampoline starts another processor with the AP blob and looks at the
// state that it arrives in.
func TestAPTrampoline(t *testing.T) {
	blob, err := entry.APTrampoline()
	require.NoError(t, err)
	const (
		page     = 0x9000 // SIPI vector 9
		arrived  = 0x300000
		argument = 0x1122334455667788
		stack    = 0x310000
		efer     = 1<<11 | 1<<10 | 1 // NXE, SCE, and LMA, which the blob must mask
		cr4      = 1<<9 | 1<<7       // OSFXSR, PGE
		cr0      = 1<<16 | 1<<5      // WP, NE
		initIPI  = 0xc4500
		startup  = 0xc4600 | page>>12
	)
	kernel := tiny.Long(func(g *tiny.Guest) {
		g.APIC()
		g.Lea(RSI, At("blob"))
		g.Mov(EDI, Imm(page))
		g.Mov(ECX, Imm(int64(len(blob))))
		g.Rep()
		g.Movs(8)
		param := func(offset int64, r Reg) { g.Mov(Abs(page+offset), r) }
		g.Mov(RAX, CR3)
		param(entry.APParamCR3, RAX)
		g.Lea(RAX, At("ap"))
		param(entry.APParamEntry, RAX)
		for offset, v := range map[int64]int64{
			entry.APParamStack: stack, entry.APParamArgument: argument,
			entry.APParamEFER: efer, entry.APParamCR4: cr4, entry.APParamCR0: cr0,
		} {
			g.Mov(RAX, Imm(v))
			param(offset, RAX)
		}
		g.Mov(Abs(arrived).Qword(), Imm(0))
		for _, command := range []int64{initIPI, startup} {
			g.Xor(ESI, ESI)
			g.SendIPI(command)
			g.SpinTicks(10_000_000)
		}
		g.Label("wait")
		g.Cmp(Abs(arrived).Dword(), Imm(0))
		g.Jcc(E, "wait")
		for i, name := range []string{"cr0", "cr4", "efer", "rdi", "rsp"} {
			g.Print(name + " ")
			g.Mov(RAX, Abs(int64(arrived+8+8*i)))
			g.PrintHex()
			g.Print("\n")
		}
		g.Exit(tiny.ExitOK)

		g.Label("ap")
		g.Mov(RAX, CR0)
		g.Mov(Abs(arrived+8), RAX)
		g.Mov(RAX, CR4)
		g.Mov(Abs(arrived+16), RAX)
		g.Mov(ECX, Imm(0xc0000080))
		g.Rdmsr()
		g.Mov(Abs(arrived+24), RAX)
		g.Mov(Abs(arrived+32), RDI)
		g.Mov(Abs(arrived+40), RSP)
		g.Mov(Abs(arrived).Dword(), Imm(1))
		g.Label("ap.halt")
		g.Hlt()
		g.JmpShort("ap.halt")
		g.Label("blob")
		g.Raw(blob...)
	})
	file := filepath.Join(t.TempDir(), "kernel")
	require.NoError(t, os.WriteFile(file, kernel, 0o644))
	got := fields(t, boot(t, file, "-smp", "2", "-m", "64", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"))
	value := func(name string) uint64 { return binary.BigEndian.Uint64(got[name]) }
	require.Equal(t, uint64(0x80010021|1<<4), value("cr0")|1<<4) // ET is fixed
	require.Equal(t, uint64(cr4|1<<5), value("cr4"))
	require.Equal(t, uint64(0xd01), value("efer")) // NXE, LMA, LME, SCE
	require.Equal(t, uint64(argument), value("rdi"))
	require.Equal(t, uint64(stack), value("rsp"))
}
