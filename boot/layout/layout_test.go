package layout

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/memory"
)

func TestNewRefusesSizes(t *testing.T) {
	for _, n := range []uint64{0, 4096, MinRAM - 4096, MinRAM + 1, 256<<20 + 512, MaxRAM + 4096, 1<<64 - 4096} {
		_, err := New(n)
		require.ErrorIs(t, err, ErrSize, "%d", n)
		require.ErrorContains(t, err, "multiple of 4 KiB")
	}
}

func TestHoleSplitsRAM(t *testing.T) {
	l, err := New(uint64(HoleStart))
	require.NoError(t, err)
	require.Equal(t, []Range{{0, 3 << 30}}, l.RAM)

	l, err = New(uint64(HoleStart) + 4096)
	require.NoError(t, err)
	require.Equal(t, []Range{{0, 3 << 30}, {4 << 30, 4096}}, l.RAM)
	require.Equal(t, []memory.Slot{
		{Name: "ram-low", GPA: 0, Size: 3 << 30},
		{Name: "ram-high", GPA: 4 << 30, Size: 4096},
	}, l.Slots())
}

// The memory map of any guest is ascending, without overlaps, page-aligned
// above the first megabyte, and inside RAM.
func TestE820Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pages := rapid.Uint64Range(MinRAM>>12, 1<<32).Draw(t, "pages")
		l, err := New(pages << 12)
		require.NoError(t, err)
		var end memory.GPA
		var total uint64
		for _, e := range l.E820() {
			require.GreaterOrEqual(t, e.Start, end)
			require.NotZero(t, e.Size)
			require.True(t, contained(l, e.Range), "%v", e.Range)
			end = e.End()
			total += e.Size
		}
		// Only the video area is RAM that the map does not tell of.
		require.Equal(t, pages<<12, total+uint64(BIOSBase-LowEnd))
	})
}

func contained(l *Layout, r Range) bool {
	for _, ram := range l.RAM {
		if ram.Contains(r) {
			return true
		}
	}
	return false
}

func TestDevicesLieInTheHole(t *testing.T) {
	hole := Range{HoleStart, uint64(HoleEnd - HoleStart)}
	devices := []Range{
		{IOAPICBase, IOAPICSize}, {HPETBase, HPETSize},
		{DebugWindowBase, DebugWindowSize}, {LAPICBase, LAPICSize},
	}
	for i, d := range devices {
		require.True(t, hole.Contains(d), "%v", d)
		for _, o := range devices[i+1:] {
			require.False(t, d.Overlaps(o), "%v %v", d, o)
		}
	}
	require.LessOrEqual(t, RSDPBase+RSDPSize, SMBIOSBase)
	require.Equal(t, HighBase, SMBIOSBase+SMBIOSSize)
}

func TestRange(t *testing.T) {
	r := Range{0x1000, 0x1000}
	require.True(t, r.Contains(Range{0x1000, 0x1000}))
	require.True(t, r.Contains(Range{0x2000, 0}))
	require.False(t, r.Contains(Range{0x1001, 0x1000}))
	require.False(t, r.Contains(Range{0xFFF, 1}))
	require.False(t, r.Contains(Range{0x1800, 1<<64 - 1}))
	require.True(t, r.Overlaps(Range{0x1FFF, 1}))
	require.False(t, r.Overlaps(Range{0x2000, 1}))
	require.False(t, r.Overlaps(Range{0x1800, 0}))
	require.Equal(t, "[0x1000-0x1fff]", r.String())
	require.Equal(t, "[0x5, empty]", Range{5, 0}.String())
}
