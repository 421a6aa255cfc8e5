package image

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/boot/layout"
	"ringo/memory"
)

func newPlan(t require.TestingT, ram uint64) *Plan {
	l, err := layout.New(ram)
	require.NoError(t, err)
	return NewPlan(l)
}

func TestClaim(t *testing.T) {
	p := newPlan(t, 64<<20)
	_, err := p.Claim("kernel", 1<<20, 1<<20)
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		start, n uint64
		err      error
		says     string
	}{
		{"overlap", 2<<20 - 1, 2, ErrOverlap, "kernel is at [0x100000-0x1fffff]"},
		{"boot tables", uint64(tableBase), 1, ErrOverlap, "page tables"},
		{"video", 0xA0000, 1, ErrNoRoom, "more memory"},
		{"RAM's end", 64<<20 - 4096, 4096, ErrNoRoom, "more memory"},
		{"past RAM", 1 << 40, 1, ErrNoRoom, "more memory"},
		{"wraps", 1<<64 - 1, 2, ErrNoRoom, "past the end"},
		{"ends at 2^64", 1<<64 - 4096, 4096, ErrNoRoom, "past the end"},
		{"everything", 0, 1<<64 - 1, ErrNoRoom, "more memory"},
	} {
		_, err := p.Claim("x", c.start, c.n)
		require.ErrorIs(t, err, c.err, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
	_, err = p.Claim("after", 2<<20, 4096)
	require.NoError(t, err)
}

func TestPlaceTakesTheHighestGap(t *testing.T) {
	p := newPlan(t, 64<<20)
	top := p.usable[len(p.usable)-1].End()
	a, err := p.Place("a", 5000, 4096, layout.HoleStart)
	require.NoError(t, err)
	require.Equal(t, (top-5000)&^0xFFF, a.Start)
	b, err := p.Place("b", 4096, 4096, layout.HoleStart)
	require.NoError(t, err)
	require.Equal(t, a.Start-4096, b.Start)
	c, err := p.Place("c", 4096, 4096, 8<<20)
	require.NoError(t, err)
	require.Equal(t, memory.GPA(8<<20-4096), c.Start)
	_, err = p.Place("d", 64<<20, 4096, layout.HoleStart)
	require.ErrorIs(t, err, ErrNoRoom)
	_, err = p.Place("e", 1<<64-1, 4096, layout.HoleStart)
	require.ErrorIs(t, err, ErrNoRoom)
}

// Whatever is placed and claimed, no two parts share a byte and all lie in
// usable memory.
func TestPlanProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPlan(t, rapid.Uint64Range(1, 2048).Draw(t, "ram")<<21)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			n := rapid.Uint64Range(0, 1<<24).Draw(t, "n")
			if rapid.Bool().Draw(t, "place") {
				limit := memory.GPA(rapid.Uint64().Draw(t, "limit"))
				if r, err := p.Place("placed", n, 4096, limit); err == nil {
					require.LessOrEqual(t, r.End(), limit)
					require.Zero(t, r.Start%4096)
				}
			} else {
				_, _ = p.Claim("claimed", rapid.Uint64Range(0, 1<<33).Draw(t, "start"), n)
			}
		}
		for i, c := range p.claims {
			require.True(t, p.inRAM(c.at))
			for _, o := range p.claims[i+1:] {
				require.False(t, c.at.Overlaps(o.at), "%v %v", c, o)
			}
		}
	})
}
