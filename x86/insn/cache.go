package insn

import (
	"encoding/binary"

	"ringo/x86"
)

// cacheSize is the number of decoded instructions that an Emulator keeps.
const cacheSize = 64

// window is up to 15 bytes of code, little-endian in two words. Bytes from n on
// are not meant.
type window struct {
	lo, hi uint64
	n      uint8
}

// cacheEntry is a decoded instruction with the bytes that it came from. A hit
// compares all of them, so code that changes itself is decoded again.
type cacheEntry struct {
	lo, hi         uint64 // code
	maskLo, maskHi uint64 // bytes that belong to the instruction; 0: empty
	inst           Inst
}

// hit tells whether the entry is the instruction that w begins with.
func (c *cacheEntry) hit(w *window, mode Mode) bool {
	return (w.lo^c.lo)&c.maskLo|(w.hi^c.hi)&c.maskHi == 0 &&
		c.inst.Len <= w.n && c.inst.Mode == mode && c.maskLo != 0
}

// bytes lays the window out.
func (w *window) bytes(buf *[16]byte) []byte {
	binary.LittleEndian.PutUint64(buf[:], w.lo)
	binary.LittleEndian.PutUint64(buf[8:], w.hi)
	return buf[:w.n]
}

// decodeWindow decodes the instruction that w begins with, through the cache.
func (e *Emulator) decodeWindow(w *window) error {
	c := &e.cache[e.s.RIP*0x9E3779B97F4A7C15>>58%cacheSize]
	if c.hit(w, e.mode) {
		e.in = &c.inst
		return nil
	}
	var buf [16]byte
	code := w.bytes(&buf)
	if err := e.cold.decode(code, e.mode); err != nil {
		if e.cold.Len != 0 && err == ErrUnsupported {
			e.in = &e.cold
		}
		return err
	}
	n := uint(e.cold.Len)
	*c = cacheEntry{lo: w.lo, hi: w.hi, maskLo: ^uint64(0), inst: e.cold}
	if n < 8 {
		c.maskLo = 1<<(8*n) - 1
	} else {
		c.maskHi = 1<<(8*(n-8)) - 1
	}
	e.in = &c.inst
	return nil
}

// decode finds the instruction at RIP.
func (e *Emulator) decode(code []byte) error {
	var w window
	if len(code) > 0 {
		var buf [16]byte
		w.n = uint8(copy(buf[:MaxLen], code))
		w.lo, w.hi = binary.LittleEndian.Uint64(buf[:]), binary.LittleEndian.Uint64(buf[8:])
		if err := e.decodeWindow(&w); err != ErrTruncated {
			return err
		}
	}
	return e.fetchAndDecode()
}

// fetchAndDecode fetches to the end of the page, and goes on in the next one
// only if the instruction does.
func (e *Emulator) fetchAndDecode() error {
	var w window
	room := uint64(MaxLen)
	if e.mode != Mode64 {
		limit := uint64(e.s.Seg[x86.CS].Limit)
		if e.s.RIP > limit {
			return e.gp()
		}
		room = min(room, limit-e.s.RIP+1)
	}
	for w.n < MaxLen {
		if uint64(w.n) >= room {
			return e.gp() // the instruction goes on past the limit
		}
		if err := e.fetch(&w, uint8(room)); err != nil {
			return err
		}
		if err := e.decodeWindow(&w); err != ErrTruncated {
			return err
		}
	}
	return ErrTooLong
}

// fetch adds code bytes up to the end of their page; w then has at most room.
func (e *Emulator) fetch(w *window, room uint8) error {
	lin := e.s.RIP + uint64(w.n)
	if e.mode != Mode64 {
		lin = (lin + e.s.Seg[x86.CS].Base) & 0xFFFFFFFF
	} else if !x86.IsCanonical(lin, e.s.LinearBits()) {
		return e.gp()
	}
	t, err := Walk(e.m, &e.Paging, lin, e.rights(AccessFetch))
	if err != nil {
		return err
	}
	n := min(room-w.n, uint8(min(x86.PageSize4K-lin&x86.PageOffset4K, MaxLen)))
	lo, hi, err := e.loadCode(t.GPA, n)
	if err != nil {
		return err
	}
	w.append(lo, hi, n)
	return nil
}

// append puts n more bytes behind those that the window has.
func (w *window) append(lo, hi uint64, n uint8) {
	at := 8 * uint(w.n)
	w.lo |= lo << at
	w.hi |= hi<<at | lo>>(64-at) // shifts of 64 and more give 0
	if at > 64 {
		w.hi |= lo << (at - 64)
	}
	w.n += n
}

// loadCode reads n bytes, 1 to 15, of one page.
func (e *Emulator) loadCode(gpa uint64, n uint8) (lo, hi uint64, err error) {
	var words [3]uint64
	first := gpa &^ 7
	for i := range words {
		a := first + uint64(i)*8
		if a >= gpa+uint64(n) {
			break
		}
		v, ok := e.m.Load64(a)
		if !ok {
			return 0, 0, ErrNotRAM
		}
		words[i] = v
	}
	shift := uint(gpa&7) * 8
	lo = words[0]>>shift | words[1]<<(64-shift)
	hi = words[1]>>shift | words[2]<<(64-shift)
	if n < 8 {
		lo, hi = lo&(1<<(8*n)-1), 0
	} else {
		hi &= 1<<(8*(uint(n)-8)) - 1
	}
	return lo, hi, nil
}
