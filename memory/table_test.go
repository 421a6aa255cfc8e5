package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/memory"
)

// reference is a stage-2 table of one entry per 4 KiB, for a few megabytes.
type reference map[memory.GPA]memory.Mapping

// checkPage compares what the table and the processor say of g.
func (r reference) checkPage(t require.TestingT, table *memory.Table, c cpu, g memory.GPA) {
	want, mapped := r[g]
	got, ok := table.Lookup(g)
	h, read := c.access(g, false)
	_, write := c.access(g, true)
	good := mapped == ok && read == (mapped && want.Prot != 0) && write == (mapped && want.Prot&memory.Write != 0)
	if mapped {
		good = good && want.HPA == got.HPA+memory.HPA(g-got.GPA) && want.Prot == got.Prot
	}
	if read {
		good = good && h == want.HPA
	}
	require.True(t, good, "GPA %#x: want %+v; Lookup finds %+v, %v; the processor finds HPA %#x, read %v, write %v",
		uint64(g), want, got, ok, uint64(h), read, write)
}

// TestTableAgainstReference maps, unmaps and protects at random, in four
// stretches of 2 MiB around the border of two tables of level 2.
func TestTableAgainstReference(t *testing.T) {
	const base, size = memory.GPA(gib - 4*mib), 8 * mib
	prots := []memory.Prot{0, memory.Read, memory.Read | memory.Write, memory.Read | memory.Exec, memory.RWX}
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		rapid.Check(t, func(t *rapid.T) {
			require.NoError(t, table.Unmap(base, size))
			r := reference{}
			page := rapid.Custom(func(t *rapid.T) memory.GPA {
				// Near a border of 2 MiB, where the cases are.
				return base + memory.GPA(rapid.IntRange(0, 3).Draw(t, "block"))*2*mib +
					memory.GPA(rapid.SampledFrom([]int{0, 1, 2, 255, 510, 511}).Draw(t, "page"))*4096
			})
			t.Repeat(map[string]func(*rapid.T){
				"map": func(t *rapid.T) {
					g, s := page.Draw(t, "gpa"), memory.Page4K
					if rapid.Bool().Draw(t, "large") {
						g, s = g&^(2*mib-1), memory.Page2M
					}
					h := memory.HPA(rapid.IntRange(1, 3).Draw(t, "hpa")) << 21
					p := rapid.SampledFrom(prots).Draw(t, "prot")
					r.mapPage(t, table, g, h, s, p)
				},
				"unmap": func(t *rapid.T) {
					g, n := rangeOf(t, page)
					require.NoError(t, table.Unmap(g, n))
					for at := g; at < g+memory.GPA(n); at += 4096 {
						delete(r, at)
					}
				},
				"protect": func(t *rapid.T) {
					g, n := rangeOf(t, page)
					p := rapid.SampledFrom(prots).Draw(t, "prot")
					require.NoError(t, table.Protect(g, n, p))
					for at := g; at < g+memory.GPA(n); at += 4096 {
						if m, ok := r[at]; ok {
							m.Prot = p
							r[at] = m
						}
					}
				},
				"flush": func(*rapid.T) { table.Flush() },
				"": func(t *rapid.T) {
					for block := base; block < base+size; block += 2 * mib {
						for _, i := range []memory.GPA{0, 1, 2, 3, 254, 255, 256, 509, 510, 511} {
							r.checkPage(t, table, c, block+i*4096)
						}
					}
				},
			})
			require.NoError(t, table.Unmap(base, size))
			table.Flush()
			require.Equal(t, uint64(4096), table.Tables(), "only the root is left")
		})
	})
}

func rangeOf(t *rapid.T, page *rapid.Generator[memory.GPA]) (memory.GPA, uint64) {
	a, b := page.Draw(t, "from"), page.Draw(t, "to")
	return min(a, b), uint64(max(a, b)-min(a, b)) + 4096
}

