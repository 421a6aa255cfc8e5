package hv

import (
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// WriteCR implements insn.Machine: a MOV to a control register with the
// checks of SDM volume 2B, "MOV—Move to/from Control Registers", and of APM
// volume 2, section 3.1 "System-Control Registers". It changes the State that
// is being emulated; false is #GP(0).
func (m *emulator) WriteCR(n uint8, v uint64) (ok bool, err error) {
	s := &m.c.state
	switch n {
	case 0:
		return m.writeCR0(s, v), nil
	case 3:
		return m.writeCR3(s, v), nil
	case 4:
		return m.writeCR4(s, v), nil
	case 8:
		if v > x86.CR8Valid {
			return false, nil
		}
		apic.SetTPR(m.c.area, uint8(v<<x86.CR8TPRShift))
		s.CR8 = v
		return true, nil
	}
	return false, nil
}

func (m *emulator) writeCR0(s *x86.State, v uint64) bool {
	if v>>32 != 0 || v&x86.CR0PG != 0 && v&x86.CR0PE == 0 || v&x86.CR0NW != 0 && v&x86.CR0CD == 0 {
		return false
	}
	v = v&x86.CR0Valid | x86.CR0ET
	efer := s.EFER
	switch {
	case v&x86.CR0PG == 0:
		if s.CR0&x86.CR0PG != 0 && (s.Mode64() || s.CR4&x86.CR4PCIDE != 0) {
			return false
		}
		efer &^= x86.EFERLMA
	case s.CR0&x86.CR0PG == 0 && efer&x86.EFERLME != 0:
		if s.CR4&x86.CR4PAE == 0 || s.Seg[x86.CS].Attr&x86.AttrL != 0 {
			return false
		}
		efer |= x86.EFERLMA
	}
	return m.setPaging(s, v, s.CR3, s.CR4, efer)
}

func (m *emulator) writeCR3(s *x86.State, v uint64) bool {
	if s.LongMode() {
		reserved := ^uint64(0) << m.c.board.policy.PhysAddrBits()
		if s.CR4&x86.CR4PCIDE != 0 {
			reserved &^= x86.CR3NoFlush
		}
		if v&reserved != 0 {
			return false
		}
		v &^= x86.CR3NoFlush
	} else {
		v &= 0xFFFF_FFFF
	}
	return m.setPaging(s, s.CR0, v, s.CR4, s.EFER)
}

func (m *emulator) writeCR4(s *x86.State, v uint64) bool {
	long := s.LongMode()
	changed := v ^ s.CR4
	switch {
	case v&^m.c.board.cr4 != 0:
		return false
	case long && (v&x86.CR4PAE == 0 || changed&x86.CR4LA57 != 0):
		return false
	case changed&v&x86.CR4PCIDE != 0 && (!long || s.CR3&x86.CR3PCIDMask != 0):
		return false
	}
	return m.setPaging(s, s.CR0, s.CR3, v, s.EFER)
}

// setPaging enters new control registers. PAE paging keeps its four top
// entries in the processor, which a write loads (SDM volume 3A, section 4.4.1
// "PDPTE Registers").
func (m *emulator) setPaging(s *x86.State, cr0, cr3, cr4, efer uint64) bool {
	if paePaging(cr0, cr4, efer) {
		pdpte, ok := m.readPDPTEs(cr3)
		if !ok {
			return false
		}
		s.PDPTE = pdpte
	}
	s.CR0, s.CR3, s.CR4, s.EFER = cr0, cr3, cr4, efer
	return true
}

// cr4Features are the bits of CR4 that need a feature of CPUID.
var cr4Features = []struct {
	name string
	bits uint64
}{
	{"vme", x86.CR4VME | x86.CR4PVI},
	{"tsc", x86.CR4TSD},
	{"de", x86.CR4DE},
	{"pse", x86.CR4PSE},
	{"pae", x86.CR4PAE},
	{"mce", x86.CR4MCE},
	{"pge", x86.CR4PGE},
	{"fxsr", x86.CR4OSFXSR},
	{"sse", x86.CR4OSXMMEXCPT},
	{"umip", x86.CR4UMIP},
	{"la57", x86.CR4LA57},
	{"fsgsbase", x86.CR4FSGSBASE},
	{"pcid", x86.CR4PCIDE},
	{"xsave", x86.CR4OSXSAVE},
	{"smep", x86.CR4SMEP},
	{"smap", x86.CR4SMAP},
	{"pku", x86.CR4PKE},
}

// validCR4 is the set of bits that the guest may set in CR4. PCE is harmless:
// RDPMC is refused anyway.
func (b *board) validCR4() uint64 {
	v := uint64(x86.CR4PCE)
	for _, f := range cr4Features {
		if b.policy.Has(f.name) {
			v |= f.bits
		}
	}
	return v
}
