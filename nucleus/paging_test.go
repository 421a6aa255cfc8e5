package nucleus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"pgregory.net/rapid"
)

// translate walks the tables as the processor does, and gives the physical
// address and the flags of the entry that maps a page.
func translate(virt uintptr) (p phys, flags uint64, ok bool) {
	table := rootTable
	for l := 3; l >= 0; l-- {
		shift := uint(pageShift + 9*l)
		e := load64(physPtr(table) + virt>>shift&511*8)
		if e&pteP == 0 {
			return 0, 0, false
		}
		if l == 0 || e&ptePS != 0 {
			offset := uint64(virt) & (1<<shift - 1)
			return phys(e&pteAddr&^(1<<shift-1) | offset), e &^ pteAddr, true
		}
		table = phys(e & pteAddr)
	}
	return 0, 0, false
}

func TestMapPageAtEachLevel(t *testing.T) {
	resetTables()
	for level, virt := range []uintptr{0x7f0012345000, 0x7e0012200000, 0x7d0040000000} {
		size := uintptr(pageSize) << (9 * level)
		require.Nil(t, walk(virt, uint(level), false), "no table yet")
		require.True(t, mapPage(virt, phys(3*size), uint(level), pteRW|pteNX))
		p, flags, ok := translate(virt + size - 8)
		require.True(t, ok)
		require.EqualValues(t, 4*size-8, p)
		require.EqualValues(t, uint64(pteP|pteRW|pteNX), flags&^ptePS)
		require.Equal(t, level > 0, flags&ptePS != 0)
		_, _, ok = translate(virt + size)
		require.False(t, ok, "the page after it")
	}
}

func TestWalkStopsAtLargePages(t *testing.T) {
	resetTables()
	const virt = 0x600000000000
	require.True(t, mapPage(virt, 0, 2, pteRW))
	require.NotNil(t, walk(virt, 2, false))
	require.Nil(t, walk(virt, 1, true))
	require.Nil(t, walk(virt, 0, true))
	require.False(t, mapPage(virt, 0, 0, pteRW))
}

func TestWalkWithoutMemory(t *testing.T) {
	resetTables()
	const virt = 0x600000000000
	for n := range 3 {
		for allocFrame() != 0 {
		}
		require.Nil(t, walk(virt, 0, true), "%d tables there", n)
		require.False(t, mapRange(virt, virt+1))
		require.False(t, mapDirect(0, 1<<40, false))
		one := phys(1<<21 + n*pageSize)
		addFrames(one, one+pageSize)
		walk(virt, uint(2-n), true)
	}
	require.NotNil(t, walk(virt, 0, true))
}

func TestMapRangeKeepsWhatIsThere(t *testing.T) {
	resetTables()
	const virt = 0xffffd00000000000
	require.True(t, mapPage(virt+pageSize, 0x5000, 0, pteRW))
	require.True(t, mapRange(virt+8, virt+3*pageSize-8))
	seen := map[phys]bool{}
	for i := range uintptr(3) {
		p, flags, ok := translate(virt + i*pageSize)
		require.True(t, ok)
		require.False(t, seen[p], "each page has a frame of its own")
		seen[p] = true
		if i != 1 {
			require.EqualValues(t, uint64(pteP|pteRW|pteNX|pteG), flags)
		}
	}
	require.True(t, seen[0x5000])
	_, _, ok := translate(virt + 3*pageSize)
	require.False(t, ok)
}

// TestMapDirect maps ranges that overlap in any order: every byte asked for is
// then at its place, writable, not executable.
func TestMapDirect(t *testing.T) {
	type span struct{ from, to phys }
	rapid.Check(t, func(t *rapid.T) {
		resetTables()
		huge := rapid.Bool().Draw(t, "1 GiB pages")
		var spans []span
		for range rapid.IntRange(1, 6).Draw(t, "ranges") {
			from := phys(rapid.Uint64Range(0, 6<<30).Draw(t, "from"))
			s := span{from, from + phys(rapid.Uint64Range(1, 3<<30).Draw(t, "size"))}
			require.True(t, mapDirect(s.from, s.to, huge))
			spans = append(spans, s)
		}
		for _, s := range spans {
			for p := s.from &^ (2<<20 - 1); p < s.to; p += 2 << 20 {
				got, flags, ok := translate(directBase + uintptr(p) + 0x123)
				require.True(t, ok, "%#x", p)
				require.Equal(t, p+0x123, got)
				require.EqualValues(t, uint64(pteP|pteRW|pteNX|pteG|ptePS), flags)
			}
		}
	})
}

func TestMapDirectUsesHugePages(t *testing.T) {
	resetTables()
	before := frameFree.Load()
	require.True(t, mapDirect(1<<30, 4<<30, true))
	require.EqualValues(t, 1, before-frameFree.Load(), "one table for three pages of 1 GiB")
	before = frameFree.Load()
	require.True(t, mapDirect(5<<30, 8<<30, false))
	require.EqualValues(t, 3, before-frameFree.Load(), "a table for each GiB in pages of 2 MiB")
}

func TestMapMMIO(t *testing.T) {
	resetTables()
	defer func(v uintptr) { mmioNext = v }(mmioNext)
	a := mapMMIO(0xfec00010, pageSize)
	b := mapMMIO(0xfee00000, 1)
	for _, c := range []struct {
		virt uintptr
		p    phys
	}{{a, 0xfec00010}, {a + pageSize - 1, 0xfec0100f}, {b, 0xfee00000}} {
		p, flags, ok := translate(c.virt)
		require.True(t, ok)
		require.Equal(t, c.p, p)
		require.EqualValues(t, uint64(pteP|pteRW|pteNX|pteG|ptePCD|ptePWT), flags)
	}
	_, _, ok := translate(b - pageSize)
	require.False(t, ok, "a gap between two devices")
}

func TestProtFlagsNeverWriteAndExecute(t *testing.T) {
	for prot := range uint32(8) {
		f := protFlags(prot)
		require.False(t, f&pteRW != 0 && f&pteNX == 0, "prot %d", prot)
		require.Equal(t, prot&linux.PROT_WRITE != 0, f&pteRW != 0, "prot %d", prot)
	}
	require.Zero(t, protFlags(linux.PROT_READ|linux.PROT_EXEC))
	require.EqualValues(t, uint64(pteNX), protFlags(linux.PROT_READ))
}
