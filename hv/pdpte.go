package hv

import "ringo/x86"

// loadPDPTEs gives every vCPU in PAE paging its top entries from memory, if its
// saved state has none: a processor of AMD reads them in memory each time and
// keeps none, but one of Intel takes them from its registers (SDM volume 3A,
// section 4.4.1 "PDPTE Registers"). Four empty entries are no state to keep,
// because nothing could run with them. The guest's memory is there already;
// a table that is not in it is the guest's own fault, which it takes when it
// runs.
func (b *board) loadPDPTEs() {
	for _, c := range b.cpus {
		s := c.store(x86.GroupCR)
		if !paePaging(s.CR0, s.CR4, s.EFER) || s.PDPTE != [4]uint64{} {
			continue
		}
		if pdpte, ok := c.emul.readPDPTEs(s.CR3); ok {
			s.PDPTE = pdpte
			c.load(x86.GroupCR)
		}
	}
}

// paePaging tells whether the processor keeps four top entries.
func paePaging(cr0, cr4, efer uint64) bool {
	return cr0&x86.CR0PG != 0 && cr4&x86.CR4PAE != 0 && efer&x86.EFERLMA == 0
}

// readPDPTEs reads the four entries to which cr3 points; false if they are not
// in RAM or the processor would refuse them.
func (m *emulator) readPDPTEs(cr3 uint64) (pdpte [4]uint64, ok bool) {
	for i := range pdpte {
		v, ok := m.Load64(cr3&x86.CR3MaskPAE + 8*uint64(i))
		if !ok || v&x86.PTEPresent != 0 && v&pdpteReserved != 0 {
			return pdpte, false
		}
		pdpte[i] = v
	}
	return pdpte, true
}

// pdpteReserved are bits that are 0 in a present entry of the top PAE table.
const pdpteReserved = 0xFFF0_0000_0000_01E6
