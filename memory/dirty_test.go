package memory_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/memory"
)

// guest is a machine whose CPU keeps translations until it is flushed.
type guest struct {
	*machine
	tlb    map[memory.GPA]bool // pages that it may write without a walk
	writes *writeLogger        // nil for a CPU that notes no writes
}

func newGuest(t require.TestingT, frames uint64, slots ...memory.Slot) *guest {
	g := &guest{newMachine(t, frames, 0, slots...), map[memory.GPA]bool{}, nil}
	g.table.OnFlush(func() { clear(g.tlb) })
	return g
}

// newLoggedGuest is newGuest with a CPU that notes writes.
func newLoggedGuest(t require.TestingT, frames uint64, slots ...memory.Slot) *guest {
	a := newArena(t, frames)
	table, c := newNPT(t, a)
	l := &writeLogger{Table: table}
	s, err := memory.NewSpace(a, l, slots, 0)
	require.NoError(t, err)
	g := &guest{&machine{s, a, table, c}, map[memory.GPA]bool{}, l}
	table.OnFlush(func() { clear(g.tlb) })
	return g
}

// writeLogger is a table whose CPU notes a page when it sets its dirty flag.
type writeLogger struct {
	*memory.Table
	noted  func(memory.GPA)
	buffer []memory.GPA
	clean  func() // called when pages are clean, but not flushed
}

func (l *writeLogger) Clean(g memory.GPA, n uint64) error {
	err := l.Table.Clean(g, n)
	if l.clean != nil {
		l.clean()
	}
	return err
}

func (l *writeLogger) LogWrites(noted func(memory.GPA)) { l.noted, l.buffer = noted, nil }

func (l *writeLogger) Collect() {
	l.Flush()
	for _, g := range l.buffer {
		l.noted(g)
	}
	l.buffer = nil
}

func (g *guest) write(t require.TestingT, at memory.GPA) {
	page := at &^ 4095
	if g.tlb[page] {
		return
	}
	m, present := g.table.Lookup(page)
	clean := !present || m.Prot&memory.Write == 0 || !m.Dirty
	g.touch(t, at, true)
	g.tlb[page] = true
	if g.writes != nil && g.writes.noted != nil && clean {
		g.writes.buffer = append(g.writes.buffer, page)
	}
}

// consumer is a dirty log with what it must report.
type consumer struct {
	log      memory.DirtyLog
	from, to memory.GPA
	started  bool
	want     map[memory.GPA]bool
}

func (c *consumer) wrote(g memory.GPA, n uint64) {
	for page := g &^ 4095; page < g+memory.GPA(n); page += 4096 {
		if c.started && page >= c.from && page < c.to {
			c.want[page] = true
		}
	}
}

func (c *consumer) harvest(t require.TestingT) {
	var got []memory.GPA
	err := c.log.Harvest(func(g memory.GPA) { got = append(got, g) })
	if !c.started {
		require.ErrorIs(t, err, memory.ErrStopped)
		return
	}
	require.NoError(t, err)
	want := make([]memory.GPA, 0, len(c.want))
	for g := range c.want {
		want = append(want, g)
	}
	slices.Sort(want)
	require.Equal(t, len(want), len(got), "want %#x, got %#x", want, got)
	require.True(t, slices.Equal(want, got), "want %#x, got %#x", want, got)
	clear(c.want)
}

// TestDirtyLogsAgainstReference lets the guest and devices write at random,
// while two consumers start, harvest and stop. Each must get exactly the
// pages that were written in its range.
func TestDirtyLogsAgainstReference(t *testing.T) {
	t.Run("protected", func(t *testing.T) { logsAgainstReference(t, newGuest) })
	t.Run("noted", func(t *testing.T) { logsAgainstReference(t, newLoggedGuest) })
}

