package svm

import (
	"fmt"

	"ringo/x86"
)

// limits are what the consistency checks of VMRUN depend on.
type limits struct {
	physBits uint8
	asids    uint32
	longMode bool
}

// Bits that must be zero.
const (
	highHalf = 0xFFFFFFFF_00000000
	// cr4MBZ are the bits of CR4 that no AMD processor defines.
	cr4MBZ = ^uint64(0) &^ (x86.CR4VME | x86.CR4PVI | x86.CR4TSD | x86.CR4DE | x86.CR4PSE | x86.CR4PAE |
		x86.CR4MCE | x86.CR4PGE | x86.CR4PCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4UMIP |
		x86.CR4LA57 | x86.CR4FSGSBASE | x86.CR4PCIDE | x86.CR4OSXSAVE | x86.CR4SMEP | x86.CR4SMAP |
		x86.CR4PKE | x86.CR4CET)
	// eferMBZ is the same for EFER.
	eferMBZ = ^uint64(0) &^ (x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE | x86.EFERSVME |
		x86.EFERLMSLE | x86.EFERFFXSR | x86.EFERTCE | x86.EFERMCOM | x86.EFERINTWB | x86.EFERUAIE | x86.EFERIBRS)
)

// rule is one reason for VMEXIT_INVALID. broken tells whether a VMCB has it;
// show gives the values that it is about.
type rule struct {
	text   string
	broken func(*VMCB, limits) bool
	show   func(*VMCB) string
}

// rules are the illegal guest states in the order of APM volume 2, section
// 15.5.1 "Basic Operation", "Canonicalization and Consistency Checks", then
// those of sections 15.20 "Event Injection" and 15.25.4 "Nested Paging and
// VMRUN/#VMEXIT".
var rules = [...]rule{
	{"EFER.SVME is zero", func(v *VMCB, _ limits) bool { return v.Save.EFER&x86.EFERSVME == 0 }, showEFER},
	{"CR0.CD is zero and CR0.NW is set", func(v *VMCB, _ limits) bool {
		return v.Save.CR0&(x86.CR0CD|x86.CR0NW) == x86.CR0NW
	}, showCR0},
	{"CR0[63:32] are not zero", func(v *VMCB, _ limits) bool { return v.Save.CR0&highHalf != 0 }, showCR0},
	{"an MBZ bit of CR3 is set", func(v *VMCB, l limits) bool { return cr3Broken(&v.Save, l) }, showCR3},
	{"an MBZ bit of CR4 is set", func(v *VMCB, _ limits) bool { return v.Save.CR4&cr4MBZ != 0 }, showCR4},
	{"DR6[63:32] are not zero", func(v *VMCB, _ limits) bool { return v.Save.DR6&highHalf != 0 }, showDR},
	{"DR7[63:32] are not zero", func(v *VMCB, _ limits) bool { return v.Save.DR7&highHalf != 0 }, showDR},
	{"an MBZ bit of EFER is set", func(v *VMCB, _ limits) bool { return v.Save.EFER&eferMBZ != 0 }, showEFER},
	{"EFER.LMA or EFER.LME is set on a processor without long mode", func(v *VMCB, l limits) bool {
		return !l.longMode && v.Save.EFER&(x86.EFERLMA|x86.EFERLME) != 0
	}, showEFER},
	{"EFER.LME and CR0.PG are set and CR4.PAE is zero", func(v *VMCB, _ limits) bool {
		return longPaging(&v.Save) && v.Save.CR4&x86.CR4PAE == 0
	}, showMode},
	{"EFER.LME and CR0.PG are set and CR0.PE is zero", func(v *VMCB, _ limits) bool {
		return longPaging(&v.Save) && v.Save.CR0&x86.CR0PE == 0
	}, showMode},
	{"EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all set", func(v *VMCB, _ limits) bool {
		return longPaging(&v.Save) && v.Save.CR4&x86.CR4PAE != 0 &&
			v.Save.CS.Attrib&(attribL|attribDB) == attribL|attribDB
	}, showMode},
	{"the VMRUN intercept bit is clear", func(v *VMCB, _ limits) bool {
		return v.Control.InterceptMisc2&InterceptVMRUN == 0
	}, showControl},
	{"the IOPM or the MSRPM reaches beyond the maximum physical address", func(v *VMCB, l limits) bool {
		return beyond(v.Control.IOPMBasePA+IOPMSize, l) || beyond(v.Control.MSRPMBasePA+MSRPMSize, l)
	}, showControl},
	{"the event injection is illegal", func(v *VMCB, _ limits) bool { return illegalEvent(v.Control.EventInj) }, showEvent},
	{"ASID is zero or beyond what the processor has", func(v *VMCB, l limits) bool {
		return v.Control.GuestASID == 0 || v.Control.GuestASID >= l.asids
	}, showControl},
	{"CR4.CET is set and CR0.WP is zero", func(v *VMCB, _ limits) bool {
		return v.Save.CR4&x86.CR4CET != 0 && v.Save.CR0&x86.CR0WP == 0
	}, showMode},
	{"N_CR3 has a bit beyond the maximum physical address", func(v *VMCB, l limits) bool {
		return beyond(v.Control.NCR3, l)
	}, showControl},
	{"G_PAT has an illegal memory type", func(v *VMCB, _ limits) bool { return illegalPAT(v.Save.GPAT) }, showPAT},
}

