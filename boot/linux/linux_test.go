package linux_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/boot/boottest"
	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/boot/linux"
	"ringo/memory"
	"ringo/x86"
)

// load loads a kernel and an initrd into a guest with ram bytes.
func load(t require.TestingT, ram uint64, kernel, initrd []byte, cmdline string) (*boottest.Memory, *image.Entry, error) {
	l, err := layout.New(ram)
	require.NoError(t, err)
	m := boottest.NewMemory(l)
	r := &image.Request{Memory: m, Layout: l, Kernel: bytes.NewReader(kernel), Cmdline: cmdline}
	if initrd != nil {
		r.Initrd = bytes.NewReader(initrd)
	}
	e, err := linux.Load(r)
	require.Zero(t, m.Pins)
	return m, e, err
}

// params reads boot_params as the kernel finds them.
func params(t require.TestingT, m *boottest.Memory, s *x86.State) []byte {
	b := make([]byte, 4096)
	require.NoError(t, m.ReadAt(b, memory.GPA(s.GPR[x86.RSI])))
	return b
}

func code(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*13 + i>>8)
	}
	return b
}

func TestLoad64(t *testing.T) {
	kernel := boottest.BzImage{Code: code(3<<20 + 5)}
	initrd := code(1<<20 + 77)
	m, e, err := load(t, 256<<20, kernel.Bytes(), initrd, "console=ttyS0 quiet")
	require.NoError(t, err)
	require.Equal(t, "Linux 64-bit", e.Protocol)
	s := e.State
	require.EqualValues(t, 0x100_0200, s.RIP)
	require.EqualValues(t, x86.EFERLMA|x86.EFERLME, s.EFER)
	require.EqualValues(t, 0x10, s.Seg[x86.CS].Selector)
	require.EqualValues(t, 0x18, s.Seg[x86.SS].Selector)
	require.Zero(t, s.RFLAGS&x86.FlagIF)

	got := make([]byte, len(kernel.Code))
	require.NoError(t, m.ReadAt(got, 0x100_0000))
	require.True(t, bytes.Equal(kernel.Code, got))

	p, le := params(t, m, s), binary.LittleEndian
	require.EqualValues(t, 0xFF, p[0x210], "type_of_loader")
	require.Zero(t, p[0x211]&0x80, "CAN_USE_HEAP")
	require.Zero(t, p[0x1EF], "sentinel")
	require.EqualValues(t, layout.RSDPBase, le.Uint64(p[0x70:]))
	require.Equal(t, "HdrS", string(p[0x202:0x206]))

	line := make([]byte, 20)
	require.NoError(t, m.ReadAt(line, memory.GPA(le.Uint32(p[0x228:]))))
	require.Equal(t, "console=ttyS0 quiet\x00", string(line))

	at, n := memory.GPA(le.Uint32(p[0x218:])), le.Uint32(p[0x21C:])
	require.EqualValues(t, len(initrd), n)
	got = make([]byte, n)
	require.NoError(t, m.ReadAt(got, at))
	require.True(t, bytes.Equal(initrd, got))
	l, err := layout.New(256 << 20)
	require.NoError(t, err)
	require.Equal(t, (l.ACPI.Start-memory.GPA(n))&^0xFFF, at, "as high as RAM allows")
}

func TestE820(t *testing.T) {
	m, e, err := load(t, 5<<30, boottest.BzImage{Code: code(100)}.Bytes(), nil, "")
	require.NoError(t, err)
	l, err := layout.New(5 << 30)
	require.NoError(t, err)
	p := params(t, m, e.State)
	require.EqualValues(t, len(l.E820()), p[0x1E8])
	for i, want := range l.E820() {
		b := p[0x2D0+20*i:]
		require.EqualValues(t, want.Start, binary.LittleEndian.Uint64(b))
		require.Equal(t, want.Size, binary.LittleEndian.Uint64(b[8:]))
		require.EqualValues(t, want.Type, binary.LittleEndian.Uint32(b[16:]))
	}
}

