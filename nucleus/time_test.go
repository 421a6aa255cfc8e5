package nucleus

import (
	"math/big"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"pgregory.net/rapid"

	"ringo/nucleus/reg"
)

// setClock starts a clock of hz ticks a second now.
func setClock(hz uint64) {
	setTSCFrequency(hz)
	tscBase = reg.ReadTSC()
	wallBase = 0
}

func number(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

// scale is a*b/c, rounded down.
func scale(a, b, c uint64) *big.Int {
	v := new(big.Int).Mul(number(a), number(b))
	return v.Quo(v, number(c))
}

func TestTicksFor(t *testing.T) {
	century := uint64(100*366*24) * uint64(time.Hour)
	rapid.Check(t, func(t *rapid.T) {
		setTSCFrequency(rapid.Uint64Range(1_000_000, 10_000_000_000).Draw(t, "hz"))
		ns := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1<<40)).Draw(t, "ns")
		want := scale(min(ns, century), tscHz, 1_000_000_000)
		if !want.IsUint64() {
			want = number(1 << 62) // longer than any machine runs
		}
		require.Equal(t, want.Uint64(), ticksFor(ns))
	})
	setTSCFrequency(2_000_000_000)
	require.Zero(t, ticksFor(0))
	require.EqualValues(t, 2, ticksFor(1))
	require.Equal(t, ticksFor(century), ticksFor(^uint64(0)))
}

func TestFrequency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hz := rapid.Uint64Range(1_000_000, 10_000_000_000).Draw(t, "hz")
		setTSCFrequency(hz)
		require.Equal(t, scale(1_000_000_000, 1<<32, hz).Uint64(), tscMul)
		require.Equal(t, hz/1_000_000, ticksPerUs)
	})
}

// TestNanotime compares with exact arithmetic over any age of the machine.
func TestNanotime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		setTSCFrequency(rapid.Uint64Range(1_000_000, 10_000_000_000).Draw(t, "hz"))
		age := rapid.OneOf(rapid.Uint64Range(0, 1<<59), rapid.Uint64Range(0, 1<<32)).Draw(t, "ticks")
		tscBase = reg.ReadTSC() - age
		low := scale(reg.ReadTSC()-tscBase, tscMul, 1<<32)
		got := nanotime()
		high := scale(reg.ReadTSC()-tscBase, tscMul, 1<<32)
		if !high.IsUint64() {
			t.Skip("584 years")
		}
		require.LessOrEqual(t, low.Uint64(), got)
		require.LessOrEqual(t, got, high.Uint64())
	})
}

func TestTimespec(t *testing.T) {
	p := addressOf(mustMap(pageSize, pageSize))
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1<<35)).Draw(t, "sec")
		nsec := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1_000_000_001)).Draw(t, "nsec")
		store64(p, sec)
		store64(p+8, nsec)
		ns, ok := timespecNs(p)
		require.Equal(t, int64(sec) >= 0 && nsec < 1_000_000_000, ok)
		if !ok {
			return
		}
		want := new(big.Int).Mul(number(sec), number(1_000_000_000))
		want.Add(want, number(nsec))
		if !want.IsUint64() {
			want = number(^uint64(0))
		}
		require.Equal(t, want.Uint64(), ns)
	})
	for _, ns := range []uint64{0, 1, 999_999_999, 1_000_000_000, ^uint64(0)} {
		storeTimespec(p, ns)
		got, ok := timespecNs(p)
		require.True(t, ok)
		require.Equal(t, ns, got)
	}
}

func TestClockGettime(t *testing.T) {
	p := addressOf(mustMap(pageSize, pageSize))
	setClock(1_000_000_000)
	wallBase = uint64(time.Date(2031, 5, 4, 3, 2, 1, 0, time.UTC).UnixNano())
	for clock, wall := range map[int32]bool{
		linux.CLOCK_REALTIME: true, linux.CLOCK_REALTIME_COARSE: true, linux.CLOCK_MONOTONIC: false,
		linux.CLOCK_MONOTONIC_RAW: false, linux.CLOCK_MONOTONIC_COARSE: false, linux.CLOCK_BOOTTIME: false,
	} {
		low := nanotime()
		require.Zero(t, sysClockGettime(clock, p))
		ns, ok := timespecNs(p)
		require.True(t, ok)
		if wall {
			ns -= wallBase
		}
		require.True(t, low <= ns && ns <= nanotime(), "clock %d", clock)
	}
	require.Equal(t, errno(syscall.EINVAL), sysClockGettime(99, p))
	require.Equal(t, errno(syscall.EINVAL), sysClockGettime(-1, p))
}

func TestChooseTSC(t *testing.T) {
	const measured = 2_400_000_000
	for claimed, want := range map[uint64]uint64{
		0: measured, 2_394_000_000: 2_394_000_000, 2_406_000_000: 2_406_000_000,
		100_000_000: measured, 4_800_000_000: measured, 1<<64 - 1: measured,
	} {
		require.Equal(t, want, chooseTSC(measured, claimed), "claimed %d", claimed)
	}
}

// TestCalibration: windows in which the processor was away while the PIT
// counted through its 16 bits do not change the frequencies, if no two of them
// are alike.
func TestCalibration(t *testing.T) {
	const tscHz, apicHz = 2_445_000_000, 1_000_000_000
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Uint64Range(0, 40).Draw(t, "begin")
		sample := func(start uint64) clockSample {
			return clockSample{
				tsc: us * tscHz / 1_000_000, apic: uint32(0xffff_ffff - us*apicHz/1_000_000),
				pit: uint32(0xffff-(us-start)*pitHz/1_000_000) & 0xffff,
			}
		}
		var c calibration
		var disturbed []uint64
		for calm := 0; ; {
			away := rapid.SliceOfN(rapid.Uint64Range(0, 90_000), 0, 3).Draw(t, "microseconds away")
			start := us
			w := clockWindow{first: sample(start)}
			w.last = w.first
			for i := 0; ; i++ {
				us += 50
				if i < len(away) {
					us += away[i]
				}
				if w.add(sample(start)) {
					break
				}
			}
			tsc, _ := w.frequencies()
			alike := func(other uint64) bool { return max(tsc, other)-min(tsc, other) <= other/300 }
			switch {
			case len(away) == 0 || slices.Max(away) < 54_000:
				calm++
			case slices.ContainsFunc(disturbed, alike):
				continue
			default:
				disturbed = append(disturbed, tsc)
			}
			if c.add(&w) {
				break
			}
			require.Less(t, calm, 2, "two windows without a long absence agree")
		}
		require.InEpsilon(t, tscHz, c.tsc, 0.003)
		require.InEpsilon(t, apicHz, c.apic, 0.003)
	})
	var c calibration
	still := clockWindow{last: clockSample{tsc: 100, pit: 5}}
	require.False(t, still.add(clockSample{tsc: 200, pit: 5}))
	for range 2 {
		require.False(t, c.add(&still), "a PIT that stands still")
	}
}
