package vcpu

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTSCRatio(t *testing.T) {
	require.EqualValues(t, 1<<TSCFraction, TSCRatio(3e9, 3e9))
	require.EqualValues(t, 5<<(TSCFraction-1), TSCRatio(5e9, 2e9))
	require.EqualValues(t, 1<<(TSCFraction-2), TSCRatio(1e9, 4e9))
	for _, hz := range [][2]uint64{{0, 1e9}, {1e9, 0}, {255e9, 1e9}, {1e6, 1e9}, {math.MaxUint64, 1}} {
		require.Zero(t, TSCRatio(hz[0], hz[1]), "%d on %d", hz[0], hz[1])
	}
}

// TestUnscaled: without a ratio, and in no VM, guests count as the host does.
func TestUnscaled(t *testing.T) {
	for _, v := range []*VMArea{nil, {}} {
		require.EqualValues(t, 7, v.ScaleTSC(7))
		require.EqualValues(t, 7, v.HostTicks(7))
	}
	a := new(Area)
	a.SetGuestTSC(100, 7)
	require.EqualValues(t, 103, a.GuestTSC(10))
}

func TestHostTicksSaturate(t *testing.T) {
	v := &VMArea{TSCRatio: 1 << (TSCFraction - 2)}
	require.EqualValues(t, uint64(math.MaxUint64), v.HostTicks(math.MaxUint64/2))
	require.EqualValues(t, 4, v.HostTicks(1))
}

// TestHostTicksProperty: after HostTicks of the host the guest's counter has
// come that far, and not a tick of the host earlier than needed.
func TestHostTicksProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := &VMArea{TSCRatio: TSCRatio(
			rapid.Uint64Range(1e8, 6e9).Draw(t, "guest"), rapid.Uint64Range(1e8, 6e9).Draw(t, "host"))}
		now := rapid.Uint64Range(0, 1<<55).Draw(t, "now")
		ticks := rapid.Uint64Range(0, 1<<50).Draw(t, "ticks")
		wait := v.HostTicks(ticks)
		if got := v.ScaleTSC(now+wait) - v.ScaleTSC(now); got < ticks {
			t.Fatalf("%d ticks of the host are %d of the guest; %d were asked for", wait, got, ticks)
		}
		if wait < 2 {
			return
		}
		// Two roundings, each of at most a tick of the guest.
		if got := v.ScaleTSC(now+wait-1) - v.ScaleTSC(now); got > ticks+1 {
			t.Fatalf("%d ticks of the host would do for %d of the guest", wait-1, ticks)
		}
	})
}