func TestInitrdAddrMax(t *testing.T) {
	kernel := boottest.BzImage{Code: code(100), InitrdAddrMax: 0x37FF_FFFF}
	m, e, err := load(t, 2<<30, kernel.Bytes(), code(4096), "")
	require.NoError(t, err)
	require.EqualValues(t, 0x3800_0000-4096, binary.LittleEndian.Uint32(params(t, m, e.State)[0x218:]))

	kernel.InitrdAddrMax = 0xFFFF_FFFF
	m, e, err = load(t, 8<<30, kernel.Bytes(), code(4096), "")
	require.NoError(t, err)
	require.Less(t, binary.LittleEndian.Uint32(params(t, m, e.State)[0x218:]), uint32(layout.HoleStart))
}

func TestNoInitrd(t *testing.T) {
	m, e, err := load(t, 64<<20, boottest.BzImage{Code: code(100)}.Bytes(), nil, "")
	require.NoError(t, err)
	require.Equal(t, make([]byte, 8), params(t, m, e.State)[0x218:0x220])
}

func TestLoad32(t *testing.T) {
	m, e, err := load(t, 64<<20, boottest.BzImage{Code: code(100), Xloadflags: 2}.Bytes(), nil, "")
	require.NoError(t, err)
	require.Equal(t, "Linux 32-bit", e.Protocol)
	require.EqualValues(t, 0x100_0000, e.State.RIP)
	require.EqualValues(t, x86.CR0PE, e.State.CR0&(x86.CR0PE|x86.CR0PG))
	require.Equal(t, "HdrS", string(params(t, m, e.State)[0x202:0x206]))
	for _, r := range []int{x86.RBX, x86.RBP, x86.RDI} {
		require.Zero(t, e.State.GPR[r])
	}
}

// Fields that a later protocol adds go to the kernel as they are; what lies
// after the header's end does not.
func TestLaterHeaderIsKept(t *testing.T) {
	file := boottest.BzImage{Code: code(100)}.Bytes()
	file[0x201] = 0x72
	copy(file[0x26C:], "later123after")
	m, e, err := load(t, 64<<20, file, nil, "")
	require.NoError(t, err)
	require.Equal(t, "later123\x00\x00\x00\x00\x00", string(params(t, m, e.State)[0x26C:0x279]))
}

