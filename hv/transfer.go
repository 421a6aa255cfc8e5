package hv

import (
	"encoding/binary"

	"ringo/devices"
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/insn"
)

// The common way in which a guest accesses a device: one MOV, with nothing
// else going on. It needs the general registers, RIP and RFLAGS, which are in
// the Area, and a Paging. The emulator does the rest, and would do the same
// with these.

// unusualFlags are those of RFLAGS that make an instruction do more: a trap, a
// check of alignment, or a change of RF.
const unusualFlags = x86.FlagTF | x86.FlagRF | x86.FlagAC | x86.FlagVM

// transfer serves the access if it is a plain one to a device. If it says
// false, nothing has happened.
func (c *cpu) transfer(e *vcpu.Exit) bool {
	gpa := uint64(e.GPA)
	if e.Walk || e.Fetch || c.area.RFLAGS&unusualFlags != 0 {
		return false
	}
	onAPIC := c.emul.onAPICPage(gpa)
	r := c.mmio.Lookup(gpa)
	if r == nil && !onAPIC {
		return false
	}
	p := c.look()
	if !p.Plain || !p.Flat {
		return false
	}
	g := &c.area.GPR
	t := c.code.at(c.area.RIP, p)
	if t == nil || t.Write != e.Write {
		return false
	}
	next := c.area.RIP + uint64(t.Len)
	if p.Mode != 64 {
		next &= 0xFFFF_FFFF
	}
	// The processor has translated the address, and checked it; that holds
	// for the whole access if it lies in one page.
	lin, offset := t.Offset(g, next), gpa&x86.PageOffset4K
	if lin&x86.PageOffset4K != offset || offset+uint64(t.Size) > x86.PageSize4K || !reachable(lin) {
		return false
	}
	switch {
	case onAPIC && t.Write:
		c.lapic.Store(offset, t.Size, t.Value(g))
	case onAPIC:
		t.Put(g, c.lapic.Load(offset))
	case uint64(t.Size)-1 > r.Last-gpa:
		return false
	default:
		c.moveRegion(t, r, gpa-r.Start)
	}
	c.area.RIP = next
	e.Emulated, e.Quiet = true, !onAPIC
	return true
}

// moveRegion carries out a Transfer that lies in a region of the bus.
func (c *cpu) moveRegion(t *insn.Transfer, r *devices.Region, off uint64) {
	g, p := &c.area.GPR, c.word[:t.Size&15]
	if t.Write {
		binary.LittleEndian.PutUint64(c.word[:], t.Value(g))
		r.Handler.Write(off, p)
		return
	}
	r.Handler.Read(off, p)
	t.Put(g, binary.LittleEndian.Uint64(c.word[:]))
}

// reachable tells whether a linear address is canonical with 4-level paging,
// and so with any.
func reachable(lin uint64) bool { return uint64(int64(lin<<16)>>16) == lin }
