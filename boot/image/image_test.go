package image_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/boottest"
	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/memory"
	"ringo/x86"
)

func setup(t testing.TB, ram uint64) (*layout.Layout, *boottest.Memory) {
	l, err := layout.New(ram)
	require.NoError(t, err)
	return l, boottest.NewMemory(l)
}

func TestCopyAndZero(t *testing.T) {
	_, m := setup(t, 16<<20)
	src := make([]byte, 5<<20+777)
	for i := range src {
		src[i] = byte(i * 7)
	}
	const at = 0x10_0123
	require.NoError(t, image.Copy(m, at, bytes.NewReader(src), 13, uint64(len(src)-13)))
	got := make([]byte, len(src)-13)
	require.NoError(t, m.ReadAt(got, at))
	require.True(t, bytes.Equal(src[13:], got))

	require.NoError(t, image.Zero(m, layout.Range{Start: at + 5, Size: 3 << 20}))
	clear(got[5 : 5+3<<20])
	again := make([]byte, len(got))
	require.NoError(t, m.ReadAt(again, at))
	require.True(t, bytes.Equal(got, again))
	require.Zero(t, m.Pins)
}

func TestCopyErrors(t *testing.T) {
	_, m := setup(t, 16<<20)
	err := image.Copy(m, 0x10_0000, bytes.NewReader(make([]byte, 100)), 50, 51)
	require.ErrorIs(t, err, image.ErrTruncated)
	require.ErrorContains(t, err, "51 bytes wanted at offset 50, 50 found")
	require.ErrorIs(t, image.Copy(m, 15<<20, bytes.NewReader(make([]byte, 2<<20)), 0, 2<<20), memory.ErrNotRAM)
	require.Zero(t, m.Pins, "a failed copy keeps nothing pinned")
}

func TestCmdline(t *testing.T) {
	_, m := setup(t, 16<<20)
	r := &image.Request{Memory: m, Cmdline: "console=ttyS0"}
	require.NoError(t, r.WriteCmdline(100))
	got := make([]byte, 14)
	require.NoError(t, m.ReadAt(got, image.CmdlineBase))
	require.Equal(t, "console=ttyS0\x00", string(got))
	require.ErrorIs(t, r.WriteCmdline(12), image.ErrCmdline)
	require.ErrorContains(t, r.WriteCmdline(12), "has 13 bytes, this kernel takes 12")
	r.Cmdline = "a\x00b"
	require.ErrorContains(t, r.WriteCmdline(100), "byte 1 is NUL")
	r.Cmdline = string(bytes.Repeat([]byte{'x'}, image.CmdlineSize))
	require.ErrorIs(t, r.WriteCmdline(1<<40), image.ErrCmdline)
}

func TestStatesAgreeWithTheirGDT(t *testing.T) {
	_, m := setup(t, 16<<20)
	long, err := image.Long(m, 0x100_0200)
	require.NoError(t, err)
	checkGDT(t, m, long)
	require.EqualValues(t, 0x100_0200, long.RIP)
	require.NotZero(t, long.Seg[x86.CS].Attr&x86.AttrL)
	require.Zero(t, long.Seg[x86.CS].Attr&x86.AttrDB)

	prot, err := image.Protected(m, 0x10_0000)
	require.NoError(t, err)
	checkGDT(t, m, prot)
	require.Zero(t, prot.CR0&x86.CR0PG)
	require.Zero(t, prot.RFLAGS&x86.FlagIF)
	require.Zero(t, prot.EFER)
}

// checkGDT compares the hidden parts of the segments with what loading their
// selectors would give.
func checkGDT(t *testing.T, m *boottest.Memory, s *x86.State) {
	for _, i := range []int{x86.CS, x86.DS, x86.ES, x86.SS, x86.FS, x86.GS, x86.TR} {
		seg := s.Seg[i]
		require.LessOrEqual(t, seg.Selector+7, s.GDTR.Limit)
		var d [8]byte
		require.NoError(t, m.ReadAt(d[:], memory.GPA(s.GDTR.Base)+memory.GPA(seg.Selector)))
		require.Equal(t, seg, x86.ParseDescriptor(seg.Selector, binary.LittleEndian.Uint64(d[:])))
	}
}

func TestIdentityTables(t *testing.T) {
	_, m := setup(t, 16<<20)
	s, err := image.Long(m, 0)
	require.NoError(t, err)
	load := func(table, index uint64) uint64 {
		var b [8]byte
		require.NoError(t, m.ReadAt(b[:], memory.GPA(table+index*8)))
		return binary.LittleEndian.Uint64(b[:])
	}
	for _, a := range []uint64{0, 0x1234, 1<<21 - 1, 0x100_0200, 1 << 30, 3<<30 + 5<<21, 4<<30 - 1} {
		pml4e := load(s.CR3, a>>39)
		pdpte := load(pml4e&x86.PTEAddrMask, a>>30&511)
		pde := load(pdpte&x86.PTEAddrMask, a>>21&511)
		require.EqualValues(t, x86.PTEPresent|x86.PTEWrite|x86.PTEPageSize, pde&^x86.PTEAddrMask)
		require.Equal(t, a&^(1<<21-1), pde&x86.PTEAddrMask, "%#x", a)
	}
	pml4e := load(s.CR3, 0)
	require.Zero(t, load(pml4e&x86.PTEAddrMask, 4), "nothing above 4 GiB is mapped")
}

