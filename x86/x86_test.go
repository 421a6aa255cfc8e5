package x86_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/x86"
)

func TestReset(t *testing.T) {
	var s x86.State
	s.GPR[x86.RBX], s.EFER, s.CR3 = 1, x86.EFERLMA, 5
	s.Reset()
	require.EqualValues(t, 0x60000010, s.CR0)
	require.EqualValues(t, 0xFFFFFFF0, s.Seg[x86.CS].Base+s.RIP)
	require.EqualValues(t, 2, s.RFLAGS)
	require.EqualValues(t, 0xFFFF0FF0, s.DR6)
	require.EqualValues(t, 0x400, s.DR7)
	require.Zero(t, s.GPR[x86.RBX]|s.EFER|s.CR3)
	require.EqualValues(t, 0x93, s.Seg[x86.DS].Attr)
	require.EqualValues(t, 0x8B, s.Seg[x86.TR].Attr)
	require.EqualValues(t, 0x82, s.Seg[x86.LDTR].Attr)
	require.EqualValues(t, 1, s.XCR0)
	require.Equal(t, []byte{0x40, 0, 0, 0, 0xFF}, s.XSAVE[:5])
	require.Equal(t, []byte{0x80, 0x1F, 0, 0}, s.XSAVE[24:28])
	require.EqualValues(t, 3, s.XSAVE[512])
}

func TestInitKeepsWhatItMust(t *testing.T) {
	var s x86.State
	s.Reset()
	s.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0NW
	s.EFER, s.TSC, s.LSTAR, s.XCR0, s.CR4, s.GPR[x86.RAX] = x86.EFERLMA, 77, 88, 7, 1, 9
	s.XSAVE[200] = 5
	s.Activity = x86.ActivityHalted
	s.Init()
	require.EqualValues(t, x86.CR0ET|x86.CR0NW, s.CR0)
	require.Zero(t, s.EFER|s.CR4|s.GPR[x86.RAX])
	require.EqualValues(t, []uint64{77, 88, 7}, []uint64{s.TSC, s.LSTAR, s.XCR0})
	require.EqualValues(t, 5, s.XSAVE[200])
	require.Equal(t, x86.ActivityRunning, s.Activity)
	s.StartUp(0x9A)
	require.EqualValues(t, 0x9A000, s.Seg[x86.CS].Base+s.RIP)
	require.EqualValues(t, 0x9A00, s.Seg[x86.CS].Selector)
}

func TestCombine(t *testing.T) {
	for _, c := range []struct {
		first, second uint8
		want          x86.Combination
	}{
		{x86.VectorGP, x86.VectorNP, x86.CombineDoubleFault},
		{x86.VectorGP, x86.VectorPF, x86.CombineSerial},
		{x86.VectorPF, x86.VectorGP, x86.CombineDoubleFault},
		{x86.VectorPF, x86.VectorPF, x86.CombineDoubleFault},
		{x86.VectorPF, x86.VectorDB, x86.CombineSerial},
		{x86.VectorDB, x86.VectorGP, x86.CombineSerial},
		{x86.VectorNMI, x86.VectorPF, x86.CombineSerial},
		{x86.VectorDF, x86.VectorGP, x86.CombineShutdown},
		{x86.VectorDF, x86.VectorPF, x86.CombineShutdown},
		{x86.VectorDF, x86.VectorDB, x86.CombineSerial},
		{x86.VectorUD, x86.VectorGP, x86.CombineSerial},
		{255, x86.VectorGP, x86.CombineSerial},
	} {
		require.Equal(t, c.want, x86.Combine(c.first, c.second), "%d then %d", c.first, c.second)
	}
}

func TestErrorCodes(t *testing.T) {
	var with []uint8
	for v := range 256 {
		if x86.HasErrorCode(uint8(v)) {
			with = append(with, uint8(v))
		}
	}
	require.Equal(t, []uint8{8, 10, 11, 12, 13, 14, 17, 21, 29, 30}, with)
	require.Equal(t, "#PF", x86.VectorName(14))
	require.Empty(t, x86.VectorName(15)+x86.VectorName(200))
}

func TestCanonical(t *testing.T) {
	for a, want := range map[uint64]bool{
		0: true, 0x7FFFFFFFFFFF: true, 0x800000000000: false, 0xFFFF7FFFFFFFFFFF: false, 0xFFFF800000000000: true, ^uint64(0): true,
	} {
		require.Equal(t, want, x86.IsCanonical(a, x86.LinearBits4), "%#x", a)
	}
	require.True(t, x86.IsCanonical(0x800000000000, x86.LinearBits5))
}

