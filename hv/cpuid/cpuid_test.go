package cpuid

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/x86"
)

type key struct{ leaf, sub uint32 }

// machine is a processor made of a table; sub-leaf 0 stands for all sub-leaves
// that are not listed of leaves without any.
type machine map[key]registers

func (m machine) cpuid(leaf, sub uint32) (a, b, c, d uint32) {
	r, ok := m[key{leaf, sub}]
	if !ok && leaf != x86.CPUIDXSAVE && leaf != x86.CPUIDFeatures && leaf != x86.CPUIDCaches4 && leaf != x86.CPUIDCacheTopology {
		r = m[key{leaf, 0}]
	}
	return r[0], r[1], r[2], r[3]
}

const all = ^uint32(0)

// amdZen is an AMD processor that claims every feature bit there is.
func amdZen() machine {
	return machine{
		{0, 0}:          {0x10, amdEBX, amdECX, amdEDX},
		{1, 0}:          {0x00830F10, 0x05_10_08_00, all, all},
		{6, 0}:          {all, all, all, all},
		{7, 0}:          {0, all, all, all},
		{7, 1}:          {all, all, all, all},
		{0xD, 0}:        {0x2E7, 0x988, 0x988, 0},
		{0xD, 1}:        {0xF, 0x240, 0, 0},
		{0xD, 2}:        {0x100, 0x240, 0, 0},
		{0xD, 5}:        {0x40, 0x340, 0, 0},
		{0xD, 6}:        {0x200, 0x380, 0, 0},
		{0xD, 7}:        {0x400, 0x580, 0, 0},
		{0xD, 9}:        {8, 0x980, 0, 0},
		{0x80000000, 0}: {0x80000023, amdEBX, amdECX, amdEDX},
		{0x80000001, 0}: {0x00830F10, 0x40000000, all, all},
		{0x80000002, 0}: {1, 2, 3, 4},
		{0x80000005, 0}: {5, 5, 5, 5},
		{0x80000006, 0}: {6, 6, 6, 6},
		{0x80000007, 0}: {0, 0, 0, all},
		{0x80000008, 0}: {0x00303030, all, 0x503F, 0},
		{0x8000001D, 0}: {0x00004121, 0x01C0003F, 0x3F, 0},
		{0x8000001D, 1}: {0x00004143, 0x01C0003F, 0x3FF, 2},
		{0x8000001D, 2}: {0x0001C163, 0x03C0003F, 0x3FFF, 1},
		{0x8000001E, 0}: {9, 9, 9, 9},
		{0x80000021, 0}: {all, all, all, all},
	}
}

// intelCore is a processor of the other vendor.
func intelCore() machine {
	m := amdZen()
	m[key{0, 0}] = registers{0x1F, 0x756E6547, 0x6C65746E, 0x49656E69}
	m[key{2, 0}] = registers{0x00FEFF01, 0xF0, 0, 0}
	m[key{4, 0}] = registers{0x1C004121, 0x01C0003F, 0x3F, 0}
	m[key{4, 1}] = registers{0x1C03C163, 0x03C0003F, 0x3FFF, 0}
	m[key{0x80000000, 0}] = registers{0x80000008, 0, 0, 0}
	return m
}

func policy(t testing.TB, m machine, c Config) *Policy {
	t.Helper()
	if c.VCPUs == 0 {
		c.VCPUs = 1
	}
	p, err := New(m.cpuid, c)
	require.NoError(t, err)
	return p
}

func lookup(t testing.TB, p *Policy, id, leaf, sub uint32) registers {
	t.Helper()
	table, err := p.Table(id)
	require.NoError(t, err)
	e := Lookup(table, leaf, sub)
	return registers{e.EAX, e.EBX, e.ECX, e.EDX}
}

// TestNothingUnsupportedIsShown: a host that claims everything lends only what
// this hypervisor carries.
func TestNothingUnsupportedIsShown(t *testing.T) {
	p := policy(t, amdZen(), Config{})
	for _, name := range []string{
		"svm", "vmx", "monitor", "osxsave", "rtm", "hle", "xsaves", "intel_pt", "sgx", "perfctr_core", "ibs", "waitpkg",
		"amx_tile", "cpb", "arch_capabilities", "osvw", "skinit", "invlpgb", "mpx", "dtes64", "pdcm",
	} {
		_, known := x86.FindFeature(name)
		require.True(t, known, "%s: the test names no feature", name)
		require.False(t, p.Has(name), name)
	}
	for _, name := range []string{
		"x2apic", "tsc_deadline_timer", "hypervisor", "arat", "tsc_adjust", "lm", "nx", "avx512f", "pku", "rdtscp",
	} {
		require.True(t, p.Has(name), name)
		require.Contains(t, p.Names(), name)
	}
	r := lookup(t, p, 0, 0x8000000A, 0)
	require.Zero(t, r, "the SVM leaf")
	require.Zero(t, lookup(t, p, 0, 0xA, 0), "the performance monitoring leaf")
}