func longPaging(s *SaveArea) bool { return s.EFER&x86.EFERLME != 0 && s.CR0&x86.CR0PG != 0 }

// beyond tells whether an address is past the physical address space.
func beyond(a uint64, l limits) bool { return l.physBits < 64 && a>>l.physBits != 0 }

// cr3Broken checks CR3 in long mode, where alone it has 64 bits.
func cr3Broken(s *SaveArea, l limits) bool {
	return s.EFER&x86.EFERLMA != 0 && s.CR0&x86.CR0PG != 0 && beyond(s.CR3, l)
}

// illegalEvent checks EVENTINJ: a reserved type, an exception vector above 31,
// NMI's vector as an exception.
func illegalEvent(e uint64) bool {
	if e&EventV == 0 {
		return false
	}
	switch eventType(e) {
	case EventTypeINTR, EventTypeNMI, EventTypeSoft:
		return false
	case EventTypeExcept:
		return eventVector(e) >= x86.NumExceptions || eventVector(e) == x86.VectorNMI
	}
	return true
}

// illegalPAT checks each of the eight memory types.
func illegalPAT(pat uint64) bool {
	for range 8 {
		if t := pat & 0xFF; t > 7 || t == 2 || t == 3 {
			return true
		}
		pat >>= 8
	}
	return false
}

// broken lists the rules that a VMCB breaks, with the values.
func (l limits) broken(v *VMCB) []string {
	var out []string
	for _, r := range rules {
		if r.broken(v, l) {
			out = append(out, r.text+" ("+r.show(v)+")")
		}
	}
	return out
}

// explain says why VMRUN refused a VMCB.
func (l limits) explain(v *VMCB) string {
	b := l.broken(v)
	if len(b) == 0 {
		return "VMEXIT_INVALID, but no rule of APM volume 2, section 15.5.1 is broken: " + showMode(v)
	}
	text := b[0]
	for _, s := range b[1:] {
		text += "; " + s
	}
	return text
}

func showEFER(v *VMCB) string { return fmt.Sprintf("EFER %#x", v.Save.EFER) }
func showCR0(v *VMCB) string  { return fmt.Sprintf("CR0 %#x", v.Save.CR0) }
func showCR3(v *VMCB) string  { return fmt.Sprintf("CR3 %#x", v.Save.CR3) }
func showCR4(v *VMCB) string  { return fmt.Sprintf("CR4 %#x", v.Save.CR4) }
func showPAT(v *VMCB) string  { return fmt.Sprintf("G_PAT %#x", v.Save.GPAT) }
func showDR(v *VMCB) string   { return fmt.Sprintf("DR6 %#x, DR7 %#x", v.Save.DR6, v.Save.DR7) }

func showEvent(v *VMCB) string { return fmt.Sprintf("EVENTINJ %#x", v.Control.EventInj) }

func showMode(v *VMCB) string {
	return fmt.Sprintf("CR0 %#x, CR4 %#x, EFER %#x, CS attributes %#x", v.Save.CR0, v.Save.CR4, v.Save.EFER, v.Save.CS.Attrib)
}

func showControl(v *VMCB) string {
	c := &v.Control
	return fmt.Sprintf("intercepts %#x, IOPM %#x, MSRPM %#x, N_CR3 %#x, ASID %d",
		c.InterceptMisc2, c.IOPMBasePA, c.MSRPMBasePA, c.NCR3, c.GuestASID)
}
