package pit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/devices"
	"ringo/devices/clock"
	"ringo/devices/devtest"
	"ringo/devices/pit"
	"ringo/snapshot"
)

type fixture struct {
	*pit.PIT
	clock  *clock.Fake
	irq    devtest.Line
	ports  devices.Handler
	port61 devices.Handler
	ticked int64
}

func newFixture() *fixture {
	f := &fixture{clock: clock.NewFake(time.Unix(0, 0))}
	f.PIT = pit.New(f.clock, &f.irq)
	f.ports, f.port61 = f.Handler(), f.Port61()
	return f
}

// ticks moves the clock so that n more ticks have passed since the start.
func (f *fixture) ticks(n int64) {
	f.ticked += n
	at := time.Duration((f.ticked*int64(time.Second) + pit.Frequency - 1) / pit.Frequency)
	f.clock.Advance(at - f.clock.Now())
}

func (f *fixture) out(port uint64, v ...uint8) {
	for _, b := range v {
		f.ports.Write(port, []byte{b})
	}
}

func (f *fixture) in(port uint64) uint8 {
	var p [1]byte
	f.ports.Read(port, p[:])
	return p[0]
}

func (f *fixture) in16(port uint64) uint16 { return uint16(f.in(port)) | uint16(f.in(port))<<8 }

// status reads status and count of a channel at once by read-back.
func (f *fixture) status(ch uint64) (out bool, count uint16) {
	f.out(3, 0xC0|1<<(1+ch))
	s := f.in(ch)
	return s&0x80 != 0, f.in16(ch)
}

func (f *fixture) gate(on bool) {
	v := byte(0)
	if on {
		v = 1
	}
	f.port61.Write(0, []byte{v})
}

// program gives channel ch mode and count, low byte first.
func (f *fixture) program(ch uint64, mode uint8, count uint16) {
	f.out(3, uint8(ch)<<6|0x30|mode<<1)
	f.out(ch, uint8(count), uint8(count>>8))
}

// TestOutputs walks each mode tick by tick and compares OUT with the wave that
// the datasheet draws.
func TestOutputs(t *testing.T) {
	cases := []struct {
		mode  uint8
		count uint16
		wave  string // of ticks 0, 1, ... after the count or the trigger
	}{
		{0, 4, "000011111"},
		{1, 4, "000011111"},
		{2, 4, "111011101"},
		{3, 4, "110011001"},
		{3, 5, "1110011100"},
		{4, 4, "111101111"},
		{5, 4, "111101111"},
	}
	for _, c := range cases {
		f := newFixture()
		f.gate(c.mode != 1 && c.mode != 5)
		f.program(2, c.mode, c.count)
		if c.mode == 1 || c.mode == 5 {
			out, _ := f.status(2)
			require.True(t, out, "mode %d waits for its trigger", c.mode)
			f.gate(true)
		}
		for i, want := range c.wave {
			out, _ := f.status(2)
			require.Equal(t, want == '1', out, "mode %d, tick %d of %s", c.mode, i, c.wave)
			var p [1]byte
			f.port61.Read(0, p[:])
			require.Equal(t, out, p[0]&0x20 != 0, "port 61H")
			f.ticks(1)
		}
	}
}

func TestCounts(t *testing.T) {
	f := newFixture()
	f.gate(true)
	f.program(2, 2, 100)
	f.ticks(30)
	_, n := f.status(2)
	require.Equal(t, uint16(70), n)
	f.ticks(100)
	_, n = f.status(2)
	require.Equal(t, uint16(70), n, "reloaded")
	f.program(2, 0, 10)
	f.ticks(12)
	_, n = f.status(2)
	require.Equal(t, uint16(0xFFFE), n, "goes on below 0")
	f.program(2, 3, 100)
	f.ticks(10)
	_, n = f.status(2)
	require.Equal(t, uint16(80), n, "by two")
	f.program(2, 2, 0)
	f.ticks(1)
	_, n = f.status(2)
	require.Equal(t, uint16(0xFFFF), n, "0 is 65536")
}

func TestBCD(t *testing.T) {
	f := newFixture()
	f.gate(true)
	f.out(3, 0xB5) // channel 2, both bytes, mode 2, BCD
	f.out(2, 0x34, 0x12)
	f.ticks(35)
	_, n := f.status(2)
	require.Equal(t, uint16(0x1199), n)
}

func TestGate(t *testing.T) {
	f := newFixture()
	f.gate(true)
	f.program(2, 0, 100)
	f.ticks(40)
	f.gate(false)
	f.ticks(1000)
	out, n := f.status(2)
	require.False(t, out)
	require.Equal(t, uint16(60), n, "a low gate stops mode 0")
	f.gate(true)
	f.ticks(59)
	out, _ = f.status(2)
	require.False(t, out)
	f.ticks(1)
	out, _ = f.status(2)
	require.True(t, out)

	f.program(2, 2, 100)
	f.ticks(99)
	f.gate(false)
	out, _ = f.status(2)
	require.True(t, out, "a low gate sets the output high")
	f.gate(true)
	_, n = f.status(2)
	require.Equal(t, uint16(100), n, "and the next edge starts over")
}