func TestHide(t *testing.T) {
	p := policy(t, amdZen(), Config{Hide: []string{"avx", "nx", "pae"}})
	for _, name := range []string{"avx", "avx2", "fma", "avx512f", "avx512bw", "vaes", "nx"} {
		require.False(t, p.Has(name), name)
	}
	require.EqualValues(t, x86.XCR0X87|x86.XCR0SSE|x86.XCR0PKRU, p.XCR0())
	edx := lookup(t, p, 0, x86.CPUIDExtFeatures, 0)[x86.EDX]
	require.Zero(t, edx&x86.CPUID1EDXPAE, "PAE is hidden in its repetition too")

	p = policy(t, amdZen(), Config{Hide: []string{"xsave"}})
	require.False(t, p.Has("avx"))
	require.False(t, p.Has("pku"))
	require.EqualValues(t, x86.XCR0X87, p.XCR0())
	require.Zero(t, lookup(t, p, 0, x86.CPUIDXSAVE, 0))

	_, err := New(amdZen().cpuid, Config{VCPUs: 1, Hide: []string{"avx", "frobnicate"}})
	require.ErrorIs(t, err, ErrFeature)
	require.ErrorContains(t, err, "frobnicate")
}

func TestXSAVE(t *testing.T) {
	p := policy(t, amdZen(), Config{})
	require.EqualValues(t, 0x2E7, p.XCR0())
	for xcr0, size := range map[uint64]uint32{1: 576, 3: 576, 7: 0x340, 0xE7: 0x980, 0x2E7: 0x988, 0x201: 0x988} {
		require.Equal(t, size, p.XSAVESize(xcr0), "XCR0 %#x", xcr0)
		table, err := p.Table(0)
		require.NoError(t, err)
		e := Lookup(table, x86.CPUIDXSAVE, 0)
		require.EqualValues(t, 1, e.Slow)
		require.EqualValues(t, 576, e.EBX)
		require.Equal(t, size, p.Live(e, 0, xcr0).EBX)
		require.EqualValues(t, 0x988, e.ECX)
		compact := p.Live(Lookup(table, x86.CPUIDXSAVE, 1), 0, xcr0)
		require.LessOrEqual(t, compact.EBX, size, "the compacted form is no longer than the standard one")
	}
	require.Equal(t, registers{0x100, 0x240, 0, 0}, lookup(t, p, 0, x86.CPUIDXSAVE, 2))
	require.Equal(t, registers{7, 576, 0, 0}, lookup(t, p, 0, x86.CPUIDXSAVE, 1), "no XSAVES")

	m := amdZen()
	m[key{0xD, 9}] = registers{8, x86.XSAVESize, 0, 0} // no room for it
	p = policy(t, m, Config{})
	require.EqualValues(t, 0xE7, p.XCR0())
}