func TestRefuses(t *testing.T) {
	good := boottest.BzImage{Code: code(5000)}
	edit := func(off int, b ...byte) []byte {
		f := good.Bytes()
		copy(f[off:], b)
		return f
	}
	with := func(f func(*boottest.BzImage)) []byte {
		k := good
		f(&k)
		return k.Bytes()
	}
	for _, c := range []struct {
		name   string
		file   []byte
		initrd []byte
		line   string
		err    error
		says   string
	}{
		{"empty", nil, nil, "", image.ErrTruncated, "setup header"},
		{"boot sector only", good.Bytes()[:512], nil, "", image.ErrTruncated, "setup header"},
		{"no HdrS", edit(0x202, 'X'), nil, "", image.ErrFormat, "HdrS"},
		{"no boot flag", edit(0x1FE, 0), nil, "", image.ErrFormat, "boot_flag"},
		{"old protocol", with(func(k *boottest.BzImage) { k.Version = 0x20B }), nil, "", image.ErrUnsupported, "2.11"},
		{"zImage", with(func(k *boottest.BzImage) { k.Loadflags = 0x80 }), nil, "", image.ErrUnsupported, "zImage"},
		{"no init_size", edit(0x260, 0, 0, 0, 0), nil, "", image.ErrFormat, "init_size"},
		{"short header hides init_size", edit(0x201, 0x20), nil, "", image.ErrFormat, "init_size"},
		{"code cut", good.Bytes()[:5*512+4900], nil, "", image.ErrTruncated, "promise"},
		{"no code", good.Bytes()[:5*512], nil, "", image.ErrTruncated, "promise"},
		{"setup beyond the file", edit(0x1F1, 255), nil, "", image.ErrTruncated, "promise"},
		{"init_size over RAM", with(func(k *boottest.BzImage) { k.InitSize = 1 << 31 }), nil, "", image.ErrNoRoom, "more memory"},
		{"pref_address over the tables", with(func(k *boottest.BzImage) { k.PrefAddress = 0x8000; k.InitSize = 1 }), nil, "", image.ErrOverlap, "page tables"},
		{"pref_address wraps", with(func(k *boottest.BzImage) { k.PrefAddress = 1<<64 - 1 }), nil, "", image.ErrNoRoom, "past the end"},
		{"pref_address in the hole", with(func(k *boottest.BzImage) { k.PrefAddress = 0xFEE0_0000 }), nil, "", image.ErrNoRoom, "usable RAM"},
		{"long command line", good.Bytes(), nil, string(code(3000)), image.ErrCmdline, "2047"},
		{"NUL in the command line", good.Bytes(), nil, "a\x00", image.ErrCmdline, "NUL"},
		{"initrd larger than RAM", good.Bytes(), code(65 << 20), "", image.ErrNoRoom, "the initrd takes"},
		{"initrd_addr_max too low", with(func(k *boottest.BzImage) { k.InitrdAddrMax = 0xFFFF }), code(70000), "", image.ErrNoRoom, "below 0x10000"},
	} {
		_, _, err := load(t, 64<<20, c.file, c.initrd, c.line)
		require.ErrorIs(t, err, c.err, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
}

func TestHighPrefAddress(t *testing.T) {
	_, _, err := load(t, 8<<30, boottest.BzImage{Code: code(10), PrefAddress: 5 << 30}.Bytes(), nil, "")
	require.ErrorIs(t, err, image.ErrUnsupported)
	require.ErrorContains(t, err, "mapped below")
}

func TestRealKernel(t *testing.T) {
	file := boottest.Kernel(t)
	m, e, err := load(t, 256<<20, file, code(2<<20), "quiet")
	require.NoError(t, err)
	require.Equal(t, "Linux 64-bit", e.Protocol)
	require.Less(t, m.Touched(), uint64(len(file))+8<<20, "only what is loaded takes memory")
	_, _, err = load(t, 16<<20, file, nil, "")
	require.ErrorIs(t, err, image.ErrNoRoom)
}

// Any mix of header values gives an error or parts that do not overlap.
func TestHeaderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := boottest.BzImage{
			PrefAddress:   rapid.Uint64Range(0, 1<<27).Draw(t, "pref"),
			InitSize:      rapid.Uint32Range(0, 1<<26).Draw(t, "init"),
			InitrdAddrMax: rapid.Uint32().Draw(t, "max"),
			Code:          code(rapid.IntRange(1, 5000).Draw(t, "code")),
		}
		initrd := bytes.Repeat([]byte{0xA5}, rapid.IntRange(1, 100000).Draw(t, "initrd"))
		m, e, err := load(t, 64<<20, k.Bytes(), initrd, "line")
		if err != nil {
			return
		}
		p := params(t, m, e.State)
		require.Equal(t, "HdrS", string(p[0x202:0x206]))
		got := make([]byte, len(initrd))
		require.NoError(t, m.ReadAt(got, memory.GPA(binary.LittleEndian.Uint32(p[0x218:]))))
		require.True(t, bytes.Equal(initrd, got))
		got = make([]byte, len(k.Code))
		require.NoError(t, m.ReadAt(got, memory.GPA(e.State.RIP-0x200)))
		require.True(t, bytes.Equal(k.Code, got))
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(boottest.BzImage{Code: code(600)}.Bytes(), []byte("initrd"), "quiet")
	f.Add(boottest.BzImage{Code: code(16), PrefAddress: 0x10_0000, SetupSects: 1}.Bytes(), []byte{}, "")
	f.Fuzz(func(t *testing.T, kernel, initrd []byte, line string) {
		m, e, err := load(t, 32<<20, kernel, initrd, line)
		require.LessOrEqual(t, m.Touched(), uint64(32<<20))
		if err == nil {
			require.Less(t, e.State.RIP, uint64(layout.HoleStart))
		}
	})
}
