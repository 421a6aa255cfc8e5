package rtc_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/devices"
	"ringo/devices/clock"
	"ringo/devices/devtest"
	"ringo/devices/rtc"
	"ringo/snapshot"
)

// epoch is a Friday.
var epoch = time.Date(2026, 11, 20, 21, 58, 59, 250_000_000, time.UTC)

type fixture struct {
	*rtc.RTC
	clock *clock.Fake
	irq   devtest.Line
	h     devices.Handler
}

func newFixture() *fixture {
	f := &fixture{clock: clock.NewFake(epoch)}
	f.RTC = rtc.New(f.clock, &f.irq, rtc.Memory{Low: 3 << 30, High: 2 << 30})
	f.h = f.Handler()
	return f
}

func (f *fixture) out(loc, v uint8) {
	f.h.Write(0, []byte{loc})
	f.h.Write(1, []byte{v})
}

func (f *fixture) in(loc uint8) uint8 {
	f.h.Write(0, []byte{loc})
	var p [1]byte
	f.h.Read(1, p[:])
	return p[0]
}

// date reads year, month, day, weekday, hour, minute, second as they stand.
func (f *fixture) date() (v [8]uint8) {
	for i, loc := range []uint8{0x32, 9, 8, 7, 6, 4, 2, 0} {
		v[i] = f.in(loc)
	}
	return v
}

func TestTimeOfDay(t *testing.T) {
	f := newFixture()
	require.Equal(t, [8]uint8{0x20, 0x26, 0x11, 0x20, 6, 0x21, 0x58, 0x59}, f.date())
	f.out(0x0B, 0x06) // binary
	require.Equal(t, [8]uint8{20, 26, 11, 20, 6, 21, 58, 59}, f.date())
	f.out(0x0B, 0x00) // BCD, 12 hours
	require.Equal(t, uint8(0x89), f.in(4))
	f.clock.Advance(3 * time.Hour)
	require.Equal(t, uint8(0x12), f.in(4), "midnight is 12 AM")
	require.Equal(t, uint8(0x21), f.in(7))
	f.clock.Advance(12 * time.Hour)
	require.Equal(t, uint8(0x92), f.in(4), "noon is 12 PM")
	require.Equal(t, uint8(0x80), f.in(0x0D))
	var p [1]byte
	f.h.Read(0, p[:])
	require.Equal(t, uint8(0xFF), p[0], "the index cannot be read")
}

func TestSetAsOperatingSystemsDo(t *testing.T) {
	f := newFixture()
	f.out(0x0B, 0x82)
	f.out(0x0A, 0x76) // hold the divider
	for loc, v := range map[uint8]uint8{0x32: 0x19, 9: 0x99, 8: 0x12, 7: 0x31, 4: 0x23, 2: 0x59, 0: 0x58} {
		f.out(loc, v)
	}
	f.clock.Advance(time.Minute)
	require.Equal(t, uint8(0x58), f.in(0), "held")
	f.out(0x0B, 0x02)
	f.out(0x0A, 0x26)
	f.clock.Advance(400 * time.Millisecond)
	require.Equal(t, uint8(0x58), f.in(0))
	f.clock.Advance(100 * time.Millisecond)
	require.Equal(t, uint8(0x59), f.in(0), "the first update comes after half a second")
	f.clock.Advance(time.Second)
	require.Equal(t, [8]uint8{0x20, 0x00, 0x01, 0x01, 7, 0, 0, 0}, f.date())

	f.out(4, 0x05) // without SET
	require.Equal(t, uint8(0x05), f.in(4))
	f.clock.Advance(time.Hour)
	require.Equal(t, uint8(0x06), f.in(4))
}

func TestUpdateInProgress(t *testing.T) {
	f := newFixture()
	f.clock.Advance(749_755 * time.Microsecond)
	require.Equal(t, uint8(0x26), f.in(0x0A))
	f.clock.Advance(2 * time.Microsecond)
	require.Equal(t, uint8(0xA6), f.in(0x0A), "244 us before the update")
	f.clock.Advance(time.Millisecond)
	require.Equal(t, uint8(0x26), f.in(0x0A))
}

