package insn

import "ringo/x86"

// span is a data access after translation: one piece, or two where it crosses
// a page.
type span struct {
	gpa  [2]uint64
	size [2]uint8 // size[1] is 0 within one page
}

// crosses tells whether the access has two pieces.
func (p *span) crosses() bool { return p.size[1] != 0 }

// rights adds to access what the privilege level says.
func (e *Emulator) rights(access Access) Access {
	if e.s.CPL == 3 {
		access |= AccessUser
	}
	return access
}

// translate checks and translates size bytes at offset in seg.
func (e *Emulator) translate(seg uint8, offset uint64, size uint8, access Access) (span, error) {
	access = e.rights(access)
	lin, err := e.linear(seg, offset, size, access)
	if err != nil {
		return span{}, err
	}
	return e.translateLinear(lin, size, access)
}

// translateLinear translates size bytes at lin.
func (e *Emulator) translateLinear(lin uint64, size uint8, access Access) (span, error) {
	t, err := Walk(e.phys, &e.Paging, lin, access)
	if err != nil {
		return span{}, err
	}
	p := span{gpa: [2]uint64{t.GPA}, size: [2]uint8{size}}
	room := x86.PageSize4K - lin&x86.PageOffset4K
	if uint64(size) <= room {
		return p, nil
	}
	next := lin + room
	if e.mode != Mode64 {
		next &= 0xFFFFFFFF
	}
	if t, err = Walk(e.phys, &e.Paging, next, access); err != nil {
		return span{}, err
	}
	p.gpa[1] = t.GPA
	p.size = [2]uint8{uint8(room), size - uint8(room)}
	return p, nil
}

// load reads up to 8 bytes, zero-extended.
func (e *Emulator) load(p *span) (uint64, error) {
	v, err := e.loadPiece(p.gpa[0], p.size[0])
	if err != nil || !p.crosses() {
		return v, err
	}
	high, err := e.loadPiece(p.gpa[1], p.size[1])
	return v | high<<(8*uint(p.size[0])), err
}

// loadPiece reads n bytes in accesses of 1, 2, 4 or 8.
func (e *Emulator) loadPiece(gpa uint64, n uint8) (uint64, error) {
	if n&(n-1) == 0 {
		v, err := e.m.Load(gpa, n)
		return v & sizeMask(n), err
	}
	var v uint64
	for done := uint8(0); done < n; {
		chunk := largestPower(n - done)
		x, err := e.m.Load(gpa+uint64(done), chunk)
		if err != nil {
			return 0, err
		}
		v |= x & sizeMask(chunk) << (8 * uint(done))
		done += chunk
	}
	return v, nil
}

// store writes the low bytes of v.
func (e *Emulator) store(p *span, v uint64) error {
	if err := e.storePiece(p.gpa[0], p.size[0], v); err != nil || !p.crosses() {
		return err
	}
	return e.storePiece(p.gpa[1], p.size[1], v>>(8*uint(p.size[0])))
}

// storePiece writes n bytes in accesses of 1, 2, 4 or 8.
func (e *Emulator) storePiece(gpa uint64, n uint8, v uint64) error {
	for done := uint8(0); done < n; {
		chunk := largestPower(n - done)
		if err := e.m.Store(gpa+uint64(done), chunk, v>>(8*uint(done))&sizeMask(chunk)); err != nil {
			return err
		}
		done += chunk
	}
	return nil
}

// largestPower is the widest access of at most n bytes; n is 1 to 8.
func largestPower(n uint8) uint8 {
	switch {
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	case n >= 2:
		return 2
	}
	return 1
}

// swap stores v where old was read. It is atomic if asked, except for an
// access that crosses a page, which no processor of today is asked to lock.
func (e *Emulator) swap(p *span, old, v uint64, atomic bool) error {
	if !atomic || p.crosses() {
		return e.store(p, v)
	}
	swapped, err := e.m.CompareAndSwap(p.gpa[0], p.size[0], old, v)
	if err == nil && !swapped {
		err = ErrAgain
	}
	return err
}

// loadVector reads size bytes, 4, 8 or 16.
func (e *Emulator) loadVector(p *span, size uint8) (v [2]uint64, err error) {
	if size < 16 {
		v[0], err = e.load(p)
		return v, err
	}
	low, high := p.halves()
	if v[0], err = e.load(&low); err != nil {
		return v, err
	}
	v[1], err = e.load(&high)
	return v, err
}

// storeVector is loadVector's inverse.
func (e *Emulator) storeVector(p *span, size uint8, v [2]uint64) error {
	if size < 16 {
		return e.store(p, v[0])
	}
	low, high := p.halves()
	if err := e.store(&low, v[0]); err != nil {
		return err
	}
	return e.store(&high, v[1])
}

// halves splits a span of 16 bytes.
func (p *span) halves() (low, high span) {
	switch n := p.size[0]; {
	case n == 16:
		return span{gpa: p.gpa, size: [2]uint8{8}}, span{gpa: [2]uint64{p.gpa[0] + 8}, size: [2]uint8{8}}
	case n > 8:
		low = span{gpa: p.gpa, size: [2]uint8{8}}
		high = span{gpa: [2]uint64{p.gpa[0] + 8, p.gpa[1]}, size: [2]uint8{n - 8, 16 - n}}
		return low, high
	case n == 8:
		return span{gpa: p.gpa, size: [2]uint8{8}}, span{gpa: [2]uint64{p.gpa[1]}, size: [2]uint8{8}}
	default:
		low = span{gpa: p.gpa, size: [2]uint8{n, 8 - n}}
		high = span{gpa: [2]uint64{p.gpa[1] + 8 - uint64(n)}, size: [2]uint8{8}}
		return low, high
	}
}
