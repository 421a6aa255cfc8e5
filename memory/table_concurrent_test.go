package memory_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

// TestTableConcurrently lets mappers, unmappers, processors and flushes run
// against each other, and then looks whether a mapping was lost: each mapper
// owns a few pages and knows what must be there.
func TestTableConcurrently(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		const mappers, rounds = 4, 1500
		var running, others sync.WaitGroup
		var done atomic.Bool
		for id := range memory.GPA(mappers) {
			running.Add(1)
			go func() {
				defer running.Done()
				random := rand.New(rand.NewPCG(1, uint64(id)))
				for range rounds {
					// Neighbours share the tables that come and go.
					g := memory.GPA(random.Uint64N(3))<<30 + id*4096
					h := memory.HPA(random.Uint64N(1<<20)) << 12
					if !roundTrip(t, table, c, g, h) {
						return
					}
				}
			}()
		}
		others.Add(2)
		go func() {
			defer others.Done()
			for !done.Load() {
				table.Flush()
			}
		}()
		go func() {
			defer others.Done()
			for !done.Load() {
				_, err := table.Harvest(0, 4*gib, func(memory.Mapping) {})
				if err != nil {
					t.Error(err)
				}
			}
		}()
		running.Wait()
		done.Store(true)
		others.Wait()
		require.NoError(t, table.Unmap(0, 4*gib), "for what a failed Map left")
		table.Flush()
		require.Equal(t, uint64(4096), table.Tables())
	})
}

// roundTrip maps a page that the caller owns, finds it, and takes it away.
func roundTrip(t *testing.T, table *memory.Table, c cpu, g memory.GPA, h memory.HPA) bool {
	err := table.Map(g, h, memory.Page4K, memory.RWX, memory.WriteBack)
	for errors.Is(err, memory.ErrNoFrames) {
		table.Flush()
		err = table.Map(g, h, memory.Page4K, memory.RWX, memory.WriteBack)
	}
	if err != nil {
		t.Errorf("map: %v", err)
		return false
	}
	m, ok := table.Lookup(g)
	if !ok || m.HPA != h {
		t.Errorf("GPA %#x was mapped to %#x and is %v, %v", uint64(g), uint64(h), m, ok)
		return false
	}
	if err := table.Unmap(g, 4096); err != nil {
		t.Errorf("unmap: %v", err)
		return false
	}
	return true
}

// TestOneMapperWins maps one page from several goroutines to different
// frames.
func TestOneMapperWins(t *testing.T) {
	formats(t, func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu) {
		for range 200 {
			var wins atomic.Uint64
			var all sync.WaitGroup
			for i := range memory.HPA(4) {
				all.Add(1)
				go func() {
					defer all.Done()
					err := table.Map(gib, i<<21, memory.Page2M, memory.RWX, memory.WriteBack)
					if err == nil {
						wins.Add(1)
					} else if !errors.Is(err, memory.ErrOverlap) {
						t.Error(err)
					}
				}()
			}
			all.Wait()
			require.Equal(t, uint64(1), wins.Load())
			require.NoError(t, table.Unmap(gib, 2*mib))
		}
	})
}

// slowArena lets one Alloc wait.
type slowArena struct {
	*memory.Arena
	wait atomic.Pointer[chan struct{}]
	in   chan struct{}
}

func (a *slowArena) Alloc(s memory.PageSize) (memory.HPA, error) {
	if wait := a.wait.Swap(nil); wait != nil {
		a.in <- struct{}{}
		<-*wait
	}
	return a.Arena.Alloc(s)
}

// TestFlushWaitsForWalkers keeps a walker inside the table while another
// table is cut off.
func TestFlushWaitsForWalkers(t *testing.T) {
	a := &slowArena{Arena: newArena(t, 2*mib), in: make(chan struct{})}
	table, _ := newNPT(t, a)
	require.NoError(t, table.Map(0, 0, memory.Page4K, memory.RWX, memory.WriteBack))
	resume, mapped, flushed := make(chan struct{}), make(chan error), make(chan struct{})
	a.wait.Store(&resume)
	go func() { mapped <- table.Map(gib, 0, memory.Page4K, memory.RWX, memory.WriteBack) }()
	<-a.in
	require.NoError(t, table.Unmap(0, 4096))
	before := a.InUse()
	go func() {
		table.Flush()
		close(flushed)
	}()
	select {
	case <-flushed:
		require.Fail(t, "tables were freed under a walker")
	case <-time.After(20 * time.Millisecond):
	}
	require.Equal(t, before, a.InUse())
	close(resume)
	require.NoError(t, <-mapped)
	<-flushed
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
}
