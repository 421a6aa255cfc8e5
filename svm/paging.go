package svm

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// Paging implements vcpu.Pager.
func (v *VCPU) Paging(p *vcpu.Paging) {
	c := v.c
	if c == nil {
		*p = vcpu.Paging{}
		return
	}
	s := &c.vmcb.Save
	p.CR0, p.CR3, p.CR4, p.EFER, p.CPL = s.CR0, s.CR3, s.CR4, s.EFER&^x86.EFERSVME, s.CPL
	p.Plain = c.event == 0 && !c.shadow()
	p.Mode, p.Flat = 16, false
	switch {
	case s.EFER&x86.EFERLMA != 0 && s.CS.Attrib&attribL != 0:
		p.Mode, p.Flat = 64, true
	case s.CR0&x86.CR0PE != 0 && c.area.RFLAGS&x86.FlagVM == 0 && s.CS.Attrib&attribDB != 0:
		p.Mode = 32
		p.Flat = s.CS.flat(x86.AttrP|x86.AttrS|x86.TypeCode, x86.AttrP|x86.AttrS|x86.TypeCode) &&
			s.ES.flatData() && s.SS.flatData() && s.DS.flatData()
	}
}

// flat tells whether every linear address is an offset in the segment, whose
// attributes under mask are want.
func (r *SegmentRegister) flat(mask, want uint16) bool {
	return r.Base == 0 && r.Limit == 0xFFFF_FFFF && r.Attrib&mask == want
}

// flatData is flat for a writable data segment that does not expand down.
func (r *SegmentRegister) flatData() bool {
	return r.flat(x86.AttrP|x86.AttrS|x86.TypeCode|x86.TypeWritable|x86.TypeExpandDown, x86.AttrP|x86.AttrS|x86.TypeWritable)
}
