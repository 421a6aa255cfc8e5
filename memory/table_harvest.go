package memory

import (
	"fmt"
	"sync/atomic"
)

// Harvest calls f for each page in [g, g+n) that was accessed or written
// since its last Harvest, in ascending order, and clears both bits. f runs
// under no lock. The processor sets a bit again only after Flush, which the
// caller owes if true is returned. A page that is larger than the rest of the
// range counts as a whole.
func (t *Table) Harvest(g GPA, n uint64, f func(Mapping)) (bool, error) {
	switch {
	case (uint64(g)|n)&pageMask != 0:
		return false, fmt.Errorf("harvest %#x bytes at GPA %#x: %w", n, uint64(g), ErrAlignment)
	case uint64(g) > maxGPA || n > maxGPA-uint64(g):
		return false, fmt.Errorf("harvest %#x bytes at GPA %#x: %w", n, uint64(g), ErrOutOfRange)
	}
	var (
		found [entryCount]Mapping
		any   bool
	)
	for end := g + GPA(n); g < end; {
		next, count := t.harvestNode(g, end, &found)
		if count > 0 {
			any = true
			t.generation.Add(1)
		}
		for _, m := range found[:count] {
			f(m)
		}
		g = next
	}
	return any, nil
}

// harvestNode clears and collects the status bits under the lowest table that
// covers g, up to end. It returns where to go on and how many it found.
func (t *Table) harvestNode(g, end GPA, found *[entryCount]Mapping) (GPA, int) {
	t.walkers.RLock()
	defer t.walkers.RUnlock()
	n := t.at(t.root)
	l := levels
	for ; l > 1; l-- {
		e := n[index(g, l)].Load()
		if e == 0 || e == entryFrozen || t.format.isPage(e, l) {
			break
		}
		n = t.at(t.format.tableAt(e))
	}
	count := 0
	for {
		slot := &n[index(g, l)]
		e := slot.Load()
		if e != 0 && e != entryFrozen && !t.format.isPage(e, l) {
			return g, count // a lower table: the next call enters it
		}
		if m, ok := t.takeStatus(slot, g, l); ok {
			found[count] = m
			count++
		}
		g = g&^GPA(span(l)-1) + GPA(span(l))
		if g >= end || index(g, l) == 0 {
			return min(g, end), count
		}
	}
}

// takeStatus clears the accessed and dirty bits of the page at slot and
// returns the mapping as it was; false if none was set.
func (t *Table) takeStatus(slot *atomic.Uint64, g GPA, l int) (Mapping, bool) {
	status := t.format.Accessed | t.format.Dirty
	for {
		e := slot.Load()
		if e == entryFrozen || e&entryMapped == 0 || e&status == 0 {
			return Mapping{}, false
		}
		if slot.CompareAndSwap(e, e&^status) {
			return t.mapping(g, l, e), true
		}
	}
}
