package nucleus

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"pgregory.net/rapid"
)

const (
	anonymous  = linux.MAP_ANONYMOUS | linux.MAP_PRIVATE
	exactly    = anonymous | linux.MAP_FIXED
	readWrite  = linux.PROT_READ | linux.PROT_WRITE
	windowLow  = mmapTop - 24*pageSize // the pages that the model test uses
	windowHigh = mmapTop + 12*pageSize
)

// page is what the model knows of a mapped page.
type page struct{ prot, fixed uint32 }

// spaceModel is the address space as a table of pages.
type spaceModel map[uintptr]page

// expand gives the region list as a model; it must be in order, without
// overlaps or empty regions.
func expand(t require.TestingT) spaceModel {
	m := spaceModel{}
	last := uintptr(0)
	for _, r := range regions[:nRegions] {
		require.GreaterOrEqual(t, r.from, last)
		require.Less(t, r.from, r.to)
		for a := r.from; a < r.to; a += pageSize {
			m[a] = page{r.prot, r.fixed}
		}
		last = r.to
	}
	return m
}

func (m spaceModel) free(from, to uintptr) bool {
	for a := from; a < to; a += pageSize {
		if _, ok := m[a]; ok {
			return false
		}
	}
	return true
}

func (m spaceModel) image(from, to uintptr) bool {
	for a := from; a < to; a += pageSize {
		if m[a].fixed != 0 {
			return true
		}
	}
	return false
}

func (m spaceModel) set(from, to uintptr, p page) {
	for a := from; a < to; a += pageSize {
		m[a] = p
	}
}

func (m spaceModel) cut(from, to uintptr) {
	for a := from; a < to; a += pageSize {
		delete(m, a)
	}
}

// gap is the highest free place for n bytes.
func (m spaceModel) gap(n uintptr) uintptr {
	a := uintptr(mmapTop) - n
	for !m.free(a, a+n) {
		a -= pageSize
	}
	return a
}

// span draws a range of the window.
func span(t *rapid.T) (from, to uintptr) {
	const pages = (windowHigh - windowLow) / pageSize
	i := rapid.IntRange(0, pages-1).Draw(t, "first")
	n := rapid.IntRange(1, min(10, pages-i)).Draw(t, "pages")
	from = windowLow + uintptr(i)*pageSize
	return from, from + uintptr(n)*pageSize
}

func drawProt(t *rapid.T) uint32 {
	return rapid.SampledFrom([]uint32{linux.PROT_NONE, linux.PROT_READ, readWrite}).Draw(t, "prot")
}

// TestSpaceModel plays mmap, munmap, madvise and changes of rights against a
// table of pages. No page is ever touched, so nothing needs a TLB flush.
func TestSpaceModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		resetTables()
		m := spaceModel{}
		from, to := span(t)
		require.True(t, insertRegion(from, to, 5, 1))
		m.set(from, to, page{5, 1})
		t.Repeat(map[string]func(*rapid.T){
			"":        func(t *rapid.T) { require.Equal(t, m, expand(t)) },
			"fixed":   m.mapFixed,
			"hint":    m.mapHint,
			"munmap":  m.unmap,
			"protect": m.protect,
			"madvise": func(t *rapid.T) {
				from, to := span(t)
				want := uint64(0)
				if m.image(from, to) {
					want = errno(syscall.EINVAL)
				}
				require.Equal(t, want, sysMadvise(from, to-from, linux.MADV_DONTNEED))
			},
		})
	})
}

func (m spaceModel) mapFixed(t *rapid.T) {
	from, to := span(t)
	prot := drawProt(t)
	require.Equal(t, m.image(from, to), overlapsImage(from, to))
	got := sysMmap(from, to-from, prot, exactly)
	if m.image(from, to) {
		require.Equal(t, errno(syscall.EINVAL), got)
		return
	}
	require.EqualValues(t, from, got)
	m.set(from, to, page{prot, 0})
}

func (m spaceModel) mapHint(t *rapid.T) {
	from, to := span(t)
	n := to - from
	require.Equal(t, m.free(from, to), isFree(from, to))
	want := from
	if rapid.Bool().Draw(t, "no hint") {
		from = 0
	}
	if from == 0 || !m.free(from, to) {
		want = m.gap(n)
	}
	prot := drawProt(t)
	less := rapid.UintptrRange(0, pageSize-1).Draw(t, "less")
	require.EqualValues(t, want, sysMmap(from, n-less, prot, anonymous))
	m.set(want, want+n, page{prot, 0})
}

