package acpipm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/acpipm"
	"ringo/devices/clock"
	"ringo/devices/devtest"
	"ringo/snapshot"
)

type fixture struct {
	*acpipm.PM
	clock            *clock.Fake
	sci              devtest.Line
	powerOff, resets int
}

func newFixture(bits uint8) *fixture {
	f := &fixture{clock: clock.NewFake(time.Unix(0, 0))}
	f.PM = acpipm.New(acpipm.Config{
		Clock: f.clock, SCI: &f.sci, TimerBits: bits, S5: 5,
		OnPowerOff: func() {
			f.powerOff++
			f.PM.Reset() // a callback may call back
		},
		OnReset: func() {
			f.resets++
			f.PM.Reset()
		},
	})
	return f
}

func (f *fixture) out16(off uint64, v uint16) { f.Write(off, []byte{byte(v), byte(v >> 8)}) }

func (f *fixture) in(off uint64, n int) uint64 {
	p := make([]byte, n)
	f.Read(off, p)
	return devices.Value(p)
}

func TestPowerButton(t *testing.T) {
	f := newFixture(32)
	require.False(t, f.PressPowerButton(), "nobody listens")
	require.False(t, f.sci.Level())
	require.Equal(t, uint64(1<<8), f.in(0, 2))
	f.out16(2, 1<<8)
	require.True(t, f.sci.Level(), "level-triggered")
	f.out16(0, 1<<8)
	require.False(t, f.sci.Level())
	require.Zero(t, f.in(0, 2))
	require.True(t, f.PressPowerButton())
	require.True(t, f.sci.Level())
	f.Write(1, []byte{1}) // the high byte alone
	require.False(t, f.sci.Level())
	f.out16(2, 0xFFFF)
	require.Equal(t, uint64(0x0721), f.in(2, 2), "only what exists can be enabled")
}

func TestPowerOff(t *testing.T) {
	f := newFixture(32)
	require.Equal(t, uint64(1), f.in(4, 2), "always in ACPI mode")
	f.out16(4, 5<<10)
	require.Zero(t, f.powerOff, "SLP_TYP alone")
	require.Equal(t, uint64(5<<10|1), f.in(4, 2))
	f.out16(4, 3<<10|1<<13)
	require.Zero(t, f.powerOff, "another sleep state")
	f.out16(4, 5<<10|1<<13)
	require.Equal(t, 1, f.powerOff)
	f.Write(5, []byte{0x34})
	require.Equal(t, 2, f.powerOff, "byte access")
}

func TestResetPort(t *testing.T) {
	f := newFixture(32)
	h := f.ResetPort()
	h.Write(0, []byte{0x02})
	require.Zero(t, f.resets)
	var p [1]byte
	h.Read(0, p[:])
	require.Equal(t, byte(2), p[0])
	h.Write(0, []byte{0x06})
	require.Equal(t, 1, f.resets)
}

func TestTimer(t *testing.T) {
	for _, bits := range []uint8{24, 32} {
		f := newFixture(bits)
		f.clock.Advance(time.Second)
		require.Equal(t, uint64(3579545), f.in(8, 4))
		require.Equal(t, uint64(3579545>>8&0xFFFF), f.in(9, 2))
		f.clock.Advance(10 * time.Second)
		require.Equal(t, uint64(11*3579545)&(1<<bits-1), f.in(8, 4))
	}
}

func TestTimerInterrupt(t *testing.T) {
	f := newFixture(24)
	require.Zero(t, f.clock.Armed())
	f.out16(2, 1)
	const half = time.Duration(1<<23) * time.Second / acpipm.TimerFrequency
	f.clock.Advance(half - time.Microsecond)
	require.False(t, f.sci.Level())
	f.clock.Advance(2 * time.Microsecond)
	require.True(t, f.sci.Level())
	require.Zero(t, f.clock.Armed())
	f.out16(0, 1)
	require.False(t, f.sci.Level())
	f.clock.Advance(half)
	require.True(t, f.sci.Level())

	f = newFixture(24)
	f.clock.Advance(3 * half)
	require.Equal(t, uint64(1), f.in(0, 2), "status without the enable")
	require.NoError(t, f.Close())
}

func TestSnapshot(t *testing.T) {
	f, to := newFixture(32), newFixture(32)
	f.out16(2, 1<<8|1)
	f.out16(4, 3<<10)
	f.PressPowerButton()
	devtest.RoundTrip(t, f, to)
	require.True(t, to.sci.Level())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x81, 2, 0, 0, 1, 0xC0, 1, 0, 0, 0x82, 4, 0, 0, 0x34, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture(24)
		regions := []devtest.Region{{Handler: x, Size: acpipm.Size}, {Handler: x.ResetPort(), Size: 1}}
		devtest.Hammer(data, regions, func(n uint8) {
			x.clock.Advance(time.Duration(n) << 20)
			x.PressPowerButton()
		})
		devtest.RoundTrip(t, x, newFixture(24))
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture(32)))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture(32)
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) == nil {
			require.Equal(t, uint64(1), x.in(4, 2)&1)
			require.Zero(t, x.powerOff)
		}
	})
}
