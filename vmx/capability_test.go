package vmx

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/memory"
	"ringo/x86"
)

func fields() []*controlField {
	return []*controlField{&pinField, &primaryField, &secondaryField, &exitField, &entryField}
}

// TestMissingControl takes each needed control away in turn: the error names
// it.
func TestMissingControl(t *testing.T) {
	for _, f := range fields() {
		for _, c := range f.controls {
			b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), []string{c.name})
			if !c.needed {
				require.NoError(t, err, c.name)
				require.NotNil(t, b)
				continue
			}
			require.ErrorIs(t, err, ErrNoControl, c.name)
			require.ErrorContains(t, err, fmt.Sprintf("control %q", c.name))
		}
	}
}

// TestBuildProperty: a value obeys both allowed settings whatever they are.
func TestBuildProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(fields()).Draw(t, "field")
		must := rapid.Uint32().Draw(t, "must")
		may := rapid.Uint32().Draw(t, "may") | must
		v, err := f.build(uint64(may)<<32|uint64(must), nil)
		missing := false
		for _, c := range f.controls {
			missing = missing || c.needed && may&c.bit == 0
		}
		if (err != nil) != missing {
			t.Fatalf("error %v, a needed control is missing: %v", err, missing)
		}
		if err == nil && (v&must != must || v&^may != 0) {
			t.Fatalf("value %#x, must %#x, may %#x", v, must, may)
		}
	})
}

func TestTrueControls(t *testing.T) {
	msrs := skylakeMSRs()
	c, err := buildControls(reader(msrs), nil)
	require.NoError(t, err)
	require.Zero(t, c.primary&(PrimaryCR3LoadExiting|PrimaryCR3StoreExiting), "CR3 is the guest's")
	require.Zero(t, c.start().primary&dynamicPrimary)
	require.Zero(t, c.start().entry&EntryIA32eGuest)
	require.NotZero(t, c.start().primary&PrimaryUnconditionalIO)
	msrs[msrBasic] &^= basicTrue
	c, err = buildControls(reader(msrs), nil)
	require.NoError(t, err)
	require.NotZero(t, c.primary&PrimaryCR3LoadExiting, "the old register demands it")
}

func TestRefusedProcessors(t *testing.T) {
	none := func(leaf, sub uint32) (a, b, c, d uint32) {
		a, b, c, d = skylakeCPUID(leaf, sub)
		return a, b, c &^ x86.CPUID1ECXVMX, d
	}
	_, err := newBackend(none, reader(nil), nil)
	require.ErrorIs(t, err, ErrNoVMX)
	for name, change := range map[string]func(map[uint32]uint64){
		"secondary": func(m map[uint32]uint64) { m[msrPrimary] &^= PrimarySecondaryControls << 32 },
		"length 4":  func(m map[uint32]uint64) { m[msrEPTVPID] &^= eptWalk4 },
		"write-back": func(m map[uint32]uint64) {
			m[msrEPTVPID] &^= eptWriteBack
		},
		"INVEPT": func(m map[uint32]uint64) { m[msrEPTVPID] &^= eptINVEPT },
	} {
		m := skylakeMSRs()
		change(m)
		_, err := newBackend(skylakeCPUID, reader(m), nil)
		require.ErrorIs(t, err, ErrNoControl, name)
		require.ErrorContains(t, err, name)
	}
}

func TestCaps(t *testing.T) {
	b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), nil)
	require.NoError(t, err)
	c := b.Caps()
	require.Equal(t, memory.Page1G, c.MaxPage)
	require.EqualValues(t, 40, c.PhysAddrBits)
	require.Subset(t, c.Features, []string{"VPID", "TSC scaling", "page-modification logging"})
	require.True(t, c.TSCScaling)
	require.True(t, c.NextRIP)
	require.EqualValues(t, 0x1000|0x5E, b.eptp(0x1000), "write-back, length 4, accessed and dirty flags")
	require.Zero(t, b.features&featureClosed)
	m := skylakeMSRs()
	m[msrBasic] = m[msrBasic]&^basicRevision | bochsRevision
	b, err = newBackend(skylakeCPUID, reader(m), nil)
	require.NoError(t, err)
	require.NotZero(t, b.features&featureClosed, "Bochs")
	require.EqualValues(t, 625, stayTicks(1e9, 5))
	require.EqualValues(t, 1, stayTicks(0, 5), "0 would exit before the first instruction")
}

func TestStatusErrors(t *testing.T) {
	b := &Backend{}
	require.NoError(t, b.statusError(0, &perCPU{status: uint32(statusOn)}))
	err := b.statusError(3, &perCPU{status: uint32(statusLocked), found: 1})
	require.ErrorIs(t, err, ErrDisabled)
	require.ErrorContains(t, err, "CPU 3: IA32_FEATURE_CONTROL is locked at 0x1")
	for _, s := range []enableStatus{statusCR0, statusCR4, statusVMXON, statusOff} {
		require.ErrorIs(t, b.statusError(0, &perCPU{status: uint32(s)}), ErrVMXON)
	}
}
