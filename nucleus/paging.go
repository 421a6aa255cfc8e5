package nucleus

import (
	"sync/atomic"
	"unsafe"

	"ringo/nucleus/reg"
)

// Page-table entry bits (SDM volume 3A, section 4.5 "4-Level Paging and
// 5-Level Paging").
const (
	pteP   = 1 << 0
	pteRW  = 1 << 1
	ptePWT = 1 << 3
	ptePCD = 1 << 4
	pteA   = 1 << 5
	pteD   = 1 << 6
	ptePS  = 1 << 7
	pteG   = 1 << 8
	pteNX  = 1 << 63

	pteAddr = 0x000ffffffffff000
)

// The nucleus's own part of the address space, above the user's.
const (
	threadArea = 0xffffc00000000000 // Thread records
	stackBase  = 0xffffd00000000000 // CPU stacks with guard pages
	mmioBase   = 0xffffe00000000000 // device registers, uncached
)

// rootTable is the one address space of the program.
var rootTable phys

// tableLock serialises the creation of tables; entries of the user part
// change under spaceLock.
var tableLock spinlock

func entryAt(table phys, virt uintptr, level uint) *uint64 {
	i := virt >> (pageShift + 9*level) & 511
	return (*uint64)(unsafe.Pointer(physPtr(table) + i*8))
}

// walk finds the entry of virt at the given level (0 for 4 KiB, 1 for 2 MiB,
// 2 for 1 GiB). With create it makes missing tables; it returns nil if one is
// missing or memory is out, or a larger page is in the way.
func walk(virt uintptr, level uint, create bool) *uint64 {
	table := rootTable
	for l := uint(3); l > level; l-- {
		e := entryAt(table, virt, l)
		v := atomic.LoadUint64(e)
		if v&pteP == 0 {
			if !create {
				return nil
			}
			if v = makeTable(e); v == 0 {
				return nil
			}
		}
		if v&ptePS != 0 {
			return nil
		}
		table = phys(v & pteAddr)
	}
	return entryAt(table, virt, level)
}

// makeTable fills the empty entry e with a new table and returns its value.
func makeTable(e *uint64) uint64 {
	tableLock.lock()
	v := atomic.LoadUint64(e)
	if v&pteP == 0 {
		if f := allocFrame(); f != 0 {
			v = uint64(f) | pteP | pteRW
			atomic.StoreUint64(e, v)
		} else {
			v = 0
		}
	}
	tableLock.unlock()
	return v
}

// mapPage enters one page of 4 KiB << 9*level.
func mapPage(virt uintptr, p phys, level uint, flags uint64) bool {
	e := walk(virt, level, true)
	if e == nil {
		return false
	}
	if level > 0 {
		flags |= ptePS
	}
	atomic.StoreUint64(e, uint64(p)|flags|pteP)
	return true
}

// mapRange backs [from, to) of the nucleus's part with zeroed frames where it
// is not backed yet.
func mapRange(from, to uintptr) bool {
	for v := from &^ (pageSize - 1); v < to; v += pageSize {
		e := walk(v, 0, true)
		if e == nil {
			return false
		}
		if atomic.LoadUint64(e)&pteP != 0 {
			continue
		}
		f := allocFrame()
		if f == 0 {
			return false
		}
		atomic.StoreUint64(e, uint64(f)|pteP|pteRW|pteNX|pteG)
	}
	return true
}

// mapDirect enters [from, to) of host-physical memory into the direct map, in
// pages as large as the processor and the alignment allow.
func mapDirect(from, to phys, huge bool) bool {
	const size2M, size1G = 2 << 20, 1 << 30
	const flags = pteRW | pteNX | pteG
	from &^= size2M - 1
	to = (to + size2M - 1) &^ (size2M - 1)
	for from < to {
		v := uintptr(directBase) + uintptr(from)
		if huge && from&(size1G-1) == 0 && to-from >= size1G {
			if e := walk(v, 2, true); e != nil && *e&pteP == 0 {
				*e = uint64(from) | flags | pteP | ptePS
				from += size1G
				continue
			}
		}
		if e := walk(v, 2, false); e == nil || *e&ptePS == 0 {
			if !mapPage(v, from, 1, flags) {
				return false
			}
		}
		from += size2M
	}
	return true
}

var mmioNext uintptr = mmioBase

// mapMMIO gives an uncached mapping of n bytes of device registers, or 0. It
// is for good.
func mapMMIO(p phys, n uintptr) uintptr {
	first := p &^ (pageSize - 1)
	pages := (uintptr(p-first) + n + pageSize - 1) >> pageShift
	tableLock.lock()
	v := mmioNext
	mmioNext += (pages + 1) << pageShift
	tableLock.unlock()
	for i := uintptr(0); i < pages; i++ {
		if !mapPage(v+i<<pageShift, first+phys(i<<pageShift), 0, pteRW|pteNX|pteG|ptePCD|ptePWT) {
			return 0
		}
	}
	return v + uintptr(p-first)
}

func flushLocal() { reg.WriteCR3(reg.ReadCR3()) }
