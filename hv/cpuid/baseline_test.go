package cpuid

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// intelServer has its state components where Intel's processors have them:
// MPX comes before AVX-512.
func intelServer() machine {
	m := intelCore()
	m[key{1, 0}] = registers{0x000506E3, 0x05_10_08_00, all &^ x86.CPUID1ECXMOVBE, all}
	m[key{0xD, 5}] = registers{0x40, 0x440, 0, 0}
	m[key{0xD, 6}] = registers{0x200, 0x480, 0, 0}
	m[key{0xD, 7}] = registers{0x400, 0x680, 0, 0}
	m[key{0xD, 9}] = registers{8, 0xA80, 0, 0}
	m[key{0x80000008, 0}] = registers{0x302E, 0, 0, 0}
	return m
}

// both gives what an Intel and an AMD host can present, under a vendor.
func both(t testing.TB, v Vendor) Baseline {
	t.Helper()
	intel, err := Offer(intelServer().cpuid, 0)
	require.NoError(t, err)
	amd, err := Offer(amdZen().cpuid, 0)
	require.NoError(t, err)
	require.Equal(t, []Vendor{Intel, AMD}, []Vendor{intel.Vendor, amd.Vendor})
	b := intel.Intersect(amd)
	require.Equal(t, Intel, b.Vendor)
	b.Vendor = v
	return b
}

func frozen(t testing.TB, m machine, c Config, b Baseline) *Policy {
	t.Helper()
	c.VCPUs = max(c.VCPUs, 1)
	p, err := NewFrozen(m.cpuid, c, b)
	require.NoError(t, err)
	return p
}

// TestBaselineIsTheSame: hosts of both vendors, at different frequencies, give
// the same answers.
func TestBaselineIsTheSame(t *testing.T) {
	for _, v := range []Vendor{Intel, AMD} {
		b := both(t, v)
		onIntel := frozen(t, intelServer(), Config{VCPUs: 4, TSCHz: 1e9}, b)
		onAMD := frozen(t, amdZen(), Config{VCPUs: 4, TSCHz: 3e9, APICHz: 1e9}, b)
		for id := range uint32(4) {
			one, err := onIntel.Table(id)
			require.NoError(t, err)
			other, err := onAMD.Table(id)
			require.NoError(t, err)
			require.Equal(t, one, other)
			require.NoError(t, Compare(one, other))
		}
		require.Equal(t, v == AMD, onIntel.AMD())
		require.Equal(t, v == AMD, onIntel.Foreign())
		require.Equal(t, v == Intel, onAMD.Foreign())
		require.EqualValues(t, 46, onAMD.PhysAddrBits(), "the smaller width")
		require.EqualValues(t, x86.XCR0X87|x86.XCR0SSE|x86.XCR0AVX, onAMD.XCR0())
		require.EqualValues(t, 832, onAMD.XSAVESize(onAMD.XCR0()))
		names := slices.DeleteFunc(onAMD.Names(), func(n string) bool { return n == "ht" })
		require.Equal(t, b.Features, names)
	}
}

// TestBaselineLeaves: vendor, brand and caches are those of the description.
func TestBaselineLeaves(t *testing.T) {
	p := frozen(t, amdZen(), Config{TSCHz: 1e9}, both(t, Intel))
	require.Equal(t, registers{maxBasicLeaf, 0x756E6547, 0x6C65746E, 0x49656E69}, lookup(t, p, 0, 0, 0))
	require.Equal(t, registers{versionIntel, 0x0001_0800, lookup(t, p, 0, 1, 0)[x86.ECX], lookup(t, p, 0, 1, 0)[x86.EDX]}, lookup(t, p, 0, 1, 0))
	require.NotZero(t, lookup(t, p, 0, 4, 2))
	require.Zero(t, lookup(t, p, 0, 4, 3))
	require.Zero(t, lookup(t, p, 0, x86.CPUIDHypervisorTimes, 0), "no frequency of this host")
	require.Equal(t, registers{0x676E6952, 0x6162206F, 0x696C6573, 0x7020656E}, lookup(t, p, 0, x86.CPUIDBrand0, 0))

	p = frozen(t, intelServer(), Config{}, both(t, AMD))
	require.Equal(t, registers{maxBasicLeaf, amdEBX, amdECX, amdEDX}, lookup(t, p, 0, 0, 0))
	require.EqualValues(t, amdL1, lookup(t, p, 0, x86.CPUIDL1Cache, 0)[x86.ECX])
	require.NotZero(t, lookup(t, p, 0, x86.CPUIDExtFeatures, 0)[x86.EDX]&x86.CPUID1EDXFPU, "AMD repeats bits of leaf 1")
	require.Zero(t, lookup(t, p, 0, 4, 0))
}

