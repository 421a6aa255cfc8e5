package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/boot/entry"
	. "ringo/x86/asm"
)

const (
	imageVirt = 0x400000
	dataVirt  = imageVirt + 0x3000
	bssBytes  = 5 << 20
	exitPort  = 0x501
)

// probe is a payload that prints what it was given: lines of a name and hex
// bytes.
func probe(t *testing.T) []byte {
	a := New(Bits64, imageVirt)
	a.Mov(RBX, RDI)
	a.Mov(R13, CR0)
	a.Mov(R14, CR4)
	a.Mov(R15, RSP)
	a.Mov(R8, Imm(entry.DirectMap-1<<64))
	line := func(name string, count int64) { // of the bytes at RSI
		for _, c := range []byte(name + " ") {
			a.Mov(AL, Imm(c))
			a.Call("putc")
		}
		a.Mov(ECX, Imm(count))
		a.Call("dump")
	}
	word := func(name string, r Reg) {
		a.Push(r)
		a.Mov(RSI, RSP)
		line(name, 8)
		a.Pop(r)
	}
	a.Mov(RSI, RBX) // through the identity map
	line("identity", 8)
	a.Lea(RSI, Ptr(RBX, 0).Plus(R8, 1))
	line("handoff", entry.HandoffSize)
	word("rdi", RBX)
	word("rsp", R15)
	word("cr0", R13)
	word("cr4", R14)
	a.Mov(ECX, Imm(0xc0000080))
	a.Rdmsr()
	word("efer", RAX)
	a.Mov(R9, Ptr(RBX, entry.HandoffBootParams).Plus(R8, 1))
	a.Lea(RSI, Ptr(R9, 0).Plus(R8, 1))
	line("params", 0xd00)
	a.Mov(ESI, Ptr(R9, 0x228)) // cmd_line_ptr
	a.Add(RSI, R8)
	line("cmdline", 64)
	a.Mov(ESI, Ptr(R9, 0x218)) // ramdisk_image
	a.Add(RSI, R8)
	line("initrd", 16)
	a.Mov(RSI, Ptr(RBX, entry.HandoffAPTrampoline).Plus(R8, 1))
	a.Add(RSI, R8)
	line("ap", entry.APTrampolineSize)
	a.Mov(ESI, Imm(dataVirt))
	line("data", 16)
	// The rest of the data segment is bss.
	a.Mov(EDI, Imm(dataVirt+16))
	a.Mov(ECX, Imm(bssBytes/8))
	a.Xor(EAX, EAX)
	a.Rep()
	a.Scas(64)
	word("bssleft", RCX)
	a.Mov(DX, Imm(exitPort))
	a.Xor(EAX, EAX)
	a.Out(DX, AL)
	a.Label("end")
	a.Hlt()
	a.JmpShort("end")

	a.Label("dump") // RCX bytes at RSI
	a.Lods(8)
	a.Mov(AH, AL)
	a.Shr(AL, Imm(4))
	a.Call("digit")
	a.Mov(AL, AH)
	a.And(AL, Imm(15))
	a.Call("digit")
	a.Dec(ECX)
	a.JccShort(NZ, "dump")
	a.Mov(AL, Imm('\n'))
	a.JmpShort("putc")
	a.Label("digit")
	a.Add(AL, Imm('0'))
	a.Cmp(AL, Imm('9'))
	a.JccShort(BE, "putc")
	a.Add(AL, Imm('a'-'9'-1))
	a.Label("putc")
	a.Mov(DX, Imm(0x3f8))
	a.Out(DX, AL)
	a.Ret()
	code, err := a.Bytes()
	require.NoError(t, err)
	return makeELF(t, imageVirt,
		load{virt: imageVirt, data: code, flags: rx},
		load{virt: dataVirt, data: []byte("initialised data"), memsz: 16 + bssBytes, flags: rw})
}

// boot runs an image in the emulator and returns what it prints.
func boot(t *testing.T, image string, args ...string) string {
	t.Helper()
	qemu := emulator(t, "qemu-system-x86_64")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, append([]string{
		"-accel", "tcg", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
		"-device", "isa-debug-exit,iobase=0x501,iosize=2", "-kernel", image}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "the machine did not end: %s", out)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, 1, exit.ExitCode(), "%s", out) // 0 written to the debug-exit port
	return string(out)
}

// fields parses the lines that probe prints.
func fields(t *testing.T, out string) map[string][]byte {
	m := map[string][]byte{}
	for _, l := range strings.Split(out, "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(l), " ")
		if b, err := hex.DecodeString(value); err == nil && len(b) > 0 {
			m[name] = b
		}
	}
	return m
}