func (m spaceModel) unmap(t *rapid.T) {
	from, to := span(t)
	if m.image(from, to) {
		require.Equal(t, errno(syscall.EINVAL), sysMunmap(from, to-from))
		return
	}
	require.Zero(t, sysMunmap(from, to-from))
	m.cut(from, to)
}

// protect does to the list what mprotect does.
func (m spaceModel) protect(t *rapid.T) {
	from, to := span(t)
	if m.image(from, to) {
		require.Equal(t, errno(syscall.EINVAL), sysMprotect(from, to-from, readWrite))
		return
	}
	prot := drawProt(t)
	require.True(t, splitAt(from) && splitAt(to))
	for i := findRegion(from); i < nRegions && regions[i].from < to; i++ {
		regions[i].prot = prot
	}
	for a := from; a < to; a += pageSize {
		if _, ok := m[a]; ok {
			m[a] = page{prot, 0}
		}
	}
}

func TestInsertRegionMerges(t *testing.T) {
	const a = uintptr(1 << 30)
	for _, order := range [][]uintptr{{0, 1, 2}, {0, 2, 1}, {2, 1, 0}, {2, 0, 1}} {
		resetTables()
		for _, i := range order {
			require.True(t, insertRegion(a+i*pageSize, a+(i+1)*pageSize, readWrite, 0))
		}
		require.Equal(t, []region{{a, a + 3*pageSize, readWrite, 0}}, regions[:nRegions], "%v", order)
	}
	require.True(t, insertRegion(a-pageSize, a, linux.PROT_READ, 0))
	require.True(t, insertRegion(a+3*pageSize, a+4*pageSize, readWrite, 1))
	require.Equal(t, 3, nRegions, "other rights and the image stay apart")
}

func TestRegionListFull(t *testing.T) {
	resetTables()
	const step = 3 * pageSize
	for i := range uintptr(maxRegions) {
		from := uintptr(1<<30) + i*step
		require.EqualValues(t, from, sysMmap(from, 2*pageSize, readWrite, exactly))
	}
	was := append([]region(nil), regions[:nRegions]...)
	require.Equal(t, errno(syscall.ENOMEM), sysMmap(0, pageSize, readWrite, anonymous))
	require.Equal(t, errno(syscall.EINVAL), sysMunmap(1<<30, pageSize), "no room to split")
	require.Equal(t, errno(syscall.EINVAL), sysMprotect(1<<30, pageSize, linux.PROT_READ), "no room to split")
	require.Equal(t, was, regions[:nRegions], "nothing is lost")
	require.Zero(t, sysMunmap(1<<30, step), "a whole region goes")
	require.Equal(t, maxRegions-1, nRegions)
}

func TestFindGapFull(t *testing.T) {
	resetTables()
	require.True(t, insertRegion(userLow+4*pageSize, mmapTop, readWrite, 0))
	require.EqualValues(t, userLow, findGap(4*pageSize))
	require.Zero(t, findGap(4*pageSize+1))
	require.Equal(t, errno(syscall.ENOMEM), sysMmap(0, 5*pageSize, readWrite, anonymous))
}

func TestCheckRange(t *testing.T) {
	for _, c := range []struct {
		addr, n uintptr
		ok      bool
	}{
		{userLow, 1, true}, {userLow - pageSize, pageSize, false}, {0, pageSize, false},
		{userLow + 1, pageSize, false}, {1 << 30, 0, false},
		{userTop - pageSize, pageSize, true}, {userTop - pageSize, pageSize + 1, false}, {userTop, 1, false},
		{1 << 30, ^uintptr(0), false}, {1 << 30, ^uintptr(0) - 1<<30, false}, {1 << 30, ^uintptr(1<<30) + 1, false},
		{^uintptr(0) &^ (pageSize - 1), 1, false}, {directBase, pageSize, false},
	} {
		to, ok := checkRange(c.addr, c.n)
		require.Equal(t, c.ok, ok, "%#x+%#x", c.addr, c.n)
		require.True(t, !ok || to-c.addr-c.n < pageSize && to&(pageSize-1) == 0)
	}
	rapid.Check(t, func(t *rapid.T) {
		addr := rapid.Uintptr().Draw(t, "addr") &^ (pageSize - 1)
		n := rapid.OneOf(rapid.Uintptr(), rapid.UintptrRange(0, 1<<40)).Draw(t, "n")
		to, ok := checkRange(addr, n)
		if ok {
			require.True(t, addr >= userLow && to > addr && to <= userTop && to-addr >= n)
		}
	})
}

