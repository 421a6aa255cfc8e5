package vcpu

import "ringo/x86"

// Paging is what decides how a processor fetches code and reaches memory.
type Paging struct {
	CR0, CR3, CR4, EFER uint64
	CPL                 uint8
	Mode                uint8 // size of the code in bits: 16, 32 or 64
	// Flat says that a data access by ES, SS or DS, and a fetch by CS, may go
	// to any linear address, which is the offset. It is always true in 64-bit
	// mode, and elsewhere for segments from 0 to 4 GiB with all rights.
	Flat bool
	// Plain says that no event waits for delivery and that there is no
	// interrupt shadow: after the instruction only registers have changed.
	Plain bool
}

// Pager is a further ability of a VCPU: it tells its Paging at less cost than
// a Store of the groups that hold it. It is called while the vCPU is outside
// Run.
type Pager interface {
	Paging(*Paging)
}

// Set takes over what s says; Plain is left to the caller, because State holds
// no events.
func (p *Paging) Set(s *x86.State) {
	p.CR0, p.CR3, p.CR4, p.EFER, p.CPL = s.CR0, s.CR3, s.CR4, s.EFER, s.CPL
	p.Mode, p.Flat = 16, false
	switch {
	case s.Mode64():
		p.Mode, p.Flat = 64, true
	case s.CR0&x86.CR0PE != 0 && !s.Virtual8086() && s.Seg[x86.CS].Attr&x86.AttrDB != 0:
		p.Mode = 32
		p.Flat = flat(&s.Seg[x86.CS]) && s.Seg[x86.CS].IsCode() &&
			flatData(&s.Seg[x86.ES]) && flatData(&s.Seg[x86.SS]) && flatData(&s.Seg[x86.DS])
	}
}

// flat tells whether every linear address is an offset in s.
func flat(s *x86.Segment) bool { return s.Usable() && s.Base == 0 && s.Limit == 0xFFFF_FFFF }

func flatData(s *x86.Segment) bool { return flat(s) && s.CanWrite() && !s.IsExpandDown() }