func TestBoot(t *testing.T) {
	dir := t.TempDir()
	image, elfFile, initrd := filepath.Join(dir, "image"), filepath.Join(dir, "elf"), filepath.Join(dir, "initrd")
	require.NoError(t, os.WriteFile(elfFile, probe(t), 0o644))
	require.NoError(t, os.WriteFile(initrd, bytes.Repeat([]byte("initrd contents!"), 100), 0o644))
	require.NoError(t, makeImage(image, elfFile))
	for _, memory := range []struct {
		arg string
		mib uint64
	}{{"1G", 1024}, {"6G", 6144}} {
		t.Run(memory.arg, func(t *testing.T) {
			got := fields(t, boot(t, image, "-m", memory.arg, "-initrd", initrd, "-append", "console=com1 hello"))
			checkHandoff(t, got, 16, 0x100000)
			require.Equal(t, "RINGOHO1", string(got["identity"]))
			checkLoader(t, got, memory.mib)
		})
	}
}

func checkHandoff(t *testing.T, got map[string][]byte, protocol, load uint64) {
	var h entry.Handoff
	require.NoError(t, binary.Read(bytes.NewReader(got["handoff"]), binary.LittleEndian, &h))
	u64 := func(name string) uint64 { return binary.LittleEndian.Uint64(got[name]) }
	const size = 0x3000 + 5<<20 + 0x1000
	require.Equal(t, uint64(entry.Magic), h.Magic)
	require.Equal(t, protocol, h.ProtocolEntry)
	require.Equal(t, uint64(imageVirt), h.ImageVirt)
	require.Equal(t, uint64(size), h.ImageSize)
	require.Equal(t, load, h.ReservedPhys)
	require.Greater(t, h.ImagePhys, h.ReservedPhys)
	require.Greater(t, h.ReservedPhys+h.ReservedSize, h.ImagePhys+h.ImageSize)
	require.NotZero(t, h.EntryTSC)
	require.Equal(t, entry.Segment{Virt: dataVirt, Size: 16 + bssBytes, Flags: 6}, h.Segments[1])
	require.Zero(t, h.Segments[2])

	require.True(t, u64("rdi") >= h.ReservedPhys && u64("rdi") < h.ImagePhys)
	stack := u64("rsp") - entry.DirectMap
	require.True(t, stack >= h.ReservedPhys+16<<10 && stack <= h.ImagePhys, "%#x", u64("rsp"))
	require.Equal(t, uint64(0x80010033), u64("cr0"))
	require.Equal(t, uint64(0x620), u64("cr4"))
	require.Equal(t, uint64(0xd00), u64("efer")) // NXE, LMA, LME
	require.Equal(t, []byte("initialised data"), got["data"])
	require.Zero(t, u64("bssleft"))
	blob, err := entry.APTrampoline()
	require.NoError(t, err)
	require.Equal(t, blob, got["ap"])
	require.Equal(t, uint64(len(blob)), h.APTrampolineSize)
}

func checkLoader(t *testing.T, got map[string][]byte, mib uint64) {
	require.True(t, bytes.HasPrefix(got["cmdline"], []byte("console=com1 hello\x00")), "%q", got["cmdline"])
	require.Equal(t, "initrd contents!", string(got["initrd"]))
	params := got["params"]
	require.Equal(t, "HdrS", string(params[0x202:0x206]))
	require.Equal(t, uint32(1600), binary.LittleEndian.Uint32(params[0x21c:]))
	require.InDelta(t, mib<<20, ramOf(params), 1<<20)
}

// ramOf sums the usable memory of the e820 table.
func ramOf(params []byte) (ram uint64) {
	for i := range int(params[0x1e8]) {
		e := params[0x2d0+20*i:]
		if binary.LittleEndian.Uint32(e[16:]) == 1 {
			ram += binary.LittleEndian.Uint64(e[8:])
		}
	}
	return ram
}

func TestNoLongMode(t *testing.T) {
	qemu := emulator(t, "qemu-system-i386")
	dir := t.TempDir()
	image, elfFile := filepath.Join(dir, "image"), filepath.Join(dir, "elf")
	require.NoError(t, os.WriteFile(elfFile, probe(t), 0o644))
	require.NoError(t, makeImage(image, elfFile))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-accel", "tcg", "-display", "none", "-monitor", "none",
		"-serial", "stdio", "-cpu", "pentium3", "-m", "128", "-kernel", image)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	want := "Ringo: this processor has no 64-bit mode"
	got := make([]byte, len(want))
	_, err = io.ReadFull(pipe, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
	cancel()
	require.Error(t, cmd.Wait())
}

// emulator finds QEMU. Without it the test is skipped, or fails if
// RINGO_REQUIRE_QEMU=1.
func emulator(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("RINGO_REQUIRE_QEMU") == "1" {
		t.Fatalf("%s is not installed (Debian package qemu-system-x86)", name)
	}
	if err != nil {
		t.Skipf("%s is not installed (Debian package qemu-system-x86)", name)
	}
	return path
}
