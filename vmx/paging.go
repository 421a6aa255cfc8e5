package vmx

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// Paging implements vcpu.Pager. What 64-bit code needs was read at the exit.
func (v *VCPU) Paging(p *vcpu.Paging) {
	*p = vcpu.Paging{}
	c := v.c
	if c == nil || v.need(partPaging) != nil {
		return
	}
	p.CR0, p.CR3, p.CR4, p.EFER, p.CPL = c.cr0(), c.regs[regCR3], c.cr4(), c.regs[regEFER], c.cpl()
	p.Plain = c.event == 0 && !c.shadow()
	cs := c.regs[regAR+x86.CS]
	p.Mode = 16
	switch {
	case p.EFER&x86.EFERLMA != 0 && cs&x86.AttrL != 0:
		p.Mode, p.Flat = 64, true
	case p.CR0&x86.CR0PE != 0 && c.area.RFLAGS&x86.FlagVM == 0 && cs&x86.AttrDB != 0:
		p.Mode, p.Flat = 32, v.need(partSeg) == nil && c.flat32()
	}
}

// flat32 tells whether 32-bit code can use every linear address as an offset
// in the segments that an access uses.
func (c *vcpuMem) flat32() bool {
	for _, i := range [...]int{x86.ES, x86.CS, x86.SS, x86.DS} {
		s := c.segment(i)
		if !s.Usable() || s.Base != 0 || s.Limit != 0xFFFF_FFFF {
			return false
		}
		if i == x86.CS && !s.IsCode() || i != x86.CS && (!s.CanWrite() || s.IsExpandDown()) {
			return false
		}
	}
	return true
}
