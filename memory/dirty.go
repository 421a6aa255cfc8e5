package memory

import (
	"math/bits"
	"sync/atomic"
)

// Range is a stretch of guest-physical memory.
type Range struct {
	GPA  GPA
	Size uint64
}

// wordsPerChunk is how many words hold a bit for each page of a chunk.
const wordsPerChunk = entryCount / 64

// logView is the bitmaps of a dirty log that runs. The list of them is
// replaced, never changed, so that marking takes no lock.
type logView struct {
	name  string
	parts []logPart
	batch []dirtyChunk // taken by Harvest and not reported yet
}

// logPart is the bitmap of a range inside one slot. It begins at a chunk's
// start, so that a chunk's bits are whole words.
type logPart struct {
	slot     *slot
	gpa, end GPA
	words    []atomic.Uint64
}

// dirtyChunk is the dirty pages of the chunk at gpa.
type dirtyChunk struct {
	gpa   GPA
	pages [wordsPerChunk]uint64
}

func newLogPart(sl *slot, g, end GPA) logPart {
	first, last := uint64(g)>>largeShift, uint64(end-1)>>largeShift
	return logPart{sl, g, end, make([]atomic.Uint64, (last-first+1)*wordsPerChunk)}
}

// chunkWords are the words of the chunk that holds g.
func (p *logPart) chunkWords(g GPA) []atomic.Uint64 {
	i := (uint64(g)>>largeShift - uint64(p.gpa)>>largeShift) * wordsPerChunk
	return p.words[i : i+wordsPerChunk]
}

// mark sets the bits of the pages that [g, end) touches.
func (p *logPart) mark(g, end GPA) {
	g, end = max(g&^pageMask, p.gpa), min(end, p.end)
	for ; g < end; g += GPA(Page4K) {
		i := pageIndex(g)
		word := &p.chunkWords(g)[i/64]
		// Most writes hit a page that is marked; they share the line.
		if bit := uint64(1) << (i % 64); word.Load()&bit == 0 {
			word.Or(bit)
		}
	}
}

// mark notes a write of [g, g+n) in every log that runs there. n is not 0 and
// the range is RAM.
func (s *Space) mark(g GPA, n uint64) {
	views := s.logs.Load()
	if views == nil {
		return
	}
	for _, v := range *views {
		for i := range v.parts {
			v.parts[i].mark(g, g+GPA(n))
		}
	}
}

// logged tells whether a log runs somewhere in [g, g+n).
func (s *Space) logged(g GPA, n uint64) bool {
	views := s.logs.Load()
	if views == nil {
		return false
	}
	for _, v := range *views {
		for i := range v.parts {
			if p := &v.parts[i]; p.gpa < g+GPA(n) && g < p.end {
				return true
			}
		}
	}
	return false
}

// each calls f for every chunk of the log, with the part of it that is logged.
func (v *logView) each(f func(p *logPart, g, end GPA) error) error {
	for i := range v.parts {
		p := &v.parts[i]
		for g := p.gpa; g < p.end; {
			end := min(p.end, g&^largeMask+GPA(Page2M))
			if err := f(p, g, end); err != nil {
				return err
			}
			g = end
		}
	}
	return nil
}

// each calls f for every page of the chunk that is set, in ascending order.
func (d *dirtyChunk) each(f func(GPA)) {
	for i, word := range d.pages {
		for ; word != 0; word &= word - 1 {
			f(d.gpa + GPA(i*64+bits.TrailingZeros64(word))<<pageShift)
		}
	}
}

// runs calls f for every run of pages that are set.
func (d *dirtyChunk) runs(f func(g GPA, n uint64) error) error {
	isSet := func(i int) bool { return i < entryCount && d.pages[i/64]>>(i%64)&1 != 0 }
	for i := 0; i < entryCount; i++ {
		start := i
		for isSet(i) {
			i++
		}
		if i == start {
			continue
		}
		if err := f(d.gpa+GPA(start)<<pageShift, uint64(i-start)<<pageShift); err != nil {
			return err
		}
	}
	return nil
}
