package ept_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/memory/ept"
)

var (
	types = []memory.Type{memory.Uncacheable, memory.WriteCombining, memory.WriteThrough,
		memory.WriteProtected, memory.WriteBack}
	sizes = []memory.PageSize{memory.Page4K, memory.Page2M, memory.Page1G}
)

// path maps one page at 0 and returns the entries on the way to it, as the
// processor reads them.
func path(t *testing.T, o ept.Options, h memory.HPA, s memory.PageSize, p memory.Prot, ty memory.Type) []uint64 {
	a, err := memory.NewArena(2 << 20)
	require.NoError(t, err)
	table, err := ept.New(a, o)
	require.NoError(t, err)
	require.NoError(t, table.Map(0, h, s, p, ty))
	var entries []uint64
	at := table.Root()
	for size := memory.PageSize(512 << 30); size >= s; size >>= 9 {
		e := (*atomic.Uint64)(a.Pointer(at)).Load()
		entries = append(entries, e&^(0x7f<<52)) // bits 56:52 are ignored
		at = memory.HPA(e & 0x000FFFFFFFFFF000)
	}
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
	return entries
}

// misconfigured follows SDM volume 3C, section 29.3.3.1 "EPT
// Misconfigurations", for a processor without execute-only pages.
func misconfigured(e uint64, page bool, s memory.PageSize) bool {
	rights := e & 7
	if rights == 0 {
		return false // not present: nothing else is looked at
	}
	if rights == 2 || rights == 6 || rights == 4 {
		return true
	}
	if !page {
		return e&0xf8 != 0
	}
	ty := e >> 3 & 7
	return ty == 2 || ty == 3 || ty == 7 || e&(uint64(s)-1)&^0xfff != 0
}

func TestNothingIsMisconfigured(t *testing.T) {
	for _, s := range sizes {
		for _, ty := range types {
			for p := memory.Prot(0); p <= memory.RWX; p++ {
				for _, ignore := range []bool{false, true} {
					entries := path(t, ept.Options{IgnorePAT: ignore, MaxPage: memory.Page1G}, 3<<30, s, p, ty)
					last := len(entries) - 1
					for i, e := range entries {
						require.False(t, misconfigured(e, i == last, s), "entry %#x, level %d", e, 4-i)
					}
					e := entries[last]
					require.Equal(t, uint64(3<<30), e&0x000FFFFFFFFFF000)
					require.Equal(t, uint64(ty), e>>3&7)
					require.Equal(t, ignore, e&(1<<6) != 0)
					require.Equal(t, s != memory.Page4K, e&(1<<7) != 0)
				}
			}
		}
	}
}

func TestRights(t *testing.T) {
	for p, want := range map[memory.Prot]uint64{
		0:                          0,
		memory.Read:                1,
		memory.Write:               3,
		memory.Read | memory.Write: 3,
		memory.Exec:                5,
		memory.Read | memory.Exec:  5,
		memory.Write | memory.Exec: 7,
		memory.RWX:                 7,
	} {
		entries := path(t, ept.Options{}, 0, memory.Page4K, p, memory.WriteBack)
		require.Equal(t, want, entries[3]&7, "rights %#x", p)
	}
}

func TestPageSizeOfTheProcessor(t *testing.T) {
	a, err := memory.NewArena(2 << 20)
	require.NoError(t, err)
	table, err := ept.New(a, ept.Options{})
	require.NoError(t, err)
	require.ErrorIs(t, table.Map(0, 0, memory.Page2M, memory.RWX, memory.WriteBack), memory.ErrPageSize)
	require.NoError(t, table.Close())
	require.NoError(t, a.Close())
}
