package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/qemu-tests/tiny"
	. "ringo/x86/asm"
)

// The tests here are boot loaders: tiny guests that carry an image, put it at
// a place of their own choice and enter it in one of the protocol's ways.

const (
	zeroPage    = 0x90000 // boot_params that the loader makes
	setupSector = 0x10000 // where it puts the setup part
	commandLine = 0x98000
	initrdAt    = 0x9c000
	insideImage = 0x600000  // a load address that the image's virtual range covers
	elsewhere   = 0x2003000 // one that it does not, and not aligned to 2 MiB
)

// carry emits the image as data, and 32-bit code that puts its parts in place
// with a command line and an initrd. Registers are free.
func carry(a *Asm, image []byte, load int64) {
	setup := (int(image[0x1f1]) + 1) * 512
	copyTo := func(label string, to int64, n int) {
		a.Mov(ESI, Addr{Label: label})
		a.Mov(EDI, Imm(to))
		a.Mov(ECX, Imm(int64(n)))
		a.Rep()
		a.Movs(8)
	}
	a.Jmp("carried")
	a.Label("setup")
	a.Raw(image[:setup]...)
	a.Label("protected")
	a.Raw(image[setup:]...)
	a.Label("text")
	a.String("console=com1 hello")
	a.Label("initrd")
	a.Raw([]byte("initrd contents!")...)
	a.Label("carried")
	copyTo("setup", setupSector, setup)
	copyTo("protected", load, len(image)-setup)
	copyTo("text", commandLine, 19)
	copyTo("initrd", initrdAt, 16)
	a.Mov(EDI, Imm(zeroPage))
	a.Mov(ECX, Imm(1024))
	a.Xor(EAX, EAX)
	a.Rep()
	a.Stos(32)
	for _, page := range []int64{zeroPage, setupSector} {
		if page == zeroPage {
			a.Mov(ESI, Imm(setupSector+0x1f1))
			a.Mov(EDI, Imm(zeroPage+0x1f1))
			a.Mov(ECX, Imm(0x26c-0x1f1))
			a.Rep()
			a.Movs(8)
		}
		a.Mov(EDI, Imm(page))
		a.Mov(Ptr(EDI, 0x210).Byte(), Imm(0xff)) // type_of_loader
		a.Mov(Ptr(EDI, 0x214).Dword(), Imm(load))
		a.Mov(Ptr(EDI, 0x218).Dword(), Imm(initrdAt))
		a.Mov(Ptr(EDI, 0x21c).Dword(), Imm(1600))
		a.Mov(Ptr(EDI, 0x228).Dword(), Imm(commandLine))
	}
}

// launch runs a loader and returns what the probe prints.
func launch(t *testing.T, loader []byte, args ...string) map[string][]byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loader")
	require.NoError(t, os.WriteFile(file, loader, 0o644))
	return fields(t, boot(t, file, append([]string{"-m", "128"}, args...)...))
}

func testImage(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	image, elfFile := filepath.Join(dir, "image"), filepath.Join(dir, "elf")
	require.NoError(t, os.WriteFile(elfFile, probe(t), 0o644))
	require.NoError(t, makeImage(image, elfFile))
	b, err := os.ReadFile(image)
	require.NoError(t, err)
	return b
}

func checkLoaded(t *testing.T, got map[string][]byte, protocol, load uint64) {
	t.Helper()
	checkHandoff(t, got, protocol, load)
	require.Equal(t, "console=com1 hello", string(got["cmdline"][:18]))
	require.Equal(t, "initrd contents!", string(got["initrd"]))
}

func TestEntry32(t *testing.T) {
	image := testImage(t)
	for _, at := range []int64{insideImage, elsewhere} {
		got := launch(t, tiny.PVH(func(a *Asm) {
			carry(a, image, at)
			a.Mov(ESI, Imm(zeroPage))
			a.Mov(EAX, Imm(at))
			a.JmpTo(EAX)
		}))
		checkLoaded(t, got, 32, uint64(at))
	}
}

func TestEntry64(t *testing.T) {
	image := testImage(t)
	for _, at := range []int64{insideImage, elsewhere} {
		got := launch(t, tiny.Long(func(g *tiny.Guest) {
			carry(g.Asm, image, at)
			g.Mov(RAX, CR4)
			g.Or(EAX, Imm(1<<7|1<<16|1<<17)) // PGE, FSGSBASE, PCIDE: all in the entry's way
			g.Mov(CR4, RAX)
			g.Mov(ESI, Imm(zeroPage))
			g.Mov(EAX, Imm(at+0x200))
			g.JmpTo(RAX)
		}), "-cpu", "max")
		checkLoaded(t, got, 64, uint64(at))
	}
}

// TestOldBIOS boots through the 16-bit entry on a BIOS that has no E820h, and
// one that has no E801h either.
func TestOldBIOS(t *testing.T) {
	image := testImage(t)
	for name, c := range map[string]struct {
		missing []int64
		ram     uint64
	}{
		"E801h": {[]int64{0xe820}, 128 << 20},
		"88h":   {[]int64{0xe820, 0xe801}, 64 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			got := launch(t, tiny.Real(
				func(a *Asm) { carry(a, image, elsewhere) },
				func(a *Asm) { oldBIOS(a, c.missing) }))
			checkLoaded(t, got, 16, elsewhere)
			require.InDelta(t, c.ram, ramOf(got["params"]), 2<<20)
		})
	}
}

// oldBIOS takes some calls away from INT 15h and enters the setup part.
func oldBIOS(a *Asm, missing []int64) {
	const int15 = 4 * 0x15
	a.Xor(AX, AX)
	a.Mov(ES, AX)
	a.Mov(EAX, Abs(int15).In(ES))
	a.Mov(At("old"), EAX)
	a.Mov(Abs(int15).In(ES).Word(), Addr{Label: "int15"})
	a.Mov(Abs(int15+2).In(ES), DS)
	a.Mov(AX, Imm(setupSector>>4))
	for _, s := range []Reg{DS, ES, FS, GS, SS} {
		a.Mov(s, AX)
	}
	a.Mov(SP, Imm(0xfff0))
	a.Push(Imm(setupSector>>4 + 0x20))
	a.Push(Imm(0))
	a.RetFar(16)

	a.Label("int15")
	for _, f := range missing {
		a.Cmp(AX, Imm(f))
		a.Jcc(E, "none")
	}
	a.JmpFarTo(At("old").In(CS).Word())
	a.Label("none")
	a.Push(BP)
	a.Mov(BP, SP)
	a.Or(Ptr(BP, 6).Byte(), Imm(1)) // CF in the caller's flags
	a.Pop(BP)
	a.Iret(16)
	a.Label("old")
	a.Data32(0)
}