func TestTopology(t *testing.T) {
	for _, c := range []struct{ vcpus, bits uint32 }{{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {64, 6}} {
		p := policy(t, amdZen(), Config{VCPUs: c.vcpus})
		id := c.vcpus - 1
		require.Equal(t, registers{0, 1, levelSMT, id}, lookup(t, p, id, x86.CPUIDTopology, 0))
		require.Equal(t, registers{c.bits, c.vcpus, levelCore | 1, id}, lookup(t, p, id, x86.CPUIDTopology, 1))
		one := lookup(t, p, id, x86.CPUIDVersion, 0)
		require.Equal(t, id, one[x86.EBX]>>24)
		require.Equal(t, c.vcpus, one[x86.EBX]>>16&0xFF)
		require.EqualValues(t, 8, one[x86.EBX]>>8&0xFF, "CLFLUSH line")
		require.Equal(t, c.vcpus > 1, one[x86.EDX]&x86.CPUID1EDXHTT != 0)
		size := lookup(t, p, id, x86.CPUIDAddressSizes, 0)
		require.Equal(t, c.bits<<12|(c.vcpus-1), size[x86.ECX])
		l1, l3 := lookup(t, p, id, x86.CPUIDCacheTopology, 0), lookup(t, p, id, x86.CPUIDCacheTopology, 2)
		require.Zero(t, l1[x86.EAX]>>14&0xFFF, "the first level is a core's own")
		require.EqualValues(t, 1<<c.bits-1, l3[x86.EAX]>>14&0xFFF, "all share the last level")
		require.Zero(t, lookup(t, p, id, x86.CPUIDCacheTopology, 3))
		require.Equal(t, id, lookup(t, p, id, x86.CPUIDProcTopology, 0)[x86.EAX])
	}
}

func TestIntel(t *testing.T) {
	p := policy(t, intelCore(), Config{VCPUs: 4})
	require.False(t, p.AMD())
	require.EqualValues(t, maxBasicLeaf, lookup(t, p, 0, 0, 0)[x86.EAX])
	require.NotZero(t, lookup(t, p, 0, x86.CPUIDCaches2, 0))
	l1 := lookup(t, p, 0, x86.CPUIDCaches4, 0)
	require.EqualValues(t, 3, l1[x86.EAX]>>26, "core IDs, less one")
	require.Zero(t, l1[x86.EAX]>>14&0xFFF)
	require.EqualValues(t, 3, lookup(t, p, 0, x86.CPUIDCaches4, 1)[x86.EAX]>>14&0xFFF)
	require.EqualValues(t, 0x80000008, lookup(t, p, 0, 0x80000000, 0)[x86.EAX])
	require.Zero(t, lookup(t, p, 0, x86.CPUIDCacheTopology, 0))
	require.Zero(t, lookup(t, p, 0, 0x80000008, 0)[x86.ECX])
}

func TestHypervisorLeaves(t *testing.T) {
	p := policy(t, amdZen(), Config{TSCHz: 2_500_000_000, APICHz: 1_000_000_000})
	sig := lookup(t, p, 0, x86.CPUIDKVMSignature, 0)
	text := make([]byte, 0, 12)
	for _, r := range sig[1:] {
		text = append(text, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
	}
	require.Equal(t, "KVMKVMKVM\x00\x00\x00", string(text))
	require.EqualValues(t, x86.CPUIDHypervisorTimes, sig[x86.EAX])
	f := lookup(t, p, 0, x86.CPUIDKVMFeatures, 0)[x86.EAX]
	require.NotZero(t, f&x86.KVMFeatureClockSource2)
	require.NotZero(t, f&x86.KVMFeatureClockSourceStable)
	require.Zero(t, f&(x86.KVMFeatureAsyncPF|x86.KVMFeatureStealTime|x86.KVMFeaturePVEOI))
	require.Equal(t, registers{2_500_000, 1_000_000, 0, 0}, lookup(t, p, 0, x86.CPUIDHypervisorTimes, 0))
}

func TestPhysAddrBits(t *testing.T) {
	require.EqualValues(t, 48, policy(t, amdZen(), Config{}).PhysAddrBits())
	require.EqualValues(t, 40, policy(t, amdZen(), Config{PhysAddrBits: 40}).PhysAddrBits())
	require.EqualValues(t, 48, policy(t, amdZen(), Config{PhysAddrBits: 52}).PhysAddrBits())
	p := policy(t, amdZen(), Config{PhysAddrBits: 40})
	require.EqualValues(t, 0x3028, lookup(t, p, 0, 0x80000008, 0)[x86.EAX])
	old := machine{{0, 0}: {1, amdEBX, amdECX, amdEDX}, {1, 0}: {0x600, 0, 0, 0}}
	p = policy(t, old, Config{})
	require.EqualValues(t, 36, p.PhysAddrBits())
	require.Zero(t, lookup(t, p, 0, 0x80000000, 0), "a host without extended leaves")
}

func TestLive(t *testing.T) {
	p := policy(t, amdZen(), Config{})
	one, seven := vcpu.CPUIDEntry{Leaf: 1}, vcpu.CPUIDEntry{Leaf: 7, Match: 1}
	require.Zero(t, p.Live(one, 0, 1).ECX)
	require.EqualValues(t, x86.CPUID1ECXOSXSAVE, p.Live(one, x86.CR4OSXSAVE, 1).ECX)
	require.EqualValues(t, x86.CPUID7ECXOSPKE, p.Live(seven, x86.CR4PKE, 1).ECX)
	require.Zero(t, p.Live(vcpu.CPUIDEntry{Leaf: 7, Subleaf: 1, Match: 1}, x86.CR4PKE, 1).ECX)
}

// TestMissingComponent takes SSE from the host's components: AVX goes with it,
// because XSETBV takes no AVX alone.
func TestMissingComponent(t *testing.T) {
	m := amdZen()
	m[key{0xD, 0}] = registers{0x2E5, 0x988, 0x988, 0}
	p := policy(t, m, Config{})
	require.EqualValues(t, x86.XCR0X87|x86.XCR0PKRU, p.XCR0())
}

// TestAnyHost: whatever a host says, the table fits, holds no unsupported
// feature and never more of XCR0 than there is room for.
func TestAnyHost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := func(leaf, sub uint32) (a, b, c, d uint32) {
			seed := rapid.Uint64().Draw(t, "answer")
			return uint32(seed), uint32(seed >> 16), uint32(seed >> 32), uint32(seed >> 8)
		}
		answers := machine{}
		cached := func(leaf, sub uint32) (a, b, c, d uint32) {
			r, ok := answers[key{leaf, sub}]
			if !ok {
				r[0], r[1], r[2], r[3] = host(leaf, sub)
				answers[key{leaf, sub}] = r
			}
			return r[0], r[1], r[2], r[3]
		}
		p, err := New(cached, Config{VCPUs: rapid.Uint32Range(1, vcpu.MaxVCPUs).Draw(t, "vcpus")})
		if err != nil {
			t.Fatal(err)
		}
		table, err := p.Table(0)
		if err != nil || len(table) > vcpu.CPUIDEntries {
			t.Fatal(err)
		}
		if p.XSAVESize(p.XCR0()) > x86.XSAVESize || !x86.ValidXCR0(p.XCR0(), p.XCR0()) {
			t.Fatalf("XCR0 %#x needs %d bytes", p.XCR0(), p.XSAVESize(p.XCR0()))
		}
		for _, name := range []string{"svm", "vmx", "xsaves"} {
			if p.Has(name) {
				t.Fatalf("%s is shown", name)
			}
		}
	})
}
