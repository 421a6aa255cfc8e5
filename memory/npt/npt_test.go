package npt_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/memory/npt"
)

// leaf maps one page at 0 and returns the entry as the processor reads it.
func leaf(t *testing.T, o npt.Options, h memory.HPA, s memory.PageSize, p memory.Prot, ty memory.Type) uint64 {
	a, err := memory.NewArena(2 << 20)
	require.NoError(t, err)
	table, err := npt.New(a, o)
	require.NoError(t, err)
	require.NoError(t, table.Map(0, h, s, p, ty))
	at := table.Root()
	for size := memory.PageSize(512 << 30); ; size >>= 9 {
		e := (*atomic.Uint64)(a.Pointer(at)).Load()
		if size == s {
			require.NoError(t, table.Close())
			require.NoError(t, a.Close())
			// Bits 58:52 are the software's.
			return e &^ (0x7f << 52)
		}
		require.Equal(t, uint64(7), e&0xfff, "a table is present, writable and the user's")
		at = memory.HPA(e &^ 0xfff)
	}
}

func TestRights(t *testing.T) {
	const nx = 1 << 63
	for p, want := range map[memory.Prot]uint64{
		0:                          nx,
		memory.Read:                nx | 5,
		memory.Write:               nx | 7,
		memory.Read | memory.Write: nx | 7,
		memory.Exec:                5,
		memory.Read | memory.Exec:  5,
		memory.Write | memory.Exec: 7,
		memory.RWX:                 7,
	} {
		got := leaf(t, npt.Options{}, 0x123000, memory.Page4K, p, memory.WriteBack)
		require.Equal(t, want|0x123000, got, "rights %#x", p)
	}
}

func TestMemoryTypes(t *testing.T) {
	const pwt, pcd, pat, patLarge, large = 1 << 3, 1 << 4, 1 << 7, 1 << 12, 1 << 7
	// The host's PAT with write combining in entry 5, as Linux has it.
	o := npt.Options{PAT: 0x0407010500070106, MaxPage: memory.Page1G}
	for ty, want := range map[memory.Type][2]uint64{
		memory.WriteBack:      {0, 0},
		memory.WriteCombining: {pwt, pwt},
		memory.Uncacheable:    {pwt | pcd, pwt | pcd},
		memory.WriteThrough:   {pat | pwt | pcd, patLarge | pwt | pcd},
		memory.WriteProtected: {pat, patLarge},
	} {
		require.Equal(t, 7|want[0], leaf(t, o, 0, memory.Page4K, memory.RWX, ty), "type %d", ty)
		require.Equal(t, 7|large|1<<30|want[1], leaf(t, o, 1<<30, memory.Page2M, memory.RWX, ty), "type %d", ty)
		require.Equal(t, 7|large|1<<30|want[1], leaf(t, o, 1<<30, memory.Page1G, memory.RWX, ty), "type %d", ty)
	}
}

func TestSplitKeepsMemoryType(t *testing.T) {
	a, err := memory.NewArena(2 << 20)
	require.NoError(t, err)
	table, err := npt.New(a, npt.Options{PAT: 0x0407010500070106})
	require.NoError(t, err)
	require.NoError(t, table.Map(0, 2<<20, memory.Page2M, memory.RWX, memory.WriteProtected))
	require.NoError(t, table.Unmap(0, 4096))
	// What is left of the page can be entered again as it must be: equal.
	require.NoError(t, table.Map(4096, 2<<20+4096, memory.Page4K, memory.RWX, memory.WriteProtected))
	require.ErrorIs(t, table.Map(8192, 2<<20+8192, memory.Page4K, memory.RWX, memory.WriteBack), memory.ErrOverlap)
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
}

func TestUnknownTypeAndSize(t *testing.T) {
	a, err := memory.NewArena(2 << 20)
	require.NoError(t, err)
	table, err := npt.New(a, npt.Options{}) // the PAT after RESET has no WC
	require.NoError(t, err)
	require.ErrorIs(t, table.Map(0, 0, memory.Page4K, memory.RWX, memory.WriteCombining), memory.ErrFormat)
	require.ErrorIs(t, table.Map(0, 0, memory.Page1G, memory.RWX, memory.WriteBack), memory.ErrPageSize)
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
}
