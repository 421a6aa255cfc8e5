package pvh_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/boottest"
	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/boot/pvh"
	"ringo/memory"
	"ringo/x86"
)

const base = 0x10_0000

// kernel is an ELF file with code at base and this entry note.
func kernel(note []byte) []byte {
	return boottest.ELF64(base,
		boottest.Segment{Type: elf.PT_LOAD, Vaddr: base, Paddr: base, Data: bytes.Repeat([]byte{0xF4}, 300), Memsz: 5000},
		boottest.Segment{Type: elf.PT_NOTE, Data: note})
}

// entryNote is a PHYS32_ENTRY note of 4 or 8 bytes.
func entryNote(entry uint64, size int) []byte {
	return boottest.Note("Xen", 18, binary.LittleEndian.AppendUint64(nil, entry)[:size])
}

func load(t require.TestingT, kernel, initrd []byte, line string) (*boottest.Memory, *image.Entry, error) {
	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	m := boottest.NewMemory(l)
	r := &image.Request{Memory: m, Layout: l, Kernel: bytes.NewReader(kernel), Cmdline: line}
	if initrd != nil {
		r.Initrd = bytes.NewReader(initrd)
	}
	e, err := pvh.Load(r)
	require.Zero(t, m.Pins)
	return m, e, err
}

// at gives n bytes of guest memory at a 64-bit address in b.
func at(t *testing.T, m *boottest.Memory, b []byte, n int) []byte {
	p := make([]byte, n)
	require.NoError(t, m.ReadAt(p, memory.GPA(binary.LittleEndian.Uint64(b))))
	return p
}

func TestLoad(t *testing.T) {
	for _, size := range []int{4, 8} {
		m, e, err := load(t, kernel(entryNote(base+16, size)), []byte("an initrd"), "a=b")
		require.NoError(t, err)
		require.Equal(t, "PVH", e.Protocol)
		require.EqualValues(t, base+16, e.State.RIP)
		require.Zero(t, e.State.CR0&x86.CR0PG)
		require.NotZero(t, e.State.CR0&x86.CR0PE)
		require.Zero(t, e.State.CR4)
		require.EqualValues(t, 0x67, e.State.Seg[x86.TR].Limit)

		le := binary.LittleEndian
		info := make([]byte, 56)
		require.NoError(t, m.ReadAt(info, memory.GPA(e.State.GPR[x86.RBX])))
		require.EqualValues(t, 0x336EC578, le.Uint32(info))
		require.EqualValues(t, 1, le.Uint32(info[4:]), "version")
		require.EqualValues(t, 1, le.Uint32(info[12:]), "nr_modules")
		mod := at(t, m, info[16:], 32)
		require.Equal(t, "an initrd", string(at(t, m, mod, int(le.Uint64(mod[8:])))))
		require.Equal(t, "a=b\x00", string(at(t, m, info[24:], 4)))
		require.EqualValues(t, layout.RSDPBase, le.Uint64(info[32:]))
		l, err := layout.New(64 << 20)
		require.NoError(t, err)
		require.EqualValues(t, len(l.E820()), le.Uint32(info[48:]))
		memmap := at(t, m, info[40:], 24*len(l.E820()))
		for i, want := range l.E820() {
			require.EqualValues(t, want.Start, le.Uint64(memmap[24*i:]))
			require.Equal(t, want.Size, le.Uint64(memmap[24*i+8:]))
			require.EqualValues(t, want.Type, le.Uint32(memmap[24*i+16:]))
		}
	}
}

func TestNoInitrd(t *testing.T) {
	m, e, err := load(t, kernel(entryNote(base, 4)), nil, "")
	require.NoError(t, err)
	info := make([]byte, 24)
	require.NoError(t, m.ReadAt(info, memory.GPA(e.State.GPR[x86.RBX])))
	require.Equal(t, make([]byte, 12), info[12:], "no modules")
}

func TestRefuses(t *testing.T) {
	good := kernel(entryNote(base, 4))
	for _, c := range []struct {
		name   string
		file   []byte
		initrd []byte
		err    error
	}{
		{"no note", kernel(boottest.Note("GNU", 18, make([]byte, 4))), nil, pvh.ErrNoNote},
		{"entry of 5 bytes", kernel(boottest.Note("Xen", 18, make([]byte, 5))), nil, image.ErrFormat},
		{"entry outside", kernel(entryNote(base+5000, 4)), nil, image.ErrFormat},
		{"entry above 4 GiB", kernel(entryNote(1<<32|base, 8)), nil, image.ErrFormat},
		{"truncated", good[:200], nil, image.ErrTruncated},
		{"initrd larger than RAM", good, make([]byte, 70<<20), image.ErrNoRoom},
		{"huge notes", boottest.ELF64(base, boottest.Segment{Type: elf.PT_NOTE, Data: make([]byte, 70<<10)}), nil, image.ErrUnsupported},
	} {
		_, _, err := load(t, c.file, c.initrd, "")
		require.ErrorIs(t, err, c.err, c.name)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(kernel(entryNote(base, 4)), []byte("initrd"), "quiet")
	f.Add(kernel(entryNote(base, 8)), []byte{}, "")
	f.Fuzz(func(t *testing.T, kernel, initrd []byte, line string) {
		_, e, err := load(t, kernel, initrd, line)
		if err == nil {
			require.Less(t, e.State.RIP, uint64(layout.HoleStart))
		}
	})
}
