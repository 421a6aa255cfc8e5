package vmx

import "ringo/x86"

// attrMask are the bits of State's access rights, which are those of the VMCS.
const attrMask = x86.AttrDescriptor | x86.AttrUnusable

// granular is the largest limit that a segment without G can have.
const granular = 0xFFFFF

// setSegment enters segment i as VM entry accepts it (SDM volume 3C, section
// 27.3.1.2 "Checks on Guest Segment Registers"): a segment in use is marked as
// accessed, TR as busy, and G fits the limit.
func (c *vcpuMem) setSegment(i int, s *x86.Segment) {
	attr := s.Attr & attrMask
	switch {
	case i == x86.TR:
		attr = attr&^x86.AttrUnusable | x86.AttrP | x86.TypeTSS16Busy&^x86.TypeTSS16
	case attr&x86.AttrP == 0:
		attr |= x86.AttrUnusable
	case i != x86.LDTR && attr&x86.AttrUnusable == 0:
		attr |= x86.TypeAccessed
	}
	limit := s.Limit
	switch {
	case limit > granular:
		attr |= x86.AttrG
		limit |= 0xFFF
	case limit&0xFFF != 0xFFF:
		attr &^= x86.AttrG
	}
	c.regs[regAR+i] = uint64(attr)
	c.regs[regSelector+i] = uint64(s.Selector)
	c.regs[regBase+i] = s.Base
	c.regs[regLimit+i] = uint64(limit)
}

// segment is segment register i.
func (c *vcpuMem) segment(i int) x86.Segment {
	return x86.Segment{
		Selector: uint16(c.regs[regSelector+i]),
		Attr:     uint32(c.regs[regAR+i]) & attrMask,
		Limit:    uint32(c.regs[regLimit+i]),
		Base:     c.regs[regBase+i],
	}
}

// cpl is the current privilege level, which is the DPL of SS.
func (c *vcpuMem) cpl() uint8 {
	return uint8(c.regs[regAR+x86.SS] & x86.AttrDPLMask >> x86.AttrDPLShift)
}
