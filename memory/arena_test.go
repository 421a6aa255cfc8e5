package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/memory"
)

// TestArenaGivesDisjointZeroedFrames allocates and frees at random.
func TestArenaGivesDisjointZeroedFrames(t *testing.T) {
	a := newArena(t, 16*mib)
	rapid.Check(t, func(t *rapid.T) {
		sizes := map[memory.HPA]memory.PageSize{}
		var used uint64
		t.Repeat(map[string]func(*rapid.T){
			"alloc": func(t *rapid.T) {
				s := rapid.SampledFrom([]memory.PageSize{memory.Page4K, memory.Page2M}).Draw(t, "size")
				h, err := a.Alloc(s)
				if err != nil {
					require.ErrorIs(t, err, memory.ErrNoFrames)
					require.True(t, s == memory.Page2M || used == 16*mib, "4 KiB of %#x bytes", used)
					return
				}
				require.Zero(t, uint64(h)&uint64(s-1))
				for other, size := range sizes {
					require.True(t, h+memory.HPA(s) <= other || other+memory.HPA(size) <= h)
				}
				for _, off := range []memory.HPA{0, memory.HPA(s) - 1} {
					b := (*byte)(a.Pointer(h + off))
					require.Zero(t, *b)
					*b = 0xff
				}
				sizes[h] = s
				used += uint64(s)
			},
			"free": func(t *rapid.T) {
				for h, s := range sizes {
					a.Free(h, s)
					delete(sizes, h)
					used -= uint64(s)
					return
				}
			},
			"": func(t *rapid.T) { require.Equal(t, used, a.InUse()) },
		})
		for h, s := range sizes {
			a.Free(h, s)
		}
	})
	require.NoError(t, a.Close())
}

func TestArenaRefusesMisuse(t *testing.T) {
	_, err := memory.NewArena(4096)
	require.ErrorIs(t, err, memory.ErrAlignment)
	a := newArena(t, 4*mib)
	_, err = a.Alloc(memory.Page1G)
	require.ErrorIs(t, err, memory.ErrNoFrames)
	h, err := a.Alloc(memory.Page2M)
	require.NoError(t, err)
	require.Panics(t, func() { a.Free(h, memory.Page4K) }, "wrong size")
	require.Panics(t, func() { a.Free(h+4096, memory.Page2M) }, "inside")
	require.Panics(t, func() { a.Free(0, memory.Page4K) }, "not ours")
	require.Panics(t, func() { a.Pointer(h + 4*mib) })
	require.Panics(t, func() { _ = a.Close() }, "in use")
	require.True(t, a.Split(h))
	require.Panics(t, func() { a.Split(h) })
	for off := memory.HPA(0); off < 2*mib; off += 4096 {
		a.Free(h+off, memory.Page4K)
	}
	require.Panics(t, func() { a.Free(h, memory.Page4K) }, "twice")
	require.NoError(t, a.Close())
}

func TestArenaGigabyteFrame(t *testing.T) {
	a := newArena(t, 2*gib)
	small, err := a.Alloc(memory.Page4K)
	require.NoError(t, err)
	h, err := a.Alloc(memory.Page1G)
	require.NoError(t, err)
	require.Zero(t, h%gib)
	_, err = a.Alloc(memory.Page1G)
	require.ErrorIs(t, err, memory.ErrNoFrames)
	a.Free(h, memory.Page1G)
	a.Free(small, memory.Page4K)
	require.NoError(t, a.Close())
}