// mapPage maps in both, and expects ErrOverlap where something different is.
func (r reference) mapPage(t *rapid.T, table *memory.Table, g memory.GPA, h memory.HPA, s memory.PageSize, p memory.Prot) {
	old, mapped := table.Lookup(g)
	same := mapped && old.GPA == g && old.Size == s && old.HPA == h && old.Prot == p
	free := true
	for at := g; at < g+memory.GPA(s); at += 4096 {
		if _, ok := r[at]; ok {
			free = false
		}
	}
	err := table.Map(g, h, s, p, memory.WriteBack)
	if !free && !same {
		require.ErrorIs(t, err, memory.ErrOverlap)
		return
	}
	require.NoError(t, err)
	for off := uint64(0); off < uint64(s); off += 4096 {
		at := g + memory.GPA(off)
		r[at] = memory.Mapping{HPA: h + memory.HPA(off), Prot: p}
	}
}

func TestTableRefusesHostileRanges(t *testing.T) {
	const top = memory.GPA(1 << 48)
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		m := func(g memory.GPA, h memory.HPA, s memory.PageSize) error {
			return table.Map(g, h, s, memory.RWX, memory.WriteBack)
		}
		require.ErrorIs(t, m(top, 4096, memory.Page4K), memory.ErrOutOfRange)
		require.ErrorIs(t, m(1<<52, 4096, memory.Page4K), memory.ErrOutOfRange)
		require.ErrorIs(t, m(1<<63, 4096, memory.Page4K), memory.ErrOutOfRange)
		require.ErrorIs(t, m(0, 1<<52, memory.Page4K), memory.ErrOutOfRange)
		require.ErrorIs(t, m(4096, 0, memory.Page2M), memory.ErrAlignment)
		require.ErrorIs(t, m(0, 4096, memory.Page2M), memory.ErrAlignment)
		require.ErrorIs(t, m(1, 4096, memory.Page4K), memory.ErrAlignment)
		require.ErrorIs(t, m(0, 0, memory.PageSize(8192)), memory.ErrPageSize)
		require.ErrorIs(t, m(0, 0, memory.PageSize(0)), memory.ErrPageSize)
		require.ErrorIs(t, table.Map(0, 0, memory.Page4K, 8, memory.WriteBack), memory.ErrFormat)
		require.ErrorIs(t, table.Map(0, 0, memory.Page4K, memory.RWX, 2), memory.ErrFormat)
		require.ErrorIs(t, table.Map(0, 0, memory.Page4K, memory.RWX, 200), memory.ErrFormat)
		require.ErrorIs(t, table.Protect(0, 4096, 8), memory.ErrFormat)

		require.ErrorIs(t, table.Unmap(top-4096, 8192), memory.ErrOutOfRange)
		require.ErrorIs(t, table.Unmap(1<<63, 1<<63), memory.ErrOutOfRange)
		require.ErrorIs(t, table.Unmap(4096, ^uint64(4095)), memory.ErrOutOfRange)
		require.ErrorIs(t, table.Unmap(0, 1), memory.ErrAlignment)
		require.NoError(t, table.Unmap(0, 0))
		require.NoError(t, table.Unmap(top, 0))
		_, ok := table.Lookup(top)
		require.False(t, ok)
		_, ok = table.Lookup(^memory.GPA(0))
		require.False(t, ok)

		require.NoError(t, m(top-4096, 1<<52-4096, memory.Page4K))
		require.NoError(t, table.Unmap(0, uint64(top)))
	})
}

func TestTableSplitsGigabytePage(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		const h = memory.HPA(5 * gib)
		require.NoError(t, table.Map(gib, h, memory.Page1G, memory.RWX, memory.WriteThrough))
		_, ok := c.access(gib+12345, true)
		require.True(t, ok)
		require.NoError(t, table.Unmap(gib+4096, 4096))
		_, ok = table.Lookup(gib + 4096)
		require.False(t, ok)
		for _, off := range []uint64{0, 8192, 2 * mib, gib - 4096} {
			m, ok := table.Lookup(gib + memory.GPA(off))
			require.True(t, ok)
			require.Equal(t, h+memory.HPA(off), m.HPA+memory.HPA(gib+off-uint64(m.GPA)))
			require.True(t, m.Dirty && m.Accessed, "status bits are inherited")
		}
		require.Equal(t, uint64(4*4096), table.Tables())
	})
}

