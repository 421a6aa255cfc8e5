package svm

import "ringo/x86"

// Bits of SegmentRegister.Attrib: bits 47:40 of the descriptor, then 55:52.
const (
	attribP      = 1 << 7
	attribAVL    = 1 << 8
	attribL      = 1 << 9
	attribDB     = 1 << 10
	attribG      = 1 << 11
	attribAccess = 0xFF // bits 47:40
	attribFlags  = 0xF00
	flagsShift   = 4 // from State's attributes, where the flags are bits 15:12

	// granular is the largest limit that a segment without G can have.
	granular = 0xFFFFF
)

// toVMCB converts a segment register. SVM has no unusable bit: a segment that
// is not present takes its place. Of 64-bit code VMRUN refuses D, which means
// nothing there; Bochs' SYSENTER leaves it set.
func toVMCB(s *x86.Segment) SegmentRegister {
	attrib := uint16(s.Attr&attribAccess | s.Attr>>flagsShift&attribFlags)
	if s.Attr&x86.AttrUnusable != 0 {
		attrib &^= attribP
	}
	if s.IsCode() && attrib&attribL != 0 {
		attrib &^= attribDB
	}
	return SegmentRegister{Selector: s.Selector, Attrib: attrib, Limit: s.Limit, Base: s.Base}
}

// fromVMCB converts back and mends what AMD's processors do not keep in the
// hidden part but Intel's check: G of a limit that needs it, the accessed bit
// of a segment in use, the busy bit of the task register.
func fromVMCB(r *SegmentRegister, index int) x86.Segment {
	attr := uint32(r.Attrib&attribAccess) | uint32(r.Attrib&attribFlags)<<flagsShift
	switch {
	case attr&x86.AttrP == 0:
		attr |= x86.AttrUnusable
	case index == x86.TR:
		attr |= x86.TypeTSSBusy &^ x86.TypeTSS
	case index != x86.LDTR:
		attr |= x86.TypeAccessed
	}
	if r.Limit > granular {
		attr |= x86.AttrG
	}
	return x86.Segment{Selector: r.Selector, Attr: attr, Limit: r.Limit, Base: r.Base}
}

// segment is the VMCB's register for an index of x86.State.Seg, in the order
// of the Sreg encoding.
func (s *SaveArea) segment(index int) *SegmentRegister {
	return [x86.NumSeg]*SegmentRegister{&s.ES, &s.CS, &s.SS, &s.DS, &s.FS, &s.GS, &s.LDTR, &s.TR}[index]
}
