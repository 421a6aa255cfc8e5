package boot_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot"
	"ringo/boot/boottest"
	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/boot/pvh"
	"ringo/memory"
)

const base = 0x10_0000

var (
	bzImage = boottest.BzImage{Code: make([]byte, 100)}.Bytes()
	pvhELF  = boottest.ELF64(base,
		boottest.Segment{Type: elf.PT_LOAD, Vaddr: base, Paddr: base, Data: make([]byte, 100)},
		boottest.Segment{Type: elf.PT_NOTE, Data: boottest.Note("Xen", 18, binary.LittleEndian.AppendUint32(nil, base))})
	plainELF     = boottest.ELF64(base, boottest.Segment{Type: elf.PT_LOAD, Vaddr: base, Paddr: base, Data: make([]byte, 100)})
	multibootELF = boottest.ELF32(base, boottest.Segment{Type: elf.PT_LOAD, Vaddr: base, Paddr: base,
		Data: []byte("\x02\xB0\xAD\x1B\x00\x00\x00\x00\xFE\x4F\x52\xE4")})
)

func setup(t testing.TB) (*boot.Layout, *boottest.Memory) {
	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	return l, boottest.NewMemory(l)
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		file []byte
		want string
	}{
		{bzImage, "Linux 64-bit"}, {pvhELF, "PVH"}, {multibootELF, "Multiboot"},
	} {
		l, m := setup(t)
		e, err := boot.Load(m, l, boot.Bytes(c.file), boot.Bytes([]byte("initrd")), "quiet")
		require.NoError(t, err, c.want)
		require.Equal(t, c.want, e.Protocol)
	}
}

func TestFound(t *testing.T) {
	for found, file := range map[string]string{
		"an empty file":                   "",
		"a gzip file; unpack it first":    "\x1F\x8B\x08\x00\x00",
		"a cpio archive":                  "07070100000000",
		"an EFI or DOS program":           "MZ\x90\x00",
		"a qcow2 disk image":              "QFI\xFB\x00\x00",
		"Multiboot 2":                     "\x00\x00\x00\x00\xD6\x50\x52\xE8",
		"starts with 01 02 03":            "\x01\x02\x03",
		"a boot sector or disk image":     string(append(make([]byte, 510), 0x55, 0xAA)),
		"no Multiboot header":             string(plainELF),
		"no XEN_ELFNOTE_PHYS32_ENTRY":     string(plainELF),
		"a kernel built with CONFIG_PVH":  string(plainELF),
		"a Linux bzImage, a PVH ELF or a": "hello",
	} {
		l, m := setup(t)
		_, err := boot.Load(m, l, boot.Bytes([]byte(file)), nil, "")
		require.ErrorIs(t, err, image.ErrFormat, found)
		require.ErrorContains(t, err, found)
	}
}

func TestProtocolByName(t *testing.T) {
	l, m := setup(t)
	r := &boot.Request{Memory: m, Layout: l, Kernel: boot.Bytes(bzImage)}
	_, err := boot.PVH.Load(r)
	require.ErrorIs(t, err, image.ErrFormat)
	_, err = boot.Protocol("uefi").Load(r)
	require.ErrorIs(t, err, boot.ErrProtocol)
	require.ErrorContains(t, err, "choose auto, linux, pvh, multiboot")
	for _, p := range []boot.Protocol{boot.Linux, boot.Auto, ""} {
		e, err := p.Load(r)
		require.NoError(t, err)
		require.Equal(t, "Linux 64-bit", e.Protocol)
	}
	r.Kernel = boot.Bytes(plainELF)
	_, err = boot.PVH.Load(r)
	require.ErrorIs(t, err, pvh.ErrNoNote)
}

func TestBIOSData(t *testing.T) {
	l, m := setup(t)
	_, err := boot.Load(m, l, boot.Bytes(bzImage), nil, "")
	require.NoError(t, err)
	word := func(a int) uint16 {
		var b [2]byte
		require.NoError(t, m.ReadAt(b[:], memory.GPA(a)))
		return binary.LittleEndian.Uint16(b[:])
	}
	require.EqualValues(t, 0x3F8, word(0x400))
	require.EqualValues(t, 0x9FC0, word(0x40E))
	require.EqualValues(t, 639, word(0x413))
	require.EqualValues(t, 1, word(0x9FC00))
}

// Loading again, as a reset does, gives the same first state and the same
// memory, whatever the guest left in the places that are loaded.
func TestLoadAgain(t *testing.T) {
	l, m := setup(t)
	first, err := boot.Load(m, l, boot.Bytes(pvhELF), nil, "one")
	require.NoError(t, err)
	before := m.Runs()
	for _, a := range []memory.GPA{0x400, 0x1000, 0x2000, 0x2200, 0x1_0000, base} {
		require.NoError(t, m.WriteAt([]byte{0xEE, 0xEE, 0xEE}, a))
	}
	require.NotEqual(t, before, m.Runs())
	again, err := boot.Load(m, l, boot.Bytes(pvhELF), nil, "one")
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, before, m.Runs())
}

func FuzzLoad(f *testing.F) {
	for _, s := range [][]byte{bzImage, pvhELF, plainELF, multibootELF} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, m := setup(t)
		_, _ = boot.Load(m, l, boot.Bytes(b), nil, "")
		require.Zero(t, m.Pins)
	})
}