func TestMmapRefusals(t *testing.T) {
	resetTables()
	for _, c := range []struct {
		addr, n uintptr
		flags   uint32
		want    syscall.Errno
	}{
		{0, pageSize, linux.MAP_PRIVATE, syscall.ENODEV},
		{0, 0, anonymous, syscall.EINVAL},
		{0, ^uintptr(0), anonymous, syscall.EINVAL},
		{0, userTop + 1, anonymous, syscall.EINVAL},
		{0, pageSize, exactly, syscall.EINVAL},
		{userLow + 1, pageSize, exactly, syscall.EINVAL},
		{userTop, pageSize, exactly, syscall.ENOMEM},
		{1 << 30, userTop, exactly, syscall.ENOMEM},
		{directBase, pageSize, exactly, syscall.ENOMEM},
	} {
		require.Equal(t, errno(c.want), sysMmap(c.addr, c.n, readWrite, c.flags), "%+v", c)
	}
	require.Zero(t, nRegions)
	require.EqualValues(t, mmapTop-pageSize, sysMmap(directBase, 1, readWrite, anonymous), "a bad hint is only a hint")
}

func TestMadviseRefusals(t *testing.T) {
	resetTables()
	require.Equal(t, errno(syscall.EINVAL), sysMadvise(1<<30+1, pageSize, linux.MADV_DONTNEED))
	require.Equal(t, errno(syscall.EINVAL), sysMadvise(1<<30, pageSize, 99))
	require.Zero(t, sysMadvise(1<<30, pageSize, linux.MADV_HUGEPAGE))
	require.Zero(t, sysMadvise(1<<30, pageSize, linux.MADV_NOHUGEPAGE))
}

func TestTouchPage(t *testing.T) {
	resetTables()
	rss := spaceRSS.Load()
	const a = uintptr(1 << 40)
	require.True(t, touchPage(a+5, readWrite))
	p, flags, ok := translate(a)
	require.True(t, ok)
	require.EqualValues(t, uint64(pteP|pteRW|pteNX), flags)
	require.Equal(t, make([]byte, pageSize), atRAM(p)[:pageSize])
	require.True(t, touchPage(a, readWrite), "another CPU was first")
	require.False(t, touchPage(a, linux.PROT_READ), "rights that the page does not have")
	require.Equal(t, rss+1, spaceRSS.Load())
}

// TestNextPage enumerates pages scattered over the address space.
func TestNextPage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		resetTables()
		want := map[uintptr]bool{}
		for range 50 {
			// Neighbours, other tables and other directories all occur.
			v := uintptr(1)<<(13+rng.UintN(34)) + uintptr(rng.UintN(4))*pageSize
			require.True(t, touchPage(v, readWrite))
			if rng.UintN(3) == 0 {
				e := walk(v, 0, false)
				*e = *e&^uint64(pteP) | pteHidden
			}
			want[v] = true
		}
		require.True(t, mapPage(1<<46+1<<45, 0, 2, pteRW), "a large page holds none of 4 KiB")
		last := uintptr(0)
		for from := uintptr(0); ; {
			v, e := nextPage(from, userTop)
			if e == nil {
				require.EqualValues(t, uintptr(userTop), v)
				break
			}
			require.GreaterOrEqual(t, v, last)
			require.True(t, want[v], "%#x", v)
			require.Same(t, walk(v, 0, false), e)
			delete(want, v)
			from, last = v+pageSize, v
		}
		require.Empty(t, want)
	}
}

func TestNextPageStopsAtTheEnd(t *testing.T) {
	resetTables()
	const a = uintptr(1 << 40)
	require.True(t, touchPage(a, readWrite))
	_, e := nextPage(a-pageSize, a)
	require.Nil(t, e)
	_, e = nextPage(a+pageSize, a+4*pageSize)
	require.Nil(t, e)
	v, e := nextPage(a-pageSize, a+1)
	require.NotNil(t, e)
	require.Equal(t, a, v)
}

func TestShowPages(t *testing.T) {
	resetTables()
	const a = uintptr(1 << 40)
	require.True(t, touchPage(a, readWrite))
	e := walk(a, 0, false)
	was := *e
	*e = *e&^uint64(pteP) | pteHidden
	_, _, ok := translate(a)
	require.False(t, ok)
	showPages(a-3*pageSize, a+3*pageSize)
	require.Equal(t, was, *e, "the page is back with its contents")
}