func TestELFLoad(t *testing.T) {
	code := bytes.Repeat([]byte{0x90}, 5000)
	segs := []boottest.Segment{
		{Type: elf.PT_LOAD, Vaddr: 0xFFFF_FFFF_8100_0000, Paddr: 0x10_0000, Data: code, Memsz: 9000},
		{Type: elf.PT_NOTE, Data: boottest.Note("Xen", 18, []byte{1, 2, 3, 4})},
	}
	l, m := setup(t, 16<<20)
	require.NoError(t, m.WriteAt(bytes.Repeat([]byte{0xCC}, 10000), 0x10_0000))
	e, err := image.ParseELF(bytes.NewReader(boottest.ELF64(0xFFFF_FFFF_8100_0010, segs...)))
	require.NoError(t, err)
	require.NoError(t, e.Load(m, image.NewPlan(l)))
	got := make([]byte, 9001)
	require.NoError(t, m.ReadAt(got, 0x10_0000))
	require.Equal(t, code, got[:5000])
	require.Equal(t, make([]byte, 4000), got[5000:9000])
	require.EqualValues(t, 0xCC, got[9000])
	entry, ok := e.PhysicalEntry()
	require.True(t, ok)
	require.EqualValues(t, 0x10_0010, entry)
	require.True(t, e.Loaded(0x10_0000, 9000))
	require.False(t, e.Loaded(0x10_0000, 9001))
}

func TestELFRefuses(t *testing.T) {
	data := make([]byte, 100)
	load := func(s boottest.Segment) []byte { s.Type = elf.PT_LOAD; return boottest.ELF64(0, s) }
	good := load(boottest.Segment{Paddr: 0x10_0000, Data: data})
	edit := func(off int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[off:], b)
		return c
	}
	const phdr = 64
	for _, c := range []struct {
		name string
		file []byte
		err  error
	}{
		{"empty", nil, image.ErrTruncated},
		{"not ELF", []byte("#!/bin/sh\nexec something"), image.ErrFormat},
		{"big-endian", edit(elf.EI_DATA, 2), image.ErrUnsupported},
		{"no class", edit(elf.EI_CLASS, 9), image.ErrFormat},
		{"ARM", edit(18, 183, 0), image.ErrUnsupported},
		{"header cut", good[:40], image.ErrTruncated},
		{"no program headers", edit(56, 0, 0), image.ErrFormat},
		{"65535 program headers", edit(56, 0xFF, 0xFF), image.ErrFormat},
		{"odd program header size", edit(54, 57), image.ErrFormat},
		{"program headers far away", edit(32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), image.ErrTruncated},
		{"data cut", good[:len(good)-1], image.ErrTruncated},
		{"file part larger than memory", edit(phdr+40, 99), image.ErrFormat},
		{"offset wraps", edit(phdr+8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), image.ErrTruncated},
		{"address wraps", load(boottest.Segment{Paddr: 1<<64 - 50, Data: data}), image.ErrNoRoom},
		{"bss larger than RAM", load(boottest.Segment{Paddr: 0x10_0000, Data: data, Memsz: 1 << 62}), image.ErrNoRoom},
		{"over the boot tables", load(boottest.Segment{Paddr: 0x8000, Data: data}), image.ErrOverlap},
		{"over itself", boottest.ELF64(0,
			boottest.Segment{Type: elf.PT_LOAD, Paddr: 0x10_0000, Data: data},
			boottest.Segment{Type: elf.PT_LOAD, Paddr: 0x10_0063, Data: data}), image.ErrOverlap},
	} {
		l, m := setup(t, 16<<20)
		e, err := image.ParseELF(bytes.NewReader(c.file))
		if err == nil {
			err = e.Load(m, image.NewPlan(l))
		}
		require.ErrorIs(t, err, c.err, c.name)
		require.Zero(t, m.Touched(), "%s: nothing is written of a bad image", c.name)
	}
}

func TestNotes(t *testing.T) {
	find := func(b []byte) []byte {
		e, err := image.ParseELF(bytes.NewReader(boottest.ELF32(0, boottest.Segment{Type: elf.PT_NOTE, Data: b})))
		require.NoError(t, err)
		d, err := e.Note("Xen", 18)
		require.NoError(t, err)
		return d
	}
	other := boottest.Note("GNU", 18, make([]byte, 21))
	want := boottest.Note("Xen", 18, []byte{1, 2, 3, 4})
	require.Equal(t, []byte{1, 2, 3, 4}, find(append(bytes.Clone(other), want...)))
	require.Nil(t, find(other))
	require.Nil(t, find(want[:len(want)-1]))
	require.Nil(t, find([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 18, 0, 0, 0, 'X'}))
	require.Nil(t, find(nil))
}

func FuzzELF(f *testing.F) {
	f.Add(boottest.ELF64(0x10_0000,
		boottest.Segment{Type: elf.PT_LOAD, Paddr: 0x10_0000, Data: []byte("code"), Memsz: 100},
		boottest.Segment{Type: elf.PT_NOTE, Data: boottest.Note("Xen", 18, []byte{0, 0, 16, 0})}))
	f.Add(boottest.ELF32(0x10_0000, boottest.Segment{Type: elf.PT_LOAD, Paddr: 0x10_0000, Data: []byte("code")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := image.ParseELF(bytes.NewReader(b))
		if err != nil {
			return
		}
		_, _ = e.Note("Xen", 18)
		l, m := setup(t, 4<<20)
		_ = e.Load(m, image.NewPlan(l))
		require.Zero(t, m.Pins)
		var low [0x1000]byte
		require.NoError(t, m.ReadAt(low[:], image.InfoBase))
		require.Equal(t, [0x1000]byte{}, low, "an image does not reach the boot information")
	})
}