func TestLatchAndAccessModes(t *testing.T) {
	f := newFixture()
	f.gate(true)
	f.program(2, 2, 0x1234)
	f.ticks(0x34)
	f.out(3, 0x80) // latch
	f.ticks(5)
	f.out(3, 0x80) // a second latch is ignored
	require.Equal(t, uint16(0x1200), f.in16(2))
	require.Equal(t, uint16(0x11FB), f.in16(2), "the counter itself")

	f.out(3, 0xE8) // read-back: status of channel 2 only
	require.Equal(t, uint8(0x80|0x30|2<<1), f.in(2))

	f.out(3, 0x94) // channel 2, low byte, mode 2
	f.out(3, 0xE8)
	require.NotZero(t, f.in(2)&0x40, "null count")
	f.out(2, 50)
	f.ticks(1)
	require.Equal(t, uint8(49), f.in(2))
	f.out(3, 0xA4) // high byte
	f.out(2, 2)
	f.ticks(1)
	require.Equal(t, uint8(1), f.in(2))
	require.Equal(t, uint8(0xFF), f.in(3), "the control word cannot be read")
}

func TestMode0FirstByteStops(t *testing.T) {
	f := newFixture()
	f.gate(true)
	f.program(2, 0, 10)
	f.out(2, 5)
	f.ticks(100)
	out, _ := f.status(2)
	require.False(t, out)
	f.out(2, 0)
	f.ticks(5)
	out, _ = f.status(2)
	require.True(t, out)
}

func TestInterrupts(t *testing.T) {
	f := newFixture()
	const hz100 = 11932
	f.program(0, 2, hz100)
	base := f.irq.Rises()
	for i := range 10 {
		f.ticks(hz100 - 1)
		require.Equal(t, base+i, f.irq.Rises())
		f.ticks(1)
		require.Equal(t, base+i+1, f.irq.Rises())
	}
	f.program(0, 3, 2*hz100)
	base = f.irq.Rises()
	f.ticks(20 * hz100)
	require.Equal(t, base+10, f.irq.Rises())

	f.program(0, 0, hz100)
	require.False(t, f.irq.Level())
	base = f.irq.Rises()
	f.ticks(hz100)
	require.True(t, f.irq.Level())
	f.ticks(100 * hz100)
	require.Equal(t, base+1, f.irq.Rises(), "once")
	require.Zero(t, f.clock.Armed())

	f.program(0, 4, hz100)
	base = f.irq.Rises()
	f.ticks(3 * hz100)
	require.Equal(t, base+1, f.irq.Rises())
}

func TestInterruptStormIsBounded(t *testing.T) {
	f := newFixture()
	f.program(0, 2, 2)
	base := f.irq.Rises()
	f.clock.Advance(time.Second)
	require.LessOrEqual(t, f.irq.Rises()-base, 10100)
	require.Greater(t, f.irq.Rises()-base, 5000)
}

func TestRefreshBitToggles(t *testing.T) {
	f := newFixture()
	var p [1]byte
	changes, last := 0, byte(0)
	for range 1000 {
		f.port61.Read(0, p[:])
		if p[0]&0x10 != last {
			changes++
		}
		last = p[0] & 0x10
		f.ticks(1)
	}
	require.InDelta(t, 1000/18, changes, 2)
}

func TestSnapshot(t *testing.T) {
	f, to := newFixture(), newFixture()
	f.ticks(1_000_000) // another start of the clock
	f.program(0, 2, 10000)
	f.gate(true)
	f.program(2, 0, 5000)
	f.ticks(3000)
	f.out(3, 0x80)
	f.in(2) // half of a latched count
	f.out(2, 7)
	devtest.RoundTrip(t, f, to)
	require.Equal(t, uint8(2000>>8), to.in(2))
	base := to.irq.Rises()
	to.ticks(6998)
	require.Equal(t, base, to.irq.Rises())
	to.ticks(3)
	require.Equal(t, base+1, to.irq.Rises(), "the rest of the period")
	to.Reset()
	require.NoError(t, to.Close())
	require.Zero(t, to.clock.Armed())
}

func TestCountNeverPassesInitial(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFixture()
		f.gate(true)
		mode := rapid.SampledFrom([]uint8{2, 3}).Draw(t, "mode")
		count := rapid.Uint16Range(2, 0xFFFF).Draw(t, "count")
		f.program(2, mode, count)
		f.ticks(rapid.Int64Range(0, 1_000_000).Draw(t, "ticks"))
		_, n := f.status(2)
		require.LessOrEqual(t, n, count)
		require.Positive(t, n)
	})
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x80, 3, 0, 0x34, 0x80, 0, 0, 10, 0x80, 0, 0, 0, 0xC0, 200, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		regions := []devtest.Region{{Handler: x.ports, Size: 4}, {Handler: x.port61, Size: 1}}
		steps := 0
		devtest.Hammer(data, regions, func(n uint8) {
			if steps++; steps < 50 {
				x.clock.Advance(time.Duration(n) << (n & 15))
			}
		})
		devtest.RoundTrip(t, x, newFixture())
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture()))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) != nil {
			return
		}
		x.clock.Advance(time.Millisecond)
		for ch := range uint64(3) {
			x.status(ch)
			x.gate(ch&1 == 0)
		}
	})
}
