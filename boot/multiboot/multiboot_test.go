package multiboot_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/boottest"
	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/boot/multiboot"
	"ringo/memory"
	"ringo/x86"
)

const base = 0x10_0000

// header makes a Multiboot header with a right checksum.
func header(flags uint32, addresses ...uint32) []byte {
	const magic = 0x1BADB002
	var b []byte
	for _, v := range append([]uint32{magic, flags, -(magic + flags)}, addresses...) {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// flat is a file of 4 bytes of junk, 60 bytes of image before the header, and
// the rest of the image, which is loaded at base by the address fields.
func flat(flags uint32, loadEnd, bssEnd, entry uint32) []byte {
	b := bytes.Repeat([]byte{0x11}, 64)
	b = append(b, header(flags|1<<16, base+60, base, loadEnd, bssEnd, entry)...)
	return append(b, bytes.Repeat([]byte{0x22}, 1000)...)
}

// elfImage has the header in its first segment.
func elfImage(flags uint32) []byte {
	data := append(header(flags), bytes.Repeat([]byte{0xF4}, 500)...)
	return boottest.ELF32(base+12, boottest.Segment{Type: elf.PT_LOAD, Vaddr: base, Paddr: base, Data: data, Memsz: 4000})
}

func load(t require.TestingT, kernel, initrd []byte, line string) (*boottest.Memory, *image.Entry, error) {
	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	m := boottest.NewMemory(l)
	r := &image.Request{Memory: m, Layout: l, Kernel: bytes.NewReader(kernel), Cmdline: line}
	if initrd != nil {
		r.Initrd = bytes.NewReader(initrd)
	}
	e, err := multiboot.Load(r)
	require.Zero(t, m.Pins)
	return m, e, err
}

// at gives n bytes of guest memory at a 32-bit address in b.
func at(t *testing.T, m *boottest.Memory, b []byte, n int) []byte {
	p := make([]byte, n)
	require.NoError(t, m.ReadAt(p, memory.GPA(binary.LittleEndian.Uint32(b))))
	return p
}

func TestLoadELF(t *testing.T) {
	m, e, err := load(t, elfImage(3), []byte("module"), "a b")
	require.NoError(t, err)
	require.Equal(t, "Multiboot", e.Protocol)
	s := e.State
	require.EqualValues(t, base+12, s.RIP)
	require.EqualValues(t, 0x2BADB002, s.GPR[x86.RAX])
	require.EqualValues(t, x86.CR0PE, s.CR0&(x86.CR0PE|x86.CR0PG))
	require.Zero(t, s.RFLAGS&(x86.FlagIF|x86.FlagVM))

	le := binary.LittleEndian
	info := make([]byte, 68)
	require.NoError(t, m.ReadAt(info, memory.GPA(s.GPR[x86.RBX])))
	require.EqualValues(t, 1<<0|1<<2|1<<3|1<<6|1<<9, le.Uint32(info))
	require.EqualValues(t, 639, le.Uint32(info[4:]), "mem_lower")
	require.EqualValues(t, 63<<10-256, le.Uint32(info[8:]), "mem_upper")
	require.Equal(t, "a b\x00", string(at(t, m, info[16:], 4)))
	require.EqualValues(t, 1, le.Uint32(info[20:]), "mods_count")
	mod := at(t, m, info[24:], 16)
	require.Zero(t, le.Uint32(mod)&0xFFF, "page-aligned")
	require.Equal(t, "module", string(at(t, m, mod, int(le.Uint32(mod[4:])-le.Uint32(mod)))))
	require.Equal(t, "\x00", string(at(t, m, mod[8:], 1)))
	require.Equal(t, "ringo\x00", string(at(t, m, info[64:], 6)))

	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	mmap := at(t, m, info[48:], int(le.Uint32(info[44:])))
	require.Len(t, mmap, 24*len(l.E820()))
	for i, want := range l.E820() {
		b := mmap[24*i:]
		require.EqualValues(t, 20, le.Uint32(b))
		require.EqualValues(t, want.Start, le.Uint64(b[4:]))
		require.Equal(t, want.Size, le.Uint64(b[12:]))
		require.EqualValues(t, want.Type, le.Uint32(b[20:]))
	}
}

func TestLoadByAddress(t *testing.T) {
	file := flat(0, base+200, base+300, base+100)
	m, e, err := load(t, file, nil, "")
	require.NoError(t, err)
	require.EqualValues(t, base+100, e.State.RIP)
	got := make([]byte, 300)
	require.NoError(t, m.ReadAt(got, base))
	require.Equal(t, file[4:204], got[:200])
	require.Equal(t, make([]byte, 100), got[200:])

	// No load_end_addr: the whole file. No bss_end_addr: no bss.
	m, _, err = load(t, flat(0, 0, 0, base), nil, "")
	require.NoError(t, err)
	got = make([]byte, len(file)-4)
	require.NoError(t, m.ReadAt(got, base))
	require.Equal(t, flat(0, 0, 0, base)[4:], got)
}

func TestRefuses(t *testing.T) {
	broken := elfImage(0)
	i := bytes.Index(broken, header(0))
	broken[i+8]++
	for _, c := range []struct {
		name   string
		file   []byte
		initrd []byte
		err    error
		says   string
	}{
		{"empty", nil, nil, image.ErrFormat, "no Multiboot header"},
		{"wrong checksum", broken, nil, image.ErrFormat, "no Multiboot header"},
		{"header after 8 KiB", append(make([]byte, 8192), elfImage(0)...), nil, image.ErrFormat, "no Multiboot header"},
		{"unaligned header", append([]byte{0}, flat(0, 0, 0, base)...), nil, image.ErrFormat, "no Multiboot header"},
		{"video", elfImage(4), nil, image.ErrUnsupported, "video"},
		{"unknown requirement", elfImage(0x80), nil, image.ErrUnsupported, "0x80"},
		{"neither addresses nor ELF", append(header(0), make([]byte, 100)...), nil, image.ErrFormat, "has no load addresses"},
		{"load_addr after header", append(header(1<<16, base, base+1, 0, 0, base), make([]byte, 100)...), nil, image.ErrFormat, "load_addr"},
		{"load_addr before the file", append(header(1<<16, base, base-4, 0, 0, base), make([]byte, 100)...), nil, image.ErrFormat, "load_addr"},
		{"load_end before load", flat(0, base-1, 0, base), nil, image.ErrFormat, "load_end_addr"},
		{"load_end past the file", flat(0, base+5000, 0, base), nil, image.ErrTruncated, "loads 5000 bytes"},
		{"bss_end before load_end", flat(0, base+200, base+100, base), nil, image.ErrFormat, "bss_end_addr"},
		{"bss over RAM", flat(0, 0, 0xFFFF_FFFF, base), nil, image.ErrNoRoom, "more memory"},
		{"entry outside", flat(0, base+200, 0, base+200), nil, image.ErrFormat, "entry_addr"},
		{"entry before", flat(0, base+200, 0, base-1), nil, image.ErrFormat, "entry_addr"},
		{"initrd larger than RAM", elfImage(0), make([]byte, 64<<20), image.ErrNoRoom, "initrd"},
	} {
		_, _, err := load(t, c.file, c.initrd, "")
		require.ErrorIs(t, err, c.err, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(elfImage(3), []byte("module"), "a b")
	f.Add(flat(1, 0, base+5000, base), []byte{}, "")
	f.Fuzz(func(t *testing.T, kernel, initrd []byte, line string) {
		m, e, err := load(t, kernel, initrd, line)
		require.LessOrEqual(t, m.Touched(), uint64(64<<20))
		if err == nil {
			require.Less(t, e.State.RIP, uint64(layout.HoleStart))
		}
	})
}
