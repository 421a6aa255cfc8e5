package hv

import (
	"ringo/snapshot"
	"ringo/x86"
)

// words are the 64-bit registers of a state, in the order in which they are
// saved. It never changes under version 1.
func words(s *x86.State) []*uint64 {
	w := []*uint64{
		&s.RIP, &s.RFLAGS, &s.CR0, &s.CR2, &s.CR3, &s.CR4, &s.CR8, &s.EFER,
		&s.PDPTE[0], &s.PDPTE[1], &s.PDPTE[2], &s.PDPTE[3],
		&s.DR[0], &s.DR[1], &s.DR[2], &s.DR[3], &s.DR6, &s.DR7,
		&s.GDTR.Base, &s.IDTR.Base,
		&s.STAR, &s.LSTAR, &s.CSTAR, &s.SFMASK, &s.KernelGSBase,
		&s.SysenterCS, &s.SysenterESP, &s.SysenterEIP,
		&s.PAT, &s.TSCAux, &s.SpecCtrl, &s.DebugCtl, &s.TSC, &s.XCR0, &s.XSS,
	}
	for i := range s.GPR {
		w = append(w, &s.GPR[i])
	}
	return w
}

func saveState(e *snapshot.Encoder, s *x86.State) {
	var values []uint64
	for _, w := range words(s) {
		values = append(values, *w)
	}
	e.Uint64s("registers", values)
	e.Uint16("gdtr-limit", s.GDTR.Limit)
	e.Uint16("idtr-limit", s.IDTR.Limit)
	for i := range s.Seg {
		g := &s.Seg[i]
		e.Begin("segment")
		e.Uint16("selector", g.Selector)
		e.Uint32("attributes", g.Attr)
		e.Uint32("limit", g.Limit)
		e.Uint64("base", g.Base)
		e.End()
	}
	e.Uint8("cpl", s.CPL)
	e.Bool("sti-shadow", s.Interrupt.STIShadow)
	e.Bool("mov-ss-shadow", s.Interrupt.MovSSShadow)
	e.Bool("nmi-blocked", s.Interrupt.NMIBlocked)
	e.Uint8("activity", uint8(s.Activity))
	e.Bytes("xsave", s.XSAVE[:])
}

func restoreState(d *snapshot.Decoder, s *x86.State) {
	w := words(s)
	values := make([]uint64, len(w))
	d.Uint64s("registers", values)
	for i := range w {
		*w[i] = values[i]
	}
	s.GDTR.Limit = d.Uint16("gdtr-limit")
	s.IDTR.Limit = d.Uint16("idtr-limit")
	for i := range s.Seg {
		g := &s.Seg[i]
		d.Begin("segment")
		g.Selector = d.Uint16("selector")
		g.Attr = d.Uint32("attributes")
		g.Limit = d.Uint32("limit")
		g.Base = d.Uint64("base")
		d.End()
	}
	s.CPL = d.Uint8("cpl")
	s.Interrupt.STIShadow = d.Bool("sti-shadow")
	s.Interrupt.MovSSShadow = d.Bool("mov-ss-shadow")
	s.Interrupt.NMIBlocked = d.Bool("nmi-blocked")
	s.Activity = x86.Activity(d.Uint8("activity"))
	copy(s.XSAVE[:], d.Bytes("xsave", len(s.XSAVE)))
}