// TestOffer: nothing is offered that ties a guest to one vendor or one clock.
func TestOffer(t *testing.T) {
	b := both(t, AMD)
	for _, name := range slices.Concat(oneVendor, ownPlace, tscBound, []string{"avx512bw", "movbe"}) {
		require.NotContains(t, b.Features, name)
	}
	for _, name := range []string{"avx2", "x2apic", "sep", "syscall", "nx", "xsave"} {
		require.Contains(t, b.Features, name)
	}
	require.Contains(t, b.String(), "AuthenticAMD, 46 address bits: pni ")
}

// TestBaselineRefusals: each reason names what does not fit.
func TestBaselineRefusals(t *testing.T) {
	add := func(names ...string) func(*Baseline) {
		return func(b *Baseline) { b.Features = append(slices.Clone(b.Features), names...) }
	}
	for want, change := range map[string]func(*Baseline){
		`vendor "VIA"`:                    func(b *Baseline) { b.Vendor = "VIA" },
		"20 address bits":                 func(b *Baseline) { b.PhysAddrBits = 20 },
		"MAXPHYADDR 50: this host has 46": func(b *Baseline) { b.PhysAddrBits = 50 },
		`unknown CPUID feature "warp"`:    add("warp"),
		"this host lacks movbe":           add("movbe"),
		`feature "avx512bw": the place`:   add("avx512bw"),
		`feature "pku": the place`:        add("pku"),
		`feature "sse4a": only one`:       add("sse4a"),
		`feature "vmx": this build does`:  add("vmx"),
		`feature "fma" needs another`: func(b *Baseline) {
			b.Features = slices.DeleteFunc(slices.Clone(b.Features), func(n string) bool { return n == "avx" })
		},
	} {
		b := both(t, Intel)
		change(&b)
		_, err := NewFrozen(intelServer().cpuid, Config{VCPUs: 1}, b)
		require.ErrorIs(t, err, ErrBaseline)
		require.ErrorContains(t, err, want)
	}
	_, err := NewFrozen(intelServer().cpuid, Config{VCPUs: 1, Hide: []string{"aes"}}, both(t, Intel))
	require.ErrorContains(t, err, "this host lacks aes")
	m := intelServer()
	m[key{0xD, 2}] = registers{0x100, 0x300, 0, 0}
	_, err = NewFrozen(m.cpuid, Config{VCPUs: 1}, both(t, Intel))
	require.ErrorContains(t, err, "component AVX has 256 bytes at 768")
}

// TestUnlistedIsHidden: a baseline stays as it is even if a build can emulate
// more.
func TestUnlistedIsHidden(t *testing.T) {
	b := both(t, Intel)
	b.Features = slices.DeleteFunc(b.Features, func(n string) bool { return n == "x2apic" })
	p := frozen(t, intelServer(), Config{}, b)
	for _, name := range []string{"x2apic", "tsc_deadline_timer"} {
		require.False(t, p.Has(name), name)
	}
}

func TestCompare(t *testing.T) {
	table := func(change func(*Config, machine)) []vcpu.CPUIDEntry {
		m, c := amdZen(), Config{VCPUs: 1, TSCHz: 1e9}
		if change != nil {
			change(&c, m)
		}
		p := policy(t, m, c)
		entries, err := p.Table(0)
		require.NoError(t, err)
		return entries
	}
	saved := table(nil)
	require.NoError(t, Compare(saved, table(func(c *Config, _ machine) { c.TSCHz = 2e9 })), "frequencies are not CPUID's affair")
	for want, change := range map[string]func(*Config, machine){
		"lacks: aes, avx512f":                     func(c *Config, _ machine) { c.Hide = []string{"aes", "avx512f"} },
		"MAXPHYADDR is 48 in the snapshot and 40": func(c *Config, _ machine) { c.PhysAddrBits = 40 },
		"XSAVE component 5 has 64 bytes at 832 on one side and 64 at 1088": func(_ *Config, m machine) {
			m[key{0xD, 5}] = registers{0x40, 0x440, 0, 0}
		},
		"leaf 0x80000002.0 is 0x1 ": func(_ *Config, m machine) { m[key{0x80000002, 0}] = registers{9, 2, 3, 4} },
	} {
		err := Compare(saved, table(change))
		require.ErrorIs(t, err, ErrDiffers)
		require.ErrorContains(t, err, want)
	}
	err := Compare(table(func(c *Config, _ machine) { c.Hide = []string{"aes"} }), saved)
	require.ErrorContains(t, err, "has not seen: aes")
}
