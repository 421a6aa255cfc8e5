package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

func TestParseWithout(t *testing.T) {
	names, err := ParseWithout("ept,unrestricted-guest,vmx-preemption-timer,2-mbyte-ept-pages")
	require.NoError(t, err)
	require.Equal(t, []string{
		"enable EPT", "unrestricted guest", "activate VMX-preemption timer", "2-MByte EPT pages",
	}, names)
	for _, bad := range []string{"", "EPT", "ept,", "warp-drive"} {
		_, err := ParseWithout(bad)
		require.ErrorIs(t, err, ErrUnknownFeature, bad)
		require.ErrorContains(t, err, "there are 1-gbyte-ept-pages, 2-mbyte-ept-pages", bad)
		require.ErrorContains(t, err, "unrestricted-guest", bad)
	}
}

// TestWithoutEach: every word takes its features away. A needed one is named
// in the error; the backend does not use the others.
func TestWithoutEach(t *testing.T) {
	for _, w := range Words() {
		names, err := ParseWithout(w)
		require.NoError(t, err, w)
		_, err = newBackend(skylakeCPUID, reader(skylakeMSRs()), names)
		if err != nil {
			require.ErrorIs(t, err, ErrNoControl, w)
			require.ErrorContains(t, err, names[0])
		}
	}
}

// TestWithoutCapabilities: what IA32_VMX_EPT_VPID_CAP has can be taken away
// too, and of the types of INVEPT one must be left.
func TestWithoutCapabilities(t *testing.T) {
	without := func(names ...string) (*Backend, error) {
		return newBackend(skylakeCPUID, reader(skylakeMSRs()), names)
	}
	b, err := without("1-GByte EPT pages", "EPT accessed and dirty flags", "activate VMX-preemption timer")
	require.NoError(t, err)
	require.Zero(t, b.cpu.eptVPID&(ept1G|eptAccessed))
	require.NotZero(t, b.cpu.eptVPID&ept2M)
	require.Zero(t, b.cpu.controls.pin&PinPreemptionTimer)
	require.NotContains(t, b.Caps().Features, "EPT accessed and dirty flags")
	_, err = without("single-context INVEPT", "all-context INVEPT")
	require.ErrorIs(t, err, ErrNoControl)
	_, err = without("page walks of length 4")
	require.ErrorContains(t, err, `"page walks of length 4" (bit mask 0x40)`)
}

// TestStartControls: what is wanted for a time only is off at first.
func TestStartControls(t *testing.T) {
	b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), nil)
	require.NoError(t, err)
	require.NotZero(t, b.cpu.controls.pin&PinPreemptionTimer)
	require.NotZero(t, b.cpu.controls.secondary&SecondaryTSCScaling)
	start := b.cpu.controls.start()
	require.Zero(t, start.pin&PinPreemptionTimer)
	require.Zero(t, start.secondary&SecondaryTSCScaling)
}

// TestHidden: a CPUID feature whose instruction the processor denies to guests
// is named to the owner of the policy. Each name is one that it knows.
func TestHidden(t *testing.T) {
	hidden := func(without ...string) []string {
		b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), without)
		require.NoError(t, err)
		for _, name := range b.Caps().HideCPUID {
			_, ok := x86.FindFeature(name)
			require.True(t, ok, name)
		}
		return b.Caps().HideCPUID
	}
	require.Equal(t, []string{"xsaves", "waitpkg"}, hidden(), "their controls are never on")
	require.Equal(t, []string{"rdtscp", "rdpid", "xsaves", "waitpkg"}, hidden("enable RDTSCP"))
	require.Equal(t, []string{"invpcid", "xsaves", "waitpkg"}, hidden("enable INVPCID"))
}
