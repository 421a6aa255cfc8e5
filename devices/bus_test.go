package devices_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/devices"
)

// ram is a handler that is plain memory, and panics where a bus must not go.
type ram []byte

func (r ram) Read(off uint64, p []byte)  { copy(p, r[off:off+uint64(len(p))]) }
func (r ram) Write(off uint64, p []byte) { copy(r[off:off+uint64(len(p))], p) }

func TestBusAddRemove(t *testing.T) {
	b := devices.NewPortBus()
	require.NoError(t, b.Add("a", 0x100, 16, make(ram, 16)))
	require.NoError(t, b.Add("b", 0x110, 1, make(ram, 1)))
	require.NoError(t, b.Add("last", 0xFFFF, 1, make(ram, 1)))
	for _, r := range [][2]uint64{{0x100, 1}, {0xFF, 2}, {0x10F, 1}, {0x80, 0x200}, {0x110, 8}, {0xFFF0, 16}} {
		err := b.Add("new", r[0], r[1], nil)
		require.ErrorIs(t, err, devices.ErrOverlap, "%#x", r)
		require.ErrorContains(t, err, "new")
	}
	for _, r := range [][2]uint64{{0, 0}, {0x10000, 1}, {0xFFFE, 3}, {1, ^uint64(0)}} {
		require.ErrorIs(t, b.Add("new", r[0], r[1], nil), devices.ErrRegion)
	}
	require.ErrorIs(t, b.Remove(0x101), devices.ErrRegion)
	require.ErrorIs(t, b.Remove(0), devices.ErrRegion)
	require.NoError(t, b.Remove(0x100))
	require.Nil(t, b.Lookup(0x100))
	require.Len(t, b.Regions(), 2)
	require.Equal(t, "b", b.Lookup(0x110).Name)
}

func TestBusAccess(t *testing.T) {
	b := devices.NewPortBus()
	a, c := make(ram, 4), make(ram, 2)
	require.NoError(t, b.Add("a", 0x10, 4, a))
	require.NoError(t, b.Add("c", 0x14, 2, c))
	b.Write(0x10, []byte{1, 2, 3, 4})
	require.Equal(t, ram{1, 2, 3, 4}, a)
	require.Zero(t, b.Unclaimed())

	b.Write(0x12, []byte{5, 6, 7, 8})
	require.Equal(t, ram{1, 2, 5, 6}, a, "split at the region's end")
	require.Equal(t, ram{7, 8}, c)
	require.Zero(t, b.Unclaimed())

	p := make([]byte, 4)
	b.Read(0x14, p)
	require.Equal(t, []byte{7, 8, 0xFF, 0xFF}, p)
	require.Equal(t, uint64(1), b.Unclaimed())

	b.Write(0x0F, []byte{9, 9})
	require.Equal(t, ram{1, 2, 5, 6}, a, "an access that starts in no region is nobody's")
	b.Read(0x0F, p[:2])
	require.Equal(t, []byte{0xFF, 0xFF}, p[:2])
	require.Equal(t, uint64(3), b.Unclaimed())
}

func TestBusWraps(t *testing.T) {
	b := devices.NewPortBus()
	hi, lo := make(ram, 1), make(ram, 1)
	require.NoError(t, b.Add("hi", 0xFFFF, 1, hi))
	require.NoError(t, b.Add("lo", 0, 1, lo))
	b.Write(0xFFFF, []byte{1, 2})
	require.Equal(t, ram{1}, hi)
	require.Equal(t, ram{2}, lo)
}

func TestBusLookupModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := devices.NewMMIOBus()
		owner := map[uint64]uint64{}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			start, size := rapid.Uint64Range(0, 60).Draw(t, "start"), rapid.Uint64Range(1, 8).Draw(t, "size")
			free := true
			for a := start; a < start+size; a++ {
				_, taken := owner[a]
				free = free && !taken
			}
			require.Equal(t, free, b.Add("r", start, size, make(ram, size)) == nil)
			for a := start; free && a < start+size; a++ {
				owner[a] = start
			}
		}
		for a := uint64(0); a < 80; a++ {
			start, taken := owner[a]
			r := b.Lookup(a)
			require.Equal(t, taken, r != nil)
			if taken {
				require.Equal(t, start, r.Start)
			}
		}
	})
}

func TestBusAccessAllocatesNothing(t *testing.T) {
	b := devices.NewPortBus()
	for i := range uint64(30) {
		require.NoError(t, b.Add("r", i*16, 16, make(ram, 16)))
	}
	p := make([]byte, 4)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b.Read(0x104, p)
		b.Write(0x10E, p)
		b.Read(0x8000, p)
	}))
}

func BenchmarkBusRead(b *testing.B) {
	bus := devices.NewPortBus()
	for i := range uint64(20) {
		_ = bus.Add("r", i*16, 16, make(ram, 16))
	}
	p := make([]byte, 1)
	for b.Loop() {
		bus.Read(0x104, p)
	}
}

func TestValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "p")
		q := make([]byte, len(p))
		devices.PutValue(q, devices.Value(p))
		require.Equal(t, append([]byte{}, p...), q)
	})
	require.Equal(t, uint64(0x0201), devices.Value([]byte{1, 2}))
}