func TestValidXCR0(t *testing.T) {
	const all = x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX | x86.XCR0MPX | x86.XCR0AVX512 | x86.XCR0PKRU | x86.XCR0AMX
	for v, want := range map[uint64]bool{
		0: false, 1: true, 2: false, 3: true, 5: false, 7: true, 1 | x86.XCR0BndRegs: false, 1 | x86.XCR0MPX: true,
		7 | x86.XCR0AVX512: true, 3 | x86.XCR0AVX512: false, 7 | x86.XCR0Opmask: false, 1 | x86.XCR0PKRU: true,
		1 | x86.XCR0TileCfg: false, 1 | x86.XCR0AMX: true, 7 | 1<<40: false,
	} {
		require.Equal(t, want, x86.ValidXCR0(v, all), "%#x", v)
	}
	require.False(t, x86.ValidXCR0(7, 3), "AVX is not supported")
}

func TestDescriptors(t *testing.T) {
	s := x86.ParseDescriptor(0x10, 0x00AF9B000000FFFF)
	require.Equal(t, x86.Segment{Selector: 0x10, Attr: 0xA09B, Limit: 0xFFFFFFFF}, s)
	require.True(t, s.IsCode() && s.CanRead() && s.Usable() && !s.CanWrite())
	s = x86.ParseDescriptor(0x18, 0x1240F6345678ABCD)
	require.Equal(t, x86.Segment{Selector: 0x18, Attr: 0x40F6, Limit: 0xABCD, Base: 0x12345678}, s)
	require.True(t, s.IsExpandDown() && s.CanWrite())
	require.EqualValues(t, 3, s.DPL())
	require.EqualValues(t, 6, s.Type())
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Uint64().Draw(t, "d")
		s := x86.ParseDescriptor(0, d)
		require.Equal(t, d, s.Descriptor())
	})
}

func TestFeaturesAreSound(t *testing.T) {
	names, bits := map[string]bool{}, map[x86.Feature]bool{}
	for _, f := range x86.Features {
		require.False(t, names[f.Name], "%s twice", f.Name)
		names[f.Name] = true
		require.Zero(t, f.Mask&(f.Mask-1), f.Name)
		name := f.Name
		f.Name = ""
		require.False(t, bits[f], "the bit of %s twice", name)
		bits[f] = true
	}
	f, ok := x86.FindFeature("x2apic")
	require.True(t, ok)
	require.Equal(t, x86.Feature{Leaf: 1, Register: x86.ECX, Mask: 1 << 21, Name: "x2apic"}, f)
	_, ok = x86.FindFeature("nonesuch")
	require.False(t, ok)
	require.Equal(t, []string{"pni", "hypervisor"}, x86.FeatureNames(1, 0, x86.ECX, 1<<31|1|1<<16))
	require.Equal(t, "EDX", x86.EDX.String())
}

func TestSignature(t *testing.T) {
	require.EqualValues(t, 0x00A00F11, x86.Signature(0x19, 0x01, 1))
	require.EqualValues(t, 0x00050654, x86.Signature(6, 0x55, 4))
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom([]uint32{6, 0xF, 0x17, 0x19, 0x1A}).Draw(t, "family")
		model, stepping := rapid.Uint32Range(0, 255).Draw(t, "model"), rapid.Uint32Range(0, 15).Draw(t, "stepping")
		f, m, s := x86.ParseSignature(x86.Signature(family, model, stepping))
		require.Equal(t, []uint32{family, model, stepping}, []uint32{f, m, s})
	})
}

func TestModes(t *testing.T) {
	var s x86.State
	s.Reset()
	require.False(t, s.LongMode() || s.Mode64() || s.Virtual8086())
	s.CR0, s.RFLAGS = x86.CR0PE, x86.FlagVM
	require.True(t, s.Virtual8086())
	s.EFER, s.Seg[x86.CS].Attr = x86.EFERLMA, x86.AttrCode
	require.True(t, s.LongMode() && !s.Mode64() && !s.Virtual8086())
	s.Seg[x86.CS].Attr |= x86.AttrL
	require.True(t, s.Mode64())
	require.EqualValues(t, 48, s.LinearBits())
	s.CR4 |= x86.CR4LA57
	require.EqualValues(t, 57, s.LinearBits())
}