func TestUpdateEndedInterrupt(t *testing.T) {
	f := newFixture()
	require.Zero(t, f.clock.Armed(), "nothing ticks by itself")
	f.out(0x0B, 0x12)
	f.clock.Advance(749 * time.Millisecond)
	require.False(t, f.irq.Level())
	f.clock.Advance(time.Millisecond)
	require.True(t, f.irq.Level())
	require.Zero(t, f.clock.Armed(), "no timer while the flag is up")
	require.Equal(t, uint8(0x90), f.in(0x0C)&0x90)
	require.False(t, f.irq.Level())
	require.Zero(t, f.in(0x0C))
	f.clock.Advance(time.Second)
	require.True(t, f.irq.Level())
	f.out(0x0B, 0x92)
	require.Equal(t, uint8(0x82), f.in(0x0B), "SET clears UIE")
}

func TestPeriodicInterrupt(t *testing.T) {
	for rate, hz := range map[uint8]int{1: 256, 2: 128, 3: 8192, 6: 1024, 15: 2} {
		f := newFixture()
		f.out(0x0A, 0x20|rate)
		f.out(0x0B, 0x42)
		for range 3 * hz / 2 {
			before := f.irq.Rises()
			f.clock.Advance(time.Second/time.Duration(hz) + 1)
			require.Equal(t, before+1, f.irq.Rises(), "rate %d", rate)
			require.Equal(t, uint8(0xC0), f.in(0x0C)&0xC0)
			require.False(t, f.irq.Level())
		}
	}
	f := newFixture()
	f.out(0x0A, 0x20)
	f.out(0x0B, 0x42)
	require.Zero(t, f.clock.Armed(), "rate 0 is off")
}

func TestAlarm(t *testing.T) {
	cases := []struct {
		h, m, s uint8
		b       uint8
		wait    time.Duration // from 21:58:59.25
	}{
		{0x21, 0x59, 0x00, 0x22, 750 * time.Millisecond},
		{0x22, 0x00, 0x00, 0x22, 60*time.Second + 750*time.Millisecond},
		{0xFF, 0xFF, 0xFF, 0x22, 750 * time.Millisecond},
		{0xC0, 0x00, 0x30, 0x22, 90*time.Second + 750*time.Millisecond},
		{0x21, 0x58, 0x59, 0x22, 24*time.Hour - 250*time.Millisecond},
		{0x81, 0x00, 0x00, 0x20, 15*time.Hour + 60*time.Second + 750*time.Millisecond}, // 1 PM
		{13, 0, 0, 0x26, 15*time.Hour + 60*time.Second + 750*time.Millisecond},
	}
	for _, c := range cases {
		f := newFixture()
		f.out(5, c.h)
		f.out(3, c.m)
		f.out(1, c.s)
		f.out(0x0B, c.b)
		f.clock.Advance(c.wait - 1)
		require.False(t, f.irq.Level(), "%+v", c)
		f.clock.Advance(1)
		require.True(t, f.irq.Level(), "%+v", c)
		require.Equal(t, uint8(0xA0), f.in(0x0C)&0xA0)
	}
	f := newFixture()
	f.out(5, 0x25) // no such hour
	f.out(0x0B, 0x22)
	require.Zero(t, f.clock.Armed())
}

func TestFlagsWithoutInterrupts(t *testing.T) {
	f := newFixture()
	f.in(0x0C)
	f.out(1, 0xFF)
	f.out(3, 0xFF)
	f.out(5, 0xFF)
	f.clock.Advance(time.Second)
	require.Equal(t, uint8(0x70), f.in(0x0C), "a guest may poll them")
	require.False(t, f.irq.Level())
}

