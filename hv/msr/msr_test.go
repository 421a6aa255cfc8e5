package msr

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/x86"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range Registers {
		if i > 0 {
			require.Less(t, Registers[i-1].Number, r.Number, "%s is out of order or twice", r.Name)
		}
		require.NotEmpty(t, r.Name)
		require.False(t, seen[r.Name], "%s twice", r.Name)
		seen[r.Name] = true
		require.Equal(t, i, Find(r.Number))
		require.Equal(t, r.Name, Name(r.Number))
		require.Zero(t, r.Reset&^r.Mask*b(r.Class == Stored), "%s: reset value outside the mask", r.Name)
	}
	require.Equal(t, -1, Find(0x1234567))
	require.Equal(t, -1, Find(^uint32(0)))
	require.Empty(t, Name(0x1234567))
	require.Equal(t, "x2APIC", Name(x86.MSRx2APICBase+2))
	require.False(t, IsX2APIC(x86.MSRx2APICBase-1))
	require.False(t, IsX2APIC(x86.MSRx2APICLast+1))
}

func b(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

func TestClasses(t *testing.T) {
	f := NewFile(48)
	for _, c := range []struct {
		number uint32
		write  uint64
		read   uint64
		result Result
	}{
		{x86.MSRMTRRCap, 0, mtrrCap, Fault},
		{x86.MSRMCGCap, 0, 0, Fault},
		{x86.MSRNBCfg, 0xFFFF, 0, OK},
		{x86.MSRBiosSignID, 0, microcodeRevision<<32 | microcodeRevision, OK},
		{x86.MSRVMCR, 0, x86.VMCRSVMDIS | x86.VMCRLock, Fault},
		{x86.MSRHWCR, x86.HWCRMcStatusWrEn, x86.HWCRMcStatusWrEn, OK},
		{x86.MSRHWCR, 1 << 63, x86.HWCRMcStatusWrEn, Fault},
		{x86.MSRMiscEnable, x86.MiscEnableFastStrings, x86.MiscEnableFastStrings, OK},
	} {
		require.Equal(t, c.result, f.Write(c.number, c.write), Name(c.number))
		v, r := f.Read(c.number)
		require.Equal(t, OK, r, Name(c.number))
		require.Equal(t, c.read, v, Name(c.number))
	}
	for _, number := range []uint32{x86.MSREFER, x86.MSRTSC, x86.MSRPAT, x86.MSRKVMSystemTimeNew} {
		_, r := f.Read(number)
		require.Equal(t, IsLive, r, Name(number))
		require.Equal(t, IsLive, f.Write(number, 0), Name(number))
	}
	_, r := f.Read(0x1234567)
	require.Equal(t, Unknown, r)
	require.Equal(t, Unknown, f.Write(0x1234567, 0))
}

func TestMTRRs(t *testing.T) {
	f := NewFile(40)
	mask, _ := f.Read(x86.MSRMTRRPhysMask0)
	require.EqualValues(t, 0xFF_C000_0800, mask, "the hole of 1 GiB in 40 bits")
	base, _ := f.Read(x86.MSRMTRRPhysBase0)
	require.EqualValues(t, 0xC000_0000, base)
	def, _ := f.Read(x86.MSRMTRRDefType)
	require.EqualValues(t, 0xC06, def)

	require.Equal(t, OK, f.Write(x86.MSRMTRRPhysBase0+4, 0x12345006))
	require.Equal(t, Fault, f.Write(x86.MSRMTRRPhysBase0+4, 0x12345002), "type 2 does not exist")
	require.Equal(t, Fault, f.Write(x86.MSRMTRRPhysBase0+4, 1<<40), "beyond the physical address width")
	require.Equal(t, Fault, f.Write(x86.MSRMTRRPhysMask0+4, 0x400), "reserved bit")
	require.Equal(t, Fault, f.Write(x86.MSRMTRRDefType, 0xC07))
	require.Equal(t, Fault, f.Write(x86.MSRMTRRFix4KC0000, 0x0606060606060602))
	require.Equal(t, OK, f.Write(x86.MSRMTRRFix4KC0000, 0x0504010006060606))
	f.Reset()
	v, _ := f.Read(x86.MSRMTRRPhysBase0 + 4)
	require.Zero(t, v)
}

func TestValidPAT(t *testing.T) {
	require.True(t, ValidPAT(x86.PATDefault))
	require.True(t, ValidPAT(0x0706050401000606))
	require.False(t, ValidPAT(0x02))
	require.False(t, ValidPAT(0x08<<56))
}

// TestValuesRoundTrip: what was accepted is listed, and a new file takes it.
func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := NewFile(48)
		for range rapid.IntRange(0, 30).Draw(t, "writes") {
			r := Registers[rapid.IntRange(0, len(Registers)-1).Draw(t, "register")]
			before, _ := f.Read(r.Number)
			v := rapid.Uint64().Draw(t, "value")
			if rapid.Bool().Draw(t, "masked") {
				v &= r.Mask
			}
			result := f.Write(r.Number, v)
			after, _ := f.Read(r.Number)
			switch {
			case r.Class == Stored && result == OK:
				if after != v {
					t.Fatalf("%s: wrote %#x, read %#x", r.Name, v, after)
				}
			case after != before:
				t.Fatalf("%s: changed from %#x to %#x by a write that gave %d", r.Name, before, after, result)
			}
		}
		g := NewFile(48)
		for _, v := range f.Values() {
			if g.Write(v.Number, v.Value) != OK {
				t.Fatalf("%s refuses its own value %#x", Name(v.Number), v.Value)
			}
		}
		if len(g.Values()) == 0 {
			t.Fatal("nothing is stored")
		}
		for i, v := range g.Values() {
			if v != f.Values()[i] {
				t.Fatalf("%s: %#x became %#x", Name(v.Number), f.Values()[i].Value, v.Value)
			}
		}
	})
}

func TestCounter(t *testing.T) {
	var c Counter
	logged := 0
	for i := range uint64(1000) {
		n, log := c.Note(5, false)
		require.Equal(t, i+1, n)
		if log {
			logged++
		}
	}
	require.Equal(t, 4, logged, "at 1, 10, 100 and 1000")
	n, log := c.Note(5, true)
	require.EqualValues(t, 1, n, "writes are another kind")
	require.True(t, log)
	for i := range uint32(100_000) {
		c.Note(i, false)
	}
	require.Len(t, c.seen, unknownKinds, "a guest cannot make it grow")
	require.EqualValues(t, 101_001, c.Total())
}
