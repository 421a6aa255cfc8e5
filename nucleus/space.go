package nucleus

import (
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/abi/linux"
)

// The user's address space: what the Go runtime mapped, as a sorted list of
// regions. Pages come on first touch.

// region is [from, to) with the rights of mmap. PROT_NONE is kept as such.
type region struct {
	from, to uintptr
	prot     uint32
	fixed    uint32 // part of the image: never unmapped
}

const (
	maxRegions = 4096
	userLow    = 0x10000            // page 0 and its neighbours stay unmapped
	userTop    = 0x00007ffffffff000 // as on Linux with 4-level paging
	mmapTop    = 0x00007f8000000000 // where mappings without a hint end
)

var (
	spaceLock spinlock
	regions   [maxRegions]region
	nRegions  int
	spaceRSS  atomic.Int64 // pages
)

// findRegion returns the index of the first region that ends after a.
func findRegion(a uintptr) int {
	lo, hi := 0, nRegions
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if regions[m].to <= a {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// openAt makes room for one more region at index i.
func openAt(i int) bool {
	if nRegions == maxRegions {
		return false
	}
	for j := nRegions; j > i; j-- {
		regions[j] = regions[j-1]
	}
	nRegions++
	return true
}

func closeAt(i int) {
	nRegions--
	for j := i; j < nRegions; j++ {
		regions[j] = regions[j+1]
	}
}

// splitAt makes a the boundary between two regions if it lies inside one.
func splitAt(a uintptr) bool {
	i := findRegion(a)
	if i == nRegions || regions[i].from >= a {
		return true
	}
	if !openAt(i) {
		return false
	}
	regions[i].to = a
	regions[i+1].from = a
	return true
}

// mergeAround joins equal neighbours from index i-1 to i+1.
func mergeAround(i int) {
	for j := i + 1; j >= i; j-- {
		if j <= 0 || j >= nRegions {
			continue
		}
		a, b := &regions[j-1], &regions[j]
		if a.to == b.from && a.prot == b.prot && a.fixed == b.fixed {
			a.to = b.to
			closeAt(j)
		}
	}
}

// cutOut removes all regions inside [from, to). It reports false if the list
// is full.
func cutOut(from, to uintptr) bool {
	if !splitAt(from) || !splitAt(to) {
		return false
	}
	for i := findRegion(from); i < nRegions && regions[i].from < to; {
		closeAt(i)
	}
	return true
}

// insertRegion adds [from, to), which is free.
func insertRegion(from, to uintptr, prot, fixed uint32) bool {
	i := findRegion(from)
	if !openAt(i) {
		return false
	}
	regions[i] = region{from, to, prot, fixed}
	mergeAround(i)
	return true
}

func isFree(from, to uintptr) bool {
	i := findRegion(from)
	return i == nRegions || regions[i].from >= to
}

// findGap finds n free bytes below mmapTop, from the top down, or returns 0.
func findGap(n uintptr) uintptr {
	end := uintptr(mmapTop)
	i := findRegion(mmapTop)
	if i < nRegions && regions[i].from < end {
		end = regions[i].from // it reaches beyond mmapTop
	}
	for i--; ; i-- {
		low := uintptr(userLow)
		if i >= 0 {
			low = regions[i].to
		}
		if low < end && end-low >= n {
			return end - n
		}
		if i < 0 {
			return 0
		}
		if regions[i].from < end {
			end = regions[i].from
		}
	}
}

func overlapsImage(from, to uintptr) bool {
	for i := findRegion(from); i < nRegions && regions[i].from < to; i++ {
		if regions[i].fixed != 0 {
			return true
		}
	}
	return false
}

func checkRange(addr, n uintptr) (to uintptr, ok bool) {
	to = (addr + n + pageSize - 1) &^ (pageSize - 1)
	return to, addr&(pageSize-1) == 0 && n != 0 && to > addr && addr >= userLow && to <= userTop
}

// sysMmap serves anonymous private mappings.
func sysMmap(addr, n uintptr, prot, flags uint32) uint64 {
	if flags&linux.MAP_ANONYMOUS == 0 {
		return errno(syscall.ENODEV)
	}
	n = (n + pageSize - 1) &^ (pageSize - 1)
	if n == 0 || n > userTop {
		return errno(syscall.EINVAL)
	}
	fixed := flags&linux.MAP_FIXED != 0
	if fixed && (addr >= userTop || n > userTop-addr) {
		return errno(syscall.ENOMEM)
	}
	spaceLock.lock()
	to, ok := checkRange(addr, n)
	switch {
	case fixed && (!ok || overlapsImage(addr, to)):
		spaceLock.unlock()
		return errno(syscall.EINVAL)
	case !fixed && (!ok || !isFree(addr, to)):
		if addr = findGap(n); addr == 0 {
			spaceLock.unlock()
			return errno(syscall.ENOMEM)
		}
		to = addr + n
	}
	ok = cutOut(addr, to) && insertRegion(addr, to, prot, 0)
	if ok && fixed {
		dropPages(addr, to)
	}
	spaceLock.unlock()
	if !ok {
		return errno(syscall.ENOMEM)
	}
	return uint64(addr)
}

func sysMunmap(addr, n uintptr) uint64 {
	to, ok := checkRange(addr, n)
	if !ok {
		return errno(syscall.EINVAL)
	}
	spaceLock.lock()
	ok = !overlapsImage(addr, to) && cutOut(addr, to)
	if ok {
		dropPages(addr, to)
	}
	spaceLock.unlock()
	if !ok {
		return errno(syscall.EINVAL)
	}
	return 0
}

// sysMadvise gives pages back at once for DONTNEED and FREE: the runtime
// relies on zeroes afterwards. Advice about huge pages is taken and ignored.
func sysMadvise(addr, n uintptr, advice int32) uint64 {
	to, ok := checkRange(addr, n)
	if !ok {
		return errno(syscall.EINVAL)
	}
	switch advice {
	case linux.MADV_DONTNEED, 8: // 8 is MADV_FREE
		spaceLock.lock()
		if ok = !overlapsImage(addr, to); ok {
			dropPages(addr, to)
		}
		spaceLock.unlock()
	case linux.MADV_HUGEPAGE, linux.MADV_NOHUGEPAGE:
	default:
		ok = false
	}
	if !ok {
		return errno(syscall.EINVAL)
	}
	return 0
}

func sysMprotect(addr, n uintptr, prot uint32) uint64 {
	to, ok := checkRange(addr, n)
	if !ok {
		return errno(syscall.EINVAL)
	}
	spaceLock.lock()
	if ok = !overlapsImage(addr, to) && splitAt(addr) && splitAt(to); ok {
		i := findRegion(addr)
		for i < nRegions && regions[i].from < to {
			regions[i].prot = prot
			i++
		}
		protectPages(addr, to, prot)
	}
	spaceLock.unlock()
	if !ok {
		return errno(syscall.EINVAL)
	}
	return 0
}