func logsAgainstReference(t *testing.T, newGuest func(require.TestingT, uint64, ...memory.Slot) *guest) {
	rapid.Check(t, func(rt *rapid.T) {
		const size = 8 * mib
		g := newGuest(rt, 24*mib, ram(0, 3*mib), ram(3*mib, 5*mib))
		all, err := g.NewDirtyLog("migration")
		require.NoError(rt, err)
		some, err := g.NewDirtyLog("display", memory.Range{GPA: mib + 8192, Size: 5 * mib})
		require.NoError(rt, err)
		consumers := []*consumer{
			{log: all, from: 0, to: size, want: map[memory.GPA]bool{}},
			{log: some, from: mib + 8192, to: 6*mib + 8192, want: map[memory.GPA]bool{}},
		}
		wrote := func(at memory.GPA, n uint64) {
			for _, c := range consumers {
				c.wrote(at, n)
			}
		}
		address := rapid.Custom(func(t *rapid.T) memory.GPA {
			return memory.GPA(rapid.IntRange(0, 7).Draw(t, "MiB"))*mib +
				memory.GPA(rapid.SampledFrom([]int{0, 4095, 8191, 8192, mib - 4096}).Draw(t, "offset"))
		})
		which := rapid.SampledFrom(consumers)
		rt.Repeat(map[string]func(*rapid.T){
			"guest write": func(t *rapid.T) {
				at := address.Draw(t, "gpa")
				g.write(t, at)
				wrote(at, 1)
			},
			"guest read": func(t *rapid.T) { g.touch(t, address.Draw(t, "gpa"), false) },
			"device write": func(t *rapid.T) {
				at := address.Draw(t, "gpa")
				data := make([]byte, rapid.IntRange(1, 4096).Draw(t, "bytes"))
				require.NoError(t, g.WriteAt(data, at))
				wrote(at, uint64(len(data)))
			},
			"pinned write": func(t *rapid.T) {
				at := address.Draw(t, "gpa")
				p, err := g.Pin(at, 4096, true)
				require.NoError(t, err)
				p.Release()
				wrote(at, 4096)
			},
			"swap": func(t *rapid.T) {
				at := address.Draw(t, "gpa") &^ 7
				if v, ok := g.Load64(at); ok {
					_, ok = g.CompareAndSwap64(at, v, v+1)
					require.True(t, ok)
					wrote(at, 8)
				}
			},
			"start or stop": func(t *rapid.T) {
				c := which.Draw(t, "consumer")
				if c.started {
					require.NoError(t, c.log.Stop())
				} else {
					require.NoError(t, c.log.Start())
				}
				c.started = !c.started
				clear(c.want)
			},
			"harvest": func(t *rapid.T) { which.Draw(t, "consumer").harvest(t) },
		})
		for _, c := range consumers {
			c.harvest(rt)
			if c.started {
				require.NoError(rt, c.log.Stop())
			}
		}
		g.end(rt)
	})
}

// TestNotedWritesDoNotFault: a page that was reported once stays writable where
// the processor notes writes.
func TestNotedWritesDoNotFault(t *testing.T) {
	for _, noted := range []bool{false, true} {
		g := newGuest(t, 16*mib, ram(0, 4*mib))
		if noted {
			g = newLoggedGuest(t, 16*mib, ram(0, 4*mib))
		}
		g.write(t, 0)
		log, err := g.NewDirtyLog("migration")
		require.NoError(t, err)
		require.NoError(t, log.Start())
		g.write(t, 4096)
		for range 2 {
			var got []memory.GPA
			require.NoError(t, log.Harvest(func(at memory.GPA) { got = append(got, at) }))
			require.Equal(t, []memory.GPA{4096}, got)
			m, _ := g.table.Lookup(4096)
			require.Equal(t, noted, m.Prot&memory.Write != 0)
			require.False(t, noted && m.Dirty)
			g.write(t, 4096)
		}
		m, _ := g.table.Lookup(8192)
		require.Zero(t, m.Prot&memory.Write, "not written since Start")
		require.NoError(t, log.Stop())
		require.True(t, g.writes == nil || g.writes.noted == nil)
		g.end(t)
	}
}

