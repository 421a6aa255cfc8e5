package memory

import (
	"fmt"
	"sync/atomic"
)

// pin is a range whose frames stay until Release.
type pin struct {
	space    *Space
	gpa      GPA
	n        uint64
	write    bool
	pieces   [][]byte
	released atomic.Bool
}

// Pin gives the frames behind [a, a+n) and holds them there. There is one
// piece per frame. A frame takes 65535 pins; more is ErrPinned.
func (s *Space) Pin(a GPA, n uint64, write bool) (Pinned, error) {
	if err := s.contains(a, n, write); err != nil {
		return nil, rangeError("pin", a, n, err)
	}
	p := &pin{space: s, gpa: a, write: write}
	for p.n < n {
		piece, err := s.pinSome(a+GPA(p.n), n-p.n)
		if err != nil {
			p.write = false // nothing was written yet
			p.Release()
			return nil, rangeError("pin", a, n, err)
		}
		p.pieces = append(p.pieces, piece)
		p.n += uint64(len(piece))
	}
	return p, nil
}

// pinSome pins up to n bytes of the frame behind g.
func (s *Space) pinSome(g GPA, n uint64) ([]byte, error) {
	c := s.find(g).chunk(g)
	for {
		piece, err := s.tryPin(c, g, n)
		if piece != nil || err != nil {
			return piece, err
		}
		if err := s.demand(g); err != nil {
			return nil, err
		}
	}
}

// tryPin is nil if the page has no frame.
func (s *Space) tryPin(c *chunk, g GPA, n uint64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.closed.Load() {
		return nil, ErrClosed
	}
	f, ok := c.frameOf(g)
	if !ok {
		return nil, nil
	}
	cell := c.cellOf(g)
	r := cell.load()
	if r.pins() == recordMaxPins {
		return nil, fmt.Errorf("frame at GPA %#x has %d pins: %w", uint64(f.gpa), recordMaxPins, ErrPinned)
	}
	cell.store(r + recordPin)
	off := uint64(g - f.gpa)
	return s.bytes(f.hpa+HPA(off), min(n, uint64(f.size)-off)), nil
}

// Pieces are the pinned bytes in guest order.
func (p *pin) Pieces() [][]byte { return p.pieces }

// Release lets the frames go; after the first call it does nothing. The
// pieces must not be used any more.
func (p *pin) Release() {
	if p.released.Swap(true) {
		return
	}
	if p.write && p.n > 0 {
		p.space.mark(p.gpa, p.n)
	}
	g := p.gpa
	for _, piece := range p.pieces {
		c := p.space.find(g).chunk(g)
		c.mu.Lock()
		// A pinned frame keeps its size, so its cell is still the one.
		cell := c.cellOf(g)
		cell.store(cell.load() - recordPin)
		c.mu.Unlock()
		g += GPA(len(piece))
	}
	p.pieces = nil
}
