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

// fetchAndDecode fetches one aligned word of code after the other until they
// hold the instruction: a short one in the cache takes one or two loads.
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
	var gpa uint64
	for w.n < MaxLen {
		if uint64(w.n) >= room {
			return e.gp() // the instruction goes on past the limit
		}
		lin, err := e.codeAddress(w.n)
		if err != nil {
			return err
		}
		if w.n == 0 || lin&x86.PageOffset4K == 0 {
			t, err := Walk(e.phys, &e.Paging, lin, e.rights(AccessFetch))
			if err != nil {
				return err
			}
			gpa = t.GPA
		}
		word, ok := e.phys.Load64(gpa &^ 7)
		if !ok {
			return ErrNotRAM
		}
		n := min(8-uint8(gpa&7), uint8(room)-w.n)
		w.append(word>>(8*(gpa&7)), n)
		gpa += uint64(n)
		if err := e.decodeWindow(&w); err != ErrTruncated {
			return err
		}
	}
	return ErrTooLong
}

// codeAddress is the linear address of the instruction's byte n.
func (e *Emulator) codeAddress(n uint8) (uint64, error) {
	lin := e.s.RIP + uint64(n)
	if e.mode != Mode64 {
		return (lin + e.s.Seg[x86.CS].Base) & 0xFFFFFFFF, nil
	}
	if !x86.IsCanonical(lin, e.s.LinearBits()) {
		return 0, e.gp()
	}
	return lin, nil
}

// append puts the low n bytes of word, 1 to 8, behind those of the window.
func (w *window) append(word uint64, n uint8) {
	word &= sizeMask(n)
	at := 8 * uint(w.n)
	w.lo |= word << at // a shift of 64 or more gives 0
	if at >= 64 {
		w.hi |= word << (at - 64)
	} else {
		w.hi |= word >> (64 - at)
	}
	w.n += n
}
