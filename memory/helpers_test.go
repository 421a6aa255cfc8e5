package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/memory/ept"
	"ringo/memory/npt"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

func newArena(t require.TestingT, size uint64) *memory.Arena {
	a, err := memory.NewArena(size)
	require.NoError(t, err)
	return a
}

func newNPT(t require.TestingT, a memory.PageAllocator) (*memory.Table, cpu) {
	table, err := npt.New(a, npt.Options{MaxPage: memory.Page1G})
	require.NoError(t, err)
	return table, cpu{alloc: a, root: table.Root(), present: 1, large: 1 << 7, write: 1 << 1,
		accessed: 1 << 5, dirty: 1 << 6}
}

func newEPT(t require.TestingT, a memory.PageAllocator) (*memory.Table, cpu) {
	table, err := ept.New(a, ept.Options{MaxPage: memory.Page1G})
	require.NoError(t, err)
	return table, cpu{alloc: a, root: table.Root(), present: 7, large: 1 << 7, write: 1 << 1,
		accessed: 1 << 8, dirty: 1 << 9}
}

// formats runs a test on the table of each vendor.
func formats(t *testing.T, f func(t *testing.T, a *memory.Arena, table *memory.Table, c cpu)) {
	t.Helper()
	for name, make := range map[string]func(require.TestingT, memory.PageAllocator) (*memory.Table, cpu){
		"npt": newNPT, "ept": newEPT,
	} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t, 8*mib)
			table, c := make(t, a)
			f(t, a, table, c)
			require.NoError(t, table.Close())
			require.Zero(t, a.InUse(), "tables that were not freed")
			require.NoError(t, a.Close())
		})
	}
}

// machine is a Space over a nested page table and an arena.
type machine struct {
	*memory.Space
	arena *memory.Arena
	table *memory.Table
	cpu   cpu
}

func newMachine(t require.TestingT, frames, quota uint64, slots ...memory.Slot) *machine {
	a := newArena(t, frames)
	table, c := newNPT(t, a)
	s, err := memory.NewSpace(a, table, slots, quota)
	require.NoError(t, err)
	return &machine{s, a, table, c}
}

// end closes everything and checks that every frame came back.
func (m *machine) end(t require.TestingT) {
	require.NoError(t, m.Close())
	require.Zero(t, m.Used())
	require.NoError(t, m.table.Close())
	require.Zero(t, m.arena.InUse())
	require.NoError(t, m.arena.Close())
}

// touch is a guest's access to g: it faults until it succeeds.
func (m *machine) touch(t require.TestingT, g memory.GPA, write bool) memory.HPA {
	for range 3 {
		if h, ok := m.cpu.access(g, write); ok {
			return h
		}
		access := memory.Read
		if write {
			access = memory.Write
		}
		require.NoError(t, m.Fault(g, access))
	}
	require.Fail(t, "the page stays absent", "GPA %#x", uint64(g))
	return 0
}

func ram(g memory.GPA, size uint64) memory.Slot {
	return memory.Slot{Name: "ram", GPA: g, Size: size}
}

func rom(g memory.GPA, size uint64) memory.Slot {
	return memory.Slot{Name: "rom", GPA: g, Size: size, ReadOnly: true}
}
