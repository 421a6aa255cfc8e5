package nucleus

import (
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/abi/linux"
)

// Pages of the user's address space: first touch, rights, and giving back.

// protFlags translates the rights of mmap; W and X together are not given.
func protFlags(prot uint32) uint64 {
	f := uint64(pteNX)
	if prot&linux.PROT_WRITE != 0 {
		f |= pteRW
	} else if prot&linux.PROT_EXEC != 0 {
		f = 0
	}
	return f
}

// nextPage finds the first 4 KiB entry that holds a page in [from, to), passing over
// absent tables at once. It returns nil at the end.
func nextPage(from, to uintptr) (uintptr, *uint64) {
	for from < to {
		table, l := rootTable, uint(3)
		for ; l > 0; l-- {
			e := *entryAt(table, from, l)
			if e&pteP == 0 || e&ptePS != 0 {
				break
			}
			table = phys(e & pteAddr)
		}
		if l == 0 {
			if e := entryAt(table, from, 0); *e&(pteP|pteHidden) != 0 {
				return from, e
			}
		}
		step := uintptr(1) << (pageShift + 9*l)
		from = (from + step) &^ (step - 1)
	}
	return to, nil
}

// dropPages unmaps what is present in [from, to) and frees the frames after
// every CPU has forgotten them. spaceLock is held.
func dropPages(from, to uintptr) {
	var batch [64]phys
	for from < to {
		n := 0
		for n < len(batch) {
			v, e := nextPage(from, to)
			from = v
			if e == nil {
				break
			}
			batch[n] = phys(*e & pteAddr)
			atomic.StoreUint64(e, 0)
			n++
			from += pageSize
		}
		if n == 0 {
			return
		}
		shootdown()
		spaceRSS.Add(-int64(n))
		for i := 0; i < n; i++ {
			freeBlock(batch[i], 0)
		}
	}
}

func protectPages(from, to uintptr, prot uint32) {
	none := prot == linux.PROT_NONE
	if none {
		// A page without rights keeps its contents in an entry that is
		// present to nobody: the address with P clear and a mark.
		hidePages(from, to)
		return
	}
	showPages(from, to)
	for {
		v, e := nextPage(from, to)
		if e == nil {
			break
		}
		atomic.StoreUint64(e, *e&^uint64(pteRW|pteNX)|protFlags(prot))
		from = v + pageSize
	}
	shootdown()
}

// pteHidden marks an entry whose page is kept under PROT_NONE.
const pteHidden = 1 << 9

func hidePages(from, to uintptr) {
	for {
		v, e := nextPage(from, to)
		if e == nil {
			break
		}
		atomic.StoreUint64(e, *e&^uint64(pteP)|pteHidden)
		from = v + pageSize
	}
	shootdown()
}

func showPages(from, to uintptr) {
	for v := from; v < to; v += pageSize {
		if e := walk(v, 0, false); e != nil && *e&pteHidden != 0 {
			atomic.StoreUint64(e, *e&^uint64(pteHidden)|pteP)
		}
	}
}

// pageFault resolves a first touch. It runs on its own stack and may nest in
// nucleus code that holds no lock at or below spaceLock.
func pageFault(addr uintptr, code uint64) bool {
	const write, fetch = 2, 16
	thisCPU().stats.Faults++
	if addr < userLow || addr >= userTop {
		return false
	}
	spaceLock.lock()
	i := findRegion(addr)
	ok := i < nRegions && regions[i].from <= addr
	if ok {
		prot := regions[i].prot
		switch {
		case prot == linux.PROT_NONE,
			code&write != 0 && prot&linux.PROT_WRITE == 0,
			code&fetch != 0 && prot&linux.PROT_EXEC == 0:
			ok = false
		default:
			ok = touchPage(addr, prot)
		}
	}
	spaceLock.unlock()
	return ok
}

// touchPage makes the page of addr present. spaceLock is held.
func touchPage(addr uintptr, prot uint32) bool {
	e := walk(addr, 0, true)
	if e == nil {
		outOfMemory()
	}
	v := atomic.LoadUint64(e)
	if v&pteP != 0 {
		// Another CPU was first, or this CPU's TLB is stale after a change
		// that gave more rights.
		return v&(pteRW|pteNX) == protFlags(prot)
	}
	f := allocFrame()
	if f == 0 {
		outOfMemory()
	}
	spaceRSS.Add(1)
	atomic.StoreUint64(e, uint64(f)|pteP|protFlags(prot))
	return true
}