// TestNotedDuringHarvest: a write that the processor notes, and tells because
// its log is full, while the page is being taken is the next Harvest's.
func TestNotedDuringHarvest(t *testing.T) {
	g := newLoggedGuest(t, 16*mib, ram(0, 4*mib))
	defer g.end(t)
	log, err := g.NewDirtyLog("migration")
	require.NoError(t, err)
	require.NoError(t, log.Start())
	g.write(t, 4096)
	g.writes.clean = func() {
		g.writes.clean = nil
		clear(g.tlb)
		g.write(t, 4096)
		for _, page := range g.writes.buffer {
			g.writes.noted(page)
		}
		g.writes.buffer = nil
	}
	for range 2 {
		var got []memory.GPA
		require.NoError(t, log.Harvest(func(at memory.GPA) { got = append(got, at) }))
		require.Equal(t, []memory.GPA{4096}, got)
	}
	require.NoError(t, log.Stop())
}

func TestDirtyLogReportsDiscardedPages(t *testing.T) {
	g := newGuest(t, 16*mib, ram(0, 4*mib))
	defer g.end(t)
	g.write(t, 8192)
	log, err := g.NewDirtyLog("migration")
	require.NoError(t, err)
	require.NoError(t, log.Start())
	require.NoError(t, g.Discard(8192, 4096))
	require.NoError(t, g.Discard(2*mib, 4096), "never touched: no change")
	var got []memory.GPA
	require.NoError(t, log.Harvest(func(at memory.GPA) { got = append(got, at) }))
	require.Equal(t, []memory.GPA{8192}, got)
	require.NoError(t, log.Stop())
}

func TestLargePagesComeBackAfterTheLog(t *testing.T) {
	g := newGuest(t, 16*mib, ram(0, 4*mib))
	defer g.end(t)
	g.write(t, 0)
	log, err := g.NewDirtyLog("migration")
	require.NoError(t, err)
	require.NoError(t, log.Start())
	g.write(t, 4096)
	m, _ := g.table.Lookup(4096)
	require.Equal(t, memory.Page4K, m.Size)
	require.NoError(t, log.Stop())
	g.write(t, 4096)
	m, _ = g.table.Lookup(4096)
	require.Equal(t, memory.Page2M, m.Size)
	require.Equal(t, memory.RWX, m.Prot)
}

func TestDirtyLogRanges(t *testing.T) {
	m := newMachine(t, 8*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	for want, ranges := range map[error][]memory.Range{
		memory.ErrAlignment:  {{GPA: 1, Size: 4096}},
		memory.ErrOutOfRange: {{GPA: 1 << 63, Size: 1 << 63}},
		memory.ErrOverlap:    {{GPA: 4096, Size: 8192}, {GPA: 0, Size: 8192}},
	} {
		_, err := m.NewDirtyLog("display", ranges...)
		require.ErrorIs(t, err, want)
	}
	_, err := m.NewDirtyLog("display", memory.Range{})
	require.ErrorIs(t, err, memory.ErrAlignment)

	one, err := m.NewDirtyLog("display")
	require.NoError(t, err)
	two, err := m.NewDirtyLog("display")
	require.NoError(t, err)
	require.ErrorIs(t, one.Stop(), memory.ErrStopped)
	require.NoError(t, one.Start())
	require.ErrorIs(t, one.Start(), memory.ErrStarted)
	require.ErrorIs(t, two.Start(), memory.ErrStarted)
	require.NoError(t, one.Stop())
	require.NoError(t, two.Start())
	require.NoError(t, two.Stop())
}

// A large page cannot be split for the log; nothing may be lost.
func TestFaultUnderLogWithoutFrames(t *testing.T) {
	g := newGuest(t, 4*mib, ram(0, 2*mib))
	defer g.end(t)
	g.write(t, 0)
	log, err := g.NewDirtyLog("migration")
	require.NoError(t, err)
	require.NoError(t, log.Start())
	var held []memory.HPA
	for h, err := g.arena.Alloc(memory.Page4K); err == nil; h, err = g.arena.Alloc(memory.Page4K) {
		held = append(held, h)
	}
	require.ErrorIs(t, g.Fault(4096, memory.Write), memory.ErrNoFrames, "the large page cannot be split")
	for _, h := range held {
		g.arena.Free(h, memory.Page4K)
	}
	g.write(t, 4096)
	var got []memory.GPA
	require.NoError(t, log.Harvest(func(at memory.GPA) { got = append(got, at) }))
	require.Equal(t, []memory.GPA{4096}, got)
	require.NoError(t, log.Stop())
}
