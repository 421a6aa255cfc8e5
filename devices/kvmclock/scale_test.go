package kvmclock

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestScaleIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hz := rapid.Uint64Range(1, 1<<40).Draw(t, "hz")
		s := newScale(hz)
		require.GreaterOrEqual(t, s.mul, uint32(1<<31), "full precision")
		secs := rapid.Uint64Range(1, 1000).Draw(t, "secs")
		got := new(big.Float).SetUint64(s.nanos(hz * secs))
		want := new(big.Float).SetUint64(secs * nanosPerSec)
		ratio, _ := new(big.Float).Quo(got, want).Float64()
		if s.shift >= 0 {
			require.InDelta(t, 1, ratio, 2e-9)
		} else {
			require.InDelta(t, 1, ratio, 1e-6, "a right shift drops low ticks")
		}
	})
}

func TestScaleOfUsualRates(t *testing.T) {
	require.Equal(t, scale{mul: 1 << 31, shift: 1}, newScale(1_000_000_000))
	require.Equal(t, scale{mul: 1 << 31, shift: 0}, newScale(2_000_000_000))
	require.Equal(t, scale{mul: 1 << 31, shift: -1}, newScale(4_000_000_000))
}
