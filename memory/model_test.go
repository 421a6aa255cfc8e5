package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

// modelled is a table, its model, and CPU 0 inside the guest with ASID 1.
func modelled(t *testing.T) (*memory.Model, *memory.Table, memory.HPA) {
	m := memory.NewModel(newArena(t, 8*mib), 2, 4)
	table, _ := newNPT(t, m)
	table.Track(m)
	h, err := m.Alloc(memory.Page2M)
	require.NoError(t, err)
	require.NoError(t, table.Map(0, h, memory.Page2M, memory.RWX, memory.WriteBack))
	m.Flushed(0, 1)
	m.Enter(0, 1, table.Generation())
	return m, table, h
}

func TestModelFindsMappedFrame(t *testing.T) {
	m, _, h := modelled(t)
	require.PanicsWithValue(t, "stage-2 model: HPA 0x100200000 is freed with 1 mappings", func() {
		m.Free(h, memory.Page2M)
	})
}

func TestModelFindsMissingFlush(t *testing.T) {
	m, table, h := modelled(t)
	require.NoError(t, table.Unmap(4096, 4096)) // splits
	require.NoError(t, table.Unmap(0, 2*mib))
	require.Panics(t, func() { m.Free(h, memory.Page2M) })
	m.Flushed(1, 1)
	m.Flushed(0, 2)
	require.Panics(t, func() { m.Free(h, memory.Page2M) }, "another CPU, another ASID")
	m.Flushed(0, 1)
	require.NotPanics(t, func() { m.Free(h, memory.Page2M) })
}

func TestModelFindsTableInUse(t *testing.T) {
	m, table, h := modelled(t)
	require.NoError(t, table.Unmap(4096, 4096))
	require.NoError(t, table.Unmap(0, 2*mib))
	require.Panics(t, table.Flush, "the backend's hook flushes nothing")
	m.Flushed(0, 1)
	m.Free(h, memory.Page2M)
}

func TestModelFindsEntryWithOldTranslations(t *testing.T) {
	m, table, _ := modelled(t)
	m.Enter(0, 1, table.Generation())
	require.NoError(t, table.Protect(0, 4096, memory.Read))
	require.Panics(t, func() { m.Enter(0, 1, table.Generation()) })
	m.Flushed(0, 1)
	m.Enter(0, 1, table.Generation())
}

// TestSpaceFlushesBeforeItFrees runs a Space whose frames go back while a CPU
// holds translations, with a backend that flushes as it should.
func TestSpaceFlushesBeforeItFrees(t *testing.T) {
	a := newArena(t, 16*mib)
	m := memory.NewModel(a, 1, 2)
	table, c := newNPT(t, m)
	table.Track(m)
	table.OnFlush(func() { m.Flushed(0, 1) })
	s, err := memory.NewSpace(m, table, []memory.Slot{ram(0, 8*mib)}, 0)
	require.NoError(t, err)
	vm := &machine{s, a, table, c}
	m.Flushed(0, 1)
	for range 3 {
		for g := memory.GPA(0); g < 8*mib; g += mib {
			m.Enter(0, 1, table.Generation())
			vm.touch(t, g, true)
		}
		require.NoError(t, vm.Discard(mib, 4096))
		m.Enter(0, 1, table.Generation())
		require.NoError(t, vm.Discard(0, 6*mib))
	}
	m.Enter(0, 1, table.Generation())
	vm.end(t)
}
