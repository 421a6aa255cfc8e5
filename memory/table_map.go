package memory

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// Map enters one page of size s. An equal mapping that is there already is
// no error; a different one is ErrOverlap. ErrNoFrames leaves everything as
// it was, but for empty tables that the next try uses.
func (t *Table) Map(g GPA, h HPA, s PageSize, p Prot, ty Type) error {
	l, err := t.check(g, h, s, p, ty)
	if err != nil {
		return err
	}
	e := t.format.page(h, l, p, ty)
	for {
		result, err := t.tryMap(g, l, e)
		if result == mapDone {
			return nil
		}
		if err == nil && result == mapBlocked && !t.prune(g, l) {
			err = ErrOverlap
		}
		if err != nil {
			return fmt.Errorf("map GPA %#x to HPA %#x, %d KiB: %w", uint64(g), uint64(h), s>>10, err)
		}
		runtime.Gosched()
	}
}

// check returns the level that maps pages of size s.
func (t *Table) check(g GPA, h HPA, s PageSize, p Prot, ty Type) (int, error) {
	l := levelOf(s)
	switch {
	case l == 0 || s > t.format.MaxPage:
		return 0, fmt.Errorf("page of %d KiB in %s: %w", s>>10, t.format.Name, ErrPageSize)
	case g >= maxGPA || uint64(h)&^t.format.addressMask(1)&^pageMask != 0:
		return 0, fmt.Errorf("map GPA %#x to HPA %#x: %w", uint64(g), uint64(h), ErrOutOfRange)
	case (uint64(g)|uint64(h))&(uint64(s)-1) != 0:
		return 0, fmt.Errorf("map GPA %#x to HPA %#x, %d KiB: %w", uint64(g), uint64(h), s>>10, ErrAlignment)
	case p > RWX || ty > WriteBack || t.format.TypesKnown>>ty&1 == 0:
		return 0, fmt.Errorf("rights %#x, memory type %d in %s: %w", p, ty, t.format.Name, ErrFormat)
	}
	return l, nil
}

// mapResult is how a try to map ended.
type mapResult uint8

const (
	mapAgain   mapResult = iota // something changed on the way
	mapDone                     // the entry is there
	mapBlocked                  // another page or table is there
)

// tryMap enters e at level l.
func (t *Table) tryMap(g GPA, l int, e uint64) (mapResult, error) {
	t.walkers.RLock()
	defer t.walkers.RUnlock()
	slot, at, old, err := t.reach(g, l)
	if err != nil {
		return mapAgain, err
	}
	status := t.format.Accessed | t.format.Dirty
	switch {
	case old == entryFrozen: // the table is on its way out
		return mapAgain, nil
	case at == l && old == 0:
		if !slot.CompareAndSwap(0, e) {
			return mapAgain, nil
		}
		t.noteMapped(e, l)
		return mapDone, nil
	case at == l && old&^status == e&^status:
		return mapDone, nil
	}
	return mapBlocked, nil
}

// reach goes down to the entry for g at level l and makes the tables on the
// way. It stops above l at a page or a frozen entry. walkers is held.
func (t *Table) reach(g GPA, l int) (slot *atomic.Uint64, at int, e uint64, err error) {
	n := t.at(t.root)
	for at = levels; ; at-- {
		slot = &n[index(g, at)]
		e = slot.Load()
		if at == l {
			return slot, at, e, nil
		}
		if e == 0 {
			if e, err = t.grow(slot); err != nil {
				return nil, 0, 0, err
			}
		}
		if e == entryFrozen || t.format.isPage(e, at) {
			return slot, at, e, nil
		}
		n = t.at(t.format.tableAt(e))
	}
}

// grow hangs a new table on an empty entry, or finds that another has.
func (t *Table) grow(slot *atomic.Uint64) (uint64, error) {
	h, err := t.newTable()
	if err != nil {
		return 0, err
	}
	e := t.format.table(h)
	for !slot.CompareAndSwap(0, e) {
		if now := slot.Load(); now != 0 {
			t.freeTable(h)
			return now, nil
		}
	}
	return e, nil
}

// Lookup finds the mapping that contains g.
func (t *Table) Lookup(g GPA) (Mapping, bool) {
	if g >= maxGPA {
		return Mapping{}, false
	}
	t.walkers.RLock()
	defer t.walkers.RUnlock()
	n := t.at(t.root)
	for l := levels; l > 0; l-- {
		e := n[index(g, l)].Load()
		if e == 0 || e == entryFrozen {
			return Mapping{}, false
		}
		if t.format.isPage(e, l) {
			return t.mapping(g, l, e), true
		}
		n = t.at(t.format.tableAt(e))
	}
	return Mapping{}, false
}

// mapping says what entry e of level l means for g.
func (t *Table) mapping(g GPA, l int, e uint64) Mapping {
	return Mapping{
		HPA:      t.format.address(e, l),
		GPA:      g &^ GPA(span(l)-1),
		Size:     PageSize(span(l)),
		Prot:     t.format.prot(e),
		Accessed: e&t.format.Accessed != 0,
		Dirty:    e&t.format.Dirty != 0,
	}
}

func (t *Table) noteMapped(e uint64, l int) {
	if t.watch != nil {
		t.watch.mapped(t.format.address(e, l), span(l))
	}
}