func TestCMOS(t *testing.T) {
	f := newFixture()
	word := func(loc uint8) int { return int(f.in(loc)) | int(f.in(loc+1))<<8 }
	require.Equal(t, 640, word(0x15))
	require.Equal(t, 0xFFFF, word(0x17))
	require.Equal(t, 0xFFFF, word(0x30))
	require.Equal(t, (3<<30-16<<20)>>16, word(0x34))
	require.Equal(t, (2<<30)>>16, word(0x5B)|int(f.in(0x5D))<<16)
	sum := 0
	for loc := uint8(0x10); loc < 0x2E; loc++ {
		sum += int(f.in(loc))
	}
	require.Equal(t, sum, int(f.in(0x2E))<<8|int(f.in(0x2F)))
	f.out(0xFF, 0x5A)
	require.Equal(t, uint8(0x5A), f.in(0x7F), "bit 7 of the index masks NMI")
	f.Reset()
	require.Equal(t, uint8(0x5A), f.in(0x7F), "the battery keeps it")
}

func TestWallTimeMayGoBack(t *testing.T) {
	f := newFixture()
	f.out(0x0B, 0x12)
	f.clock.SetWall(epoch.Add(-time.Hour))
	f.clock.Advance(time.Second)
	require.Equal(t, uint8(0x20), f.in(4))
	f.in(0x0C)
	f.clock.Advance(time.Second)
	require.True(t, f.irq.Level())
}

// TestModesAgree sets a time in one mode and reads it in another.
func TestModesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFixture()
		want := rapid.Int64Range(0, 4_000_000_000).Draw(t, "unix")
		f.clock.SetWall(time.Unix(want, 0))
		modes := rapid.SampledFrom([]uint8{0, 2, 4, 6})
		f.out(0x0B, modes.Draw(t, "read"))
		v := f.date()
		b := modes.Draw(t, "write")
		f2 := newFixture()
		f2.out(0x0B, 0x80|f.in(0x0B))
		for i, loc := range []uint8{0x32, 9, 8, 7, 6, 4, 2, 0} {
			f2.out(loc, v[i])
		}
		f2.out(0x0B, b)
		f.out(0x0B, b)
		require.Equal(t, f.date(), f2.date())
	})
}

func TestSnapshot(t *testing.T) {
	f := newFixture()
	f.out(9, 0x30) // the guest is in another year
	f.out(1, 0x00)
	f.out(3, 0xFF)
	f.out(5, 0xFF)
	f.out(0x40, 0x77)
	f.out(0x0B, 0x22)
	f.clock.Advance(100 * time.Millisecond)
	to := newFixture()
	to.clock.Advance(5 * time.Second)
	to.clock.SetWall(f.clock.Wall())
	devtest.RoundTrip(t, f, to)
	require.Equal(t, f.date(), to.date())
	require.Equal(t, uint8(0x77), to.in(0x40))
	to.clock.Advance(650 * time.Millisecond)
	require.True(t, to.irq.Level(), "the alarm is armed")

	f.out(0x0B, 0x80) // in the middle of setting the time
	f.out(0, 0x33)
	to = newFixture()
	devtest.RoundTrip(t, f, to)
	to.clock.Advance(time.Hour)
	require.Equal(t, uint8(0x33), to.in(0))
	require.NoError(t, to.Close())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 0x0B, 0x80, 1, 0, 0x72, 0xC0, 50, 0, 0x80, 0, 0, 0x0C, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		steps := 0
		devtest.Hammer(data, []devtest.Region{{Handler: x.h, Size: 2}}, func(n uint8) {
			if steps++; steps < 50 {
				x.clock.Advance(time.Duration(n) << (n & 31))
			}
		})
		x.in(0x0C)
		to := newFixture()
		to.clock.SetWall(x.clock.Wall())
		devtest.RoundTrip(t, x, to)
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture()))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) != nil {
			return
		}
		for loc := range uint8(128) {
			x.in(loc)
		}
		x.clock.Advance(10 * time.Second)
		x.out(0x0B, 0)
		x.date()
	})
}
