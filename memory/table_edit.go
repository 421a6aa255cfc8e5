package memory

import (
	"fmt"
	"sync/atomic"
)

// edit is a change to every page in a range.
type edit struct {
	apply func(e uint64) uint64 // the new entry; 0 takes the page away
	stale bool                  // a cached translation is now wrong
}

// Unmap removes every mapping in [g, g+n), splitting larger pages at the
// ends. Frames may be used again after Flush. ErrNoFrames means that a page
// could not be split; what comes before it is unmapped.
func (t *Table) Unmap(g GPA, n uint64) error {
	err := t.edit(g, n, func(uint64) uint64 { return 0 })
	if err != nil {
		return fmt.Errorf("unmap %#x bytes at GPA %#x: %w", n, uint64(g), err)
	}
	return nil
}

// Protect sets the rights of every mapping in [g, g+n), splitting at the
// ends. ErrNoFrames is as in Unmap.
func (t *Table) Protect(g GPA, n uint64, p Prot) error {
	if p > RWX {
		return fmt.Errorf("rights %#x in %s: %w", p, t.format.Name, ErrFormat)
	}
	err := t.edit(g, n, func(e uint64) uint64 { return e&^t.format.RightsMask | t.format.Rights[p] })
	if err != nil {
		return fmt.Errorf("protect %#x bytes at GPA %#x: %w", n, uint64(g), err)
	}
	return nil
}

// Clean clears the dirty flag of each page in [g, g+n) that the guest may
// write, splitting at the ends. ErrNoFrames is as in Unmap.
func (t *Table) Clean(g GPA, n uint64) error {
	err := t.edit(g, n, func(e uint64) uint64 {
		if t.format.prot(e)&Write == 0 {
			return e
		}
		return e &^ t.format.Dirty
	})
	if err != nil {
		return fmt.Errorf("clean %#x bytes at GPA %#x: %w", n, uint64(g), err)
	}
	return nil
}

// Outdate makes the next Flush reach every CPU, though no entry has changed.
func (t *Table) Outdate() { t.generation.Add(1) }

// edit applies f to every page in [g, g+n).
func (t *Table) edit(g GPA, n uint64, f func(uint64) uint64) error {
	switch {
	case (uint64(g)|n)&pageMask != 0:
		return ErrAlignment
	case uint64(g) > maxGPA || n > maxGPA-uint64(g):
		return ErrOutOfRange
	}
	t.change.Lock()
	defer t.change.Unlock()
	t.walkers.RLock()
	defer t.walkers.RUnlock()
	ed := &edit{apply: f}
	err := t.editNode(t.at(t.root), levels, g, g+GPA(n), ed)
	if ed.stale {
		t.generation.Add(1)
	}
	return err
}

// editNode edits [g, end) in the table n of level l, which covers it; it is
// at most four deep. change is held.
func (t *Table) editNode(n *node, l int, g, end GPA, ed *edit) error {
	for g < end {
		next := min(end, g&^GPA(span(l)-1)+GPA(span(l)))
		if err := t.editEntry(&n[index(g, l)], l, g, next, ed); err != nil {
			return err
		}
		g = next
	}
	return nil
}

// editEntry edits [g, end) under one entry of level l.
func (t *Table) editEntry(slot *atomic.Uint64, l int, g, end GPA, ed *edit) error {
	e := slot.Load()
	if e == 0 {
		return nil
	}
	if t.format.isPage(e, l) {
		if uint64(end-g) == span(l) {
			t.editPage(slot, l, ed)
			return nil
		}
		if ed.apply(e) == e {
			return nil // nothing to split for
		}
		var err error
		if e, err = t.split(slot, l); err != nil {
			return err
		}
	}
	if err := t.editNode(t.at(t.format.tableAt(e)), l-1, g, end, ed); err != nil {
		return err
	}
	if t.detach(slot) {
		ed.stale = true
	}
	return nil
}

// editPage changes the page at slot. The processor may set status bits in it
// at any moment, so the swap is tried until it holds.
func (t *Table) editPage(slot *atomic.Uint64, l int, ed *edit) {
	for {
		old := slot.Load()
		e := ed.apply(old)
		if !slot.CompareAndSwap(old, e) {
			continue
		}
		if e == 0 {
			t.noteUnmapped(old, l)
		}
		if old&t.format.Present != 0 && t.outdates(old, e) {
			ed.stale = true
		}
		return
	}
}

// outdates tells whether a translation that a CPU cached from the entry old is
// wrong now that it is e. A CPU that has cached a page as written does not set
// its dirty flag again.
func (t *Table) outdates(old, e uint64) bool {
	return e == 0 || t.format.prot(old)&^t.format.prot(e) != 0 || old&^e&t.format.Dirty != 0
}

// split replaces the page at slot by a table of smaller ones that mean the
// same, and returns the new entry.
func (t *Table) split(slot *atomic.Uint64, l int) (uint64, error) {
	h, err := t.newTable()
	if err != nil {
		return 0, err
	}
	n := t.at(h)
	for {
		old := slot.Load()
		first := t.format.smaller(old, l)
		for i := range n {
			n[i].Store(first + uint64(i)*span(l-1))
		}
		// A status bit that was set meanwhile makes this fail.
		if e := t.format.table(h); slot.CompareAndSwap(old, e) {
			return e, nil
		}
	}
}

// detach cuts off the table under slot if it is empty. change is held.
func (t *Table) detach(slot *atomic.Uint64) bool {
	h := t.format.tableAt(slot.Load())
	n := t.at(h)
	for i := range n {
		if n[i].CompareAndSwap(0, entryFrozen) {
			continue
		}
		for j := range i {
			n[j].Store(0)
		}
		return false
	}
	slot.Store(0)
	t.retired = append(t.retired, h)
	if t.watch != nil {
		t.watch.retired(h, t.generation.Load()+1)
	}
	return true
}

// prune cuts off the tables under g's entry of level l if no page is left in
// them. It returns whether that entry is free now.
func (t *Table) prune(g GPA, l int) bool {
	t.change.Lock()
	defer t.change.Unlock()
	t.walkers.RLock()
	defer t.walkers.RUnlock()
	n := t.at(t.root)
	for at := levels; at > l; at-- {
		e := n[index(g, at)].Load()
		if e == 0 {
			return true
		}
		if t.format.isPage(e, at) {
			return false
		}
		n = t.at(t.format.tableAt(e))
	}
	slot := &n[index(g, l)]
	if e := slot.Load(); e == 0 || t.format.isPage(e, l) {
		return e == 0
	}
	keep := &edit{apply: func(e uint64) uint64 { return e }}
	first := g &^ GPA(span(l)-1)
	// Editing nothing still cuts off the empty tables on the way back.
	if t.editEntry(slot, l, first, first+GPA(span(l)), keep) != nil {
		return false
	}
	if keep.stale {
		t.generation.Add(1)
	}
	return slot.Load() == 0
}

func (t *Table) noteUnmapped(e uint64, l int) {
	if t.watch != nil {
		t.watch.unmapped(t.format.address(e, l), span(l), t.generation.Load()+1)
	}
}