func TestTableWithoutFrames(t *testing.T) {
	a := newArena(t, 2*mib)
	table, _ := newNPT(t, a)
	var held []memory.HPA
	for {
		h, err := a.Alloc(memory.Page4K)
		if err != nil {
			break
		}
		held = append(held, h)
	}
	for range 3 {
		require.ErrorIs(t, table.Map(0, 4096, memory.Page4K, memory.RWX, memory.WriteBack), memory.ErrNoFrames)
		a.Free(held[0], memory.Page4K)
		held = held[1:]
	}
	// Two empty tables are left over; they must not be in the way.
	require.NoError(t, table.Map(0, 0, memory.Page1G, memory.RWX, memory.WriteBack))
	table.Flush()
	for _, h := range held {
		a.Free(h, memory.Page4K)
	}
	require.NoError(t, table.Close())
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
}

func TestGenerationRisesWhenTranslationsAreWrong(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		expect := func(rise uint64, what string, f func() error) {
			before := table.Generation()
			require.NoError(t, f())
			require.Equal(t, rise, table.Generation()-before, what)
		}
		expect(0, "map", func() error { return table.Map(0, 2*mib, memory.Page2M, memory.RWX, memory.WriteBack) })
		expect(0, "same rights", func() error { return table.Protect(4096, 4096, memory.RWX) })
		require.Equal(t, uint64(3*4096), table.Tables(), "and nothing was split for it")
		expect(1, "fewer rights", func() error { return table.Protect(0, 2*mib, memory.Read) })
		expect(0, "more rights", func() error { return table.Protect(4096, 8192, memory.RWX) })
		expect(1, "unmap", func() error { return table.Unmap(0, 2*mib) })
		expect(0, "unmap of nothing", func() error { return table.Unmap(0, 2*mib) })
	})
}

func TestTablesAreFreedByFlushOnly(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		require.NoError(t, table.Map(0, 4096, memory.Page4K, memory.RWX, memory.WriteBack))
		require.NoError(t, table.Unmap(0, 4096))
		require.Equal(t, uint64(4*4096), a.InUse(), "a CPU may still walk them")
		var inUse uint64
		table.OnFlush(func() { inUse = a.InUse() })
		table.Flush()
		require.Equal(t, uint64(4*4096), inUse, "freed before the CPUs were flushed")
		require.Equal(t, uint64(4096), a.InUse())
	})
}

func TestHarvest(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		require.NoError(t, table.Map(0, 0, memory.Page2M, memory.RWX, memory.WriteBack))
		for g := memory.GPA(2 * mib); g < 4*mib; g += 4096 {
			require.NoError(t, table.Map(g, memory.HPA(g), memory.Page4K, memory.RWX, memory.WriteBack))
		}
		require.NoError(t, table.Map(gib, gib, memory.Page1G, memory.RWX, memory.WriteBack))
		c.access(1*mib, false)
		c.access(2*mib+4096, true)
		c.access(4*mib-4096, false)
		c.access(gib+5, true)

		harvest := func() (pages []memory.GPA, dirty []bool) {
			before := table.Generation()
			found, err := table.Harvest(0, 1<<48, func(m memory.Mapping) {
				pages, dirty = append(pages, m.GPA), append(dirty, m.Dirty)
			})
			require.NoError(t, err)
			require.Equal(t, found, len(pages) > 0)
			require.Equal(t, found, table.Generation() > before)
			return pages, dirty
		}
		pages, dirty := harvest()
		require.Equal(t, []memory.GPA{0, 2*mib + 4096, 4*mib - 4096, gib}, pages)
		require.Equal(t, []bool{false, true, false, true}, dirty)
		pages, _ = harvest()
		require.Empty(t, pages)

		_, err := table.Harvest(0, 1, nil)
		require.ErrorIs(t, err, memory.ErrAlignment)
		_, err = table.Harvest(4096, ^uint64(4095), nil)
		require.ErrorIs(t, err, memory.ErrOutOfRange)
	})
}
