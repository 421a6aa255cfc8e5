package memory_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

func TestDiscardFreesAndZeroes(t *testing.T) {
	m := newMachine(t, 32*mib, 0, ram(0, 8*mib), ram(9*mib, mib))
	defer m.end(t)
	fill := make([]byte, 8*mib)
	for i := range fill {
		fill[i] = 0xa5
	}
	require.NoError(t, m.WriteAt(fill, 0))
	require.NoError(t, m.WriteAt(fill[:mib], 9*mib))
	for g := memory.GPA(0); g < 8*mib; g += 4096 {
		m.touch(t, g, true)
	}
	require.Equal(t, uint64(9*mib), m.Used())
	require.NoError(t, m.Discard(mib, 5*mib)) // half, whole, half... of 2 MiB
	require.NoError(t, m.Discard(9*mib+4096, 4096))
	require.Equal(t, uint64(4*mib-4096), m.Used())
	got := make([]byte, 8*mib)
	require.NoError(t, m.ReadAt(got, 0))
	for i := range got {
		want := byte(0xa5)
		if i >= mib && i < 6*mib {
			want = 0
		}
		if got[i] != want {
			require.Fail(t, "wrong byte", "at %#x: %#x, want %#x", i, got[i], want)
		}
	}
	_, ok := m.cpu.access(mib, false)
	require.False(t, ok, "the guest must not reach the old frame")
	_, ok = m.cpu.access(mib-4096, true)
	require.True(t, ok)
}

// TestDiscardWaitsForSections holds a view while its frame is discarded.
func TestDiscardWaitsForSections(t *testing.T) {
	m := newMachine(t, 16*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	require.NoError(t, m.WriteAt([]byte("keep"), 2*mib))
	section := m.Enter()
	view, ok := m.View(2*mib, 4)
	require.True(t, ok)
	done := make(chan error)
	go func() { done <- m.Discard(2*mib, 2*mib) }()
	for state := memory.Present; state != memory.Zero; state, _ = m.State(2 * mib) {
		runtime.Gosched()
	}
	// A Section that begins now does not see the frame.
	later := m.Enter()
	_, ok = m.View(2*mib, 4)
	require.False(t, ok)
	select {
	case <-done:
		require.Fail(t, "the frame was freed under a view")
	case <-time.After(20 * time.Millisecond):
	}
	require.Equal(t, "keep", string(view))
	require.Equal(t, uint64(2*mib), m.Used())
	m.Leave(section)
	m.Leave(later)
	require.NoError(t, <-done)
	require.Zero(t, m.Used())
}

func TestDiscardedChunkIsLargeAgain(t *testing.T) {
	m := newMachine(t, 16*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	m.touch(t, 0, true)
	overhead := m.Overhead()
	require.NoError(t, m.Discard(4096, 4096))
	require.Greater(t, m.Overhead(), overhead)
	require.NoError(t, m.Discard(0, 2*mib))
	require.Equal(t, overhead, m.Overhead())
	m.touch(t, 0, true)
	got, _ := m.table.Lookup(0)
	require.Equal(t, memory.Page2M, got.Size)
}

func TestDiscardWithoutSplitterClears(t *testing.T) {
	a := newArena(t, 4*mib)
	s, err := memory.NewSpace(plain{a}, nil, []memory.Slot{ram(0, 2*mib)}, 0)
	require.NoError(t, err)
	require.NoError(t, s.WriteAt([]byte{1, 2}, 8191))
	require.NoError(t, s.Discard(4096, 4096))
	got := make([]byte, 2)
	require.NoError(t, s.ReadAt(got, 8191))
	require.Equal(t, []byte{0, 2}, got)
	require.Equal(t, uint64(2*mib), s.Used())
	require.NoError(t, s.Close())
	require.NoError(t, a.Close())
}

// TestSpaceConcurrently lets vCPUs, devices, a balloon and a dirty log work on
// the same pages. Each word of a page says whose page it is, so that a frame
// in two places shows.
func TestSpaceConcurrently(t *testing.T) {
	a := newArena(t, 24*mib)
	model := memory.NewModel(a, 1, 1)
	table, c := newNPT(t, model)
	table.Track(model)
	s, err := memory.NewSpace(model, table, []memory.Slot{ram(0, 5*mib), ram(5*mib, 7*mib)}, 10*mib)
	require.NoError(t, err)
	m := &machine{s, a, table, c}

	var work, log sync.WaitGroup
	var done atomic.Bool
	for id := range uint64(4) {
		work.Add(1)
		go func() {
			defer work.Done()
			random := rand.New(rand.NewPCG(2, id))
			for range 1200 {
				g := memory.GPA(random.Uint64N(12*mib)) &^ 7
				if err := m.randomAccess(random, g); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	dirty, err := m.NewDirtyLog("migration", memory.Range{GPA: mib, Size: 8 * mib})
	require.NoError(t, err)
	log.Add(1)
	go func() {
		defer log.Done()
		for !done.Load() {
			err := errors.Join(dirty.Start(), dirty.Harvest(func(memory.GPA) {}), dirty.Harvest(func(memory.GPA) {}), dirty.Stop())
			if err != nil {
				t.Error(err)
			}
		}
	}()
	work.Wait()
	done.Store(true)
	log.Wait()
	m.end(t)
}

// randomAccess does something at g. The memory there holds zeros or g.
func (m *machine) randomAccess(random *rand.Rand, g memory.GPA) error {
	var err error
	switch random.IntN(5) {
	case 0:
		err = m.Discard(g&^4095, min(4096<<random.Uint64N(10), 12*mib-uint64(g&^4095)))
	case 1:
		err = m.Fault(g, memory.Write)
	case 2:
		_, _ = m.CompareAndSwap64(g, 0, uint64(g))
	case 3:
		err = m.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(g)), g)
	case 4:
		var p memory.Pinned
		if p, err = m.Pin(g, 8, true); err == nil {
			p.Release()
		}
	}
	if errors.Is(err, memory.ErrNoFrames) || errors.Is(err, memory.ErrPinned) {
		return nil
	}
	if v, ok := m.Load64(g); ok && v != 0 && v != uint64(g) {
		return errors.New("a frame is used twice")
	}
	return err
}
