package vmx

import (
	"fmt"

	"ringo/x86"
)

// limits are what the checks of VM entry depend on.
type limits struct {
	physBits             uint8
	cr0Fixed0, cr0Fixed1 uint64
	cr4Fixed0, cr4Fixed1 uint64
}

// limits are the processor's bounds.
func (b *Backend) limits() limits {
	p := &b.cpu
	return limits{p.physBits, p.cr0Fixed0, p.cr0Fixed1, p.cr4Fixed0, p.cr4Fixed1}
}

// rule is one check of VM entry. broken tells whether a guest fails it; show
// gives the values that it is about.
type rule struct {
	text   string
	broken func(*vcpuMem, limits) bool
	show   func(*vcpuMem) string
}

const (
	highHalf = 0xFFFFFFFF_00000000
	// unrestrictedCR0 are the fixed bits that an unrestricted guest may clear.
	unrestrictedCR0 = x86.CR0PE | x86.CR0PG
	// eferMBZ are the bits of EFER that no Intel processor defines.
	eferMBZ = ^uint64(0) &^ (x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE)
)

// rules are the checks of SDM volume 3C, sections 27.3.1.1 "Checks on Guest
// Control Registers, Debug Registers, and MSRs" to 27.3.1.5 "Checks on Guest
// Non-Register State", in the manual's order, for what this backend sets.
var rules = [...]rule{
	{"a fixed bit of CR0 has the wrong value", func(c *vcpuMem, l limits) bool {
		cr0, want := c.regs[regCR0], l.cr0Fixed0&^unrestrictedCR0
		return cr0&want != want || cr0&^l.cr0Fixed1&^cachingCR0 != 0
	}, showMode},
	{"CR0.PG is set and CR0.PE is zero", func(c *vcpuMem, _ limits) bool {
		return c.regs[regCR0]&(x86.CR0PG|x86.CR0PE) == x86.CR0PG
	}, showMode},
	{"a fixed bit of CR4 has the wrong value", func(c *vcpuMem, l limits) bool {
		return c.regs[regCR4]&l.cr4Fixed0 != l.cr4Fixed0 || c.regs[regCR4]&^l.cr4Fixed1 != 0
	}, showMode},
	{"a bit of DEBUGCTL is reserved", func(c *vcpuMem, _ limits) bool {
		return c.regs[regDebugCtl]&^debugCtlValid != 0
	}, showDebug},
	{"64-bit mode without CR0.PG or CR4.PAE", func(c *vcpuMem, _ limits) bool {
		return c.long() && (c.regs[regCR0]&x86.CR0PG == 0 || c.regs[regCR4]&x86.CR4PAE == 0)
	}, showMode},
	{"CR4.PCIDE is set outside of 64-bit mode", func(c *vcpuMem, _ limits) bool {
		return !c.long() && c.regs[regCR4]&x86.CR4PCIDE != 0
	}, showMode},
	{"CR3 has a bit beyond the maximum physical address", func(c *vcpuMem, l limits) bool {
		return c.regs[regCR3]>>l.physBits != 0
	}, showMode},
	{"DR7[63:32] are not zero", func(c *vcpuMem, _ limits) bool { return c.regs[regDR7]&highHalf != 0 }, showDebug},
	{"SYSENTER_ESP or SYSENTER_EIP is not canonical", func(c *vcpuMem, _ limits) bool {
		return !canonical(c.regs[regSysenterESP]) || !canonical(c.regs[regSysenterEIP])
	}, showSysenter},
	{"PAT has an illegal memory type", func(c *vcpuMem, _ limits) bool { return illegalPAT(c.regs[regPAT]) }, showPAT},
	{"EFER has a reserved bit", func(c *vcpuMem, _ limits) bool { return c.regs[regEFER]&eferMBZ != 0 }, showMode},
	{"EFER.LMA and EFER.LME differ while CR0.PG is set", func(c *vcpuMem, _ limits) bool {
		e := c.regs[regEFER]
		return c.regs[regCR0]&x86.CR0PG != 0 && (e&x86.EFERLMA != 0) != (e&x86.EFERLME != 0)
	}, showMode},
	{"CS has a type or privilege that does not fit", func(c *vcpuMem, _ limits) bool { return c.badCS() }, showSegments},
	{"CS.L and CS.D are both set in 64-bit mode", func(c *vcpuMem, _ limits) bool {
		return c.long() && c.regs[regAR+x86.CS]&(x86.AttrL|x86.AttrDB) == x86.AttrL|x86.AttrDB
	}, showSegments},
	{"a segment does not fit virtual-8086 mode", func(c *vcpuMem, _ limits) bool { return c.badVirtual8086() }, showSegments},
	{"SS or a data segment has a type that does not fit", func(c *vcpuMem, _ limits) bool { return c.badData() }, showSegments},
	{"TR is not a busy TSS", func(c *vcpuMem, _ limits) bool { return c.badTR() }, showSegments},
	{"LDTR is not an LDT", func(c *vcpuMem, _ limits) bool { return c.badLDTR() }, showSegments},
	{"the base of GDTR or IDTR is not canonical", func(c *vcpuMem, _ limits) bool {
		return !canonical(c.regs[regGDTRBase]) || !canonical(c.regs[regIDTRBase])
	}, showTables},
	{"RIP[63:32] are not zero outside of 64-bit code", func(c *vcpuMem, _ limits) bool {
		return !(c.long() && c.regs[regAR+x86.CS]&x86.AttrL != 0) && c.regs[regRIP]&highHalf != 0
	}, showIP},
	{"RIP is not canonical", func(c *vcpuMem, _ limits) bool { return !canonical(c.regs[regRIP]) }, showIP},
	{"a bit of RFLAGS is reserved, or bit 1 is zero", func(c *vcpuMem, _ limits) bool {
		return c.regs[regRFLAGS]&^x86.FlagsValid != 0 || c.regs[regRFLAGS]&x86.FlagReserved1 == 0
	}, showIP},
	{"RFLAGS.VM is set in 64-bit mode or with CR0.PE zero", func(c *vcpuMem, _ limits) bool {
		return c.regs[regRFLAGS]&x86.FlagVM != 0 && (c.long() || c.regs[regCR0]&x86.CR0PE == 0)
	}, showIP},
	{"the interruptibility state is illegal", func(c *vcpuMem, _ limits) bool { return c.badShadow() }, showIP},
}

// debugCtlValid are the bits of DEBUGCTL that VM entry takes everywhere.
const debugCtlValid = 0xDFC3

func (c *vcpuMem) long() bool { return c.regs[regEntryControls]&EntryIA32eGuest != 0 }

func (c *vcpuMem) v8086() bool { return c.regs[regRFLAGS]&x86.FlagVM != 0 }

// usable tells whether segment i is in use.
func (c *vcpuMem) usable(i int) bool { return c.regs[regAR+i]&x86.AttrUnusable == 0 }

func (c *vcpuMem) badCS() bool {
	if c.v8086() {
		return false
	}
	ar := c.regs[regAR+x86.CS]
	kind, dpl, cpl := ar&x86.AttrTypeMask, ar&x86.AttrDPLMask>>x86.AttrDPLShift, uint64(c.cpl())
	if ar&(x86.AttrS|x86.AttrP|x86.AttrUnusable) != x86.AttrS|x86.AttrP {
		return true
	}
	switch kind {
	case x86.TypeWritable | x86.TypeAccessed:
		return dpl != 0
	case 9, 11:
		return dpl != cpl
	case 13, 15:
		return dpl > cpl
	}
	return true
}

func (c *vcpuMem) badVirtual8086() bool {
	if !c.v8086() {
		return false
	}
	for i := x86.ES; i <= x86.GS; i++ {
		if c.regs[regAR+i] != 0xF3 || c.regs[regLimit+i] != 0xFFFF || c.regs[regBase+i] != c.regs[regSelector+i]<<4 {
			return true
		}
	}
	return false
}

func (c *vcpuMem) badData() bool {
	if c.v8086() {
		return false
	}
	if ss := c.regs[regAR+x86.SS]; c.usable(x86.SS) && ss&0xF != 3 && ss&0xF != 7 {
		return true
	}
	for i := x86.ES; i <= x86.GS; i++ {
		ar, limit := c.regs[regAR+i], c.regs[regLimit+i]
		switch {
		case i == x86.CS || !c.usable(i):
		case ar&(x86.AttrS|x86.AttrP|x86.TypeAccessed) != x86.AttrS|x86.AttrP|x86.TypeAccessed,
			ar&(x86.TypeCode|x86.TypeReadable) == x86.TypeCode,
			ar&x86.AttrG == 0 && limit > granular, ar&x86.AttrG != 0 && limit&0xFFF != 0xFFF:
			return true
		}
	}
	return false
}

func (c *vcpuMem) badTR() bool {
	kind := c.regs[regAR+x86.TR] & (x86.AttrTypeMask | x86.AttrS | x86.AttrP | x86.AttrUnusable)
	return kind != x86.AttrP|x86.TypeTSSBusy && (c.long() || kind != x86.AttrP|x86.TypeTSS16Busy) ||
		c.regs[regSelector+x86.TR]&x86.SelectorTI != 0 || !canonical(c.regs[regBase+x86.TR])
}

func (c *vcpuMem) badLDTR() bool {
	kind := c.regs[regAR+x86.LDTR] & (x86.AttrTypeMask | x86.AttrS | x86.AttrP)
	return c.usable(x86.LDTR) && (kind != x86.AttrP|x86.TypeLDT ||
		c.regs[regSelector+x86.LDTR]&x86.SelectorTI != 0 || !canonical(c.regs[regBase+x86.LDTR]))
}

func (c *vcpuMem) badShadow() bool {
	bits := c.regs[regInterruptibility]
	return bits&shadowBits == shadowBits || bits&^(shadowBits|BlockingNMI) != 0 ||
		bits&BlockingSTI != 0 && c.regs[regRFLAGS]&x86.FlagIF == 0
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

// explain says why VM entry refused a guest.
func (l limits) explain(c *vcpuMem) string {
	what := "VM-entry failure: " + ExitReason(c.exitReason).String()
	if c.reason == reasonFailed {
		what = InstructionError(c.exit.instructionError).String()
	}
	var found string
	for _, r := range rules {
		if r.broken(c, l) {
			found += "; " + r.text + " (" + r.show(c) + ")"
		}
	}
	if found == "" {
		found = "; no check of SDM volume 3C, section 27.3.1 fails: " + showMode(c) + ", " + showIP(c) + ", " + showSegments(c)
	}
	return what + found
}

func showMode(c *vcpuMem) string {
	return fmt.Sprintf("CR0 %#x, CR3 %#x, CR4 %#x, EFER %#x", c.regs[regCR0], c.regs[regCR3], c.regs[regCR4], c.regs[regEFER])
}

func showDebug(c *vcpuMem) string {
	return fmt.Sprintf("DR7 %#x, DEBUGCTL %#x", c.regs[regDR7], c.regs[regDebugCtl])
}

func showSysenter(c *vcpuMem) string {
	return fmt.Sprintf("SYSENTER_ESP %#x, SYSENTER_EIP %#x", c.regs[regSysenterESP], c.regs[regSysenterEIP])
}

func showPAT(c *vcpuMem) string { return fmt.Sprintf("PAT %#x", c.regs[regPAT]) }

func showTables(c *vcpuMem) string {
	return fmt.Sprintf("GDTR %#x, IDTR %#x", c.regs[regGDTRBase], c.regs[regIDTRBase])
}

func showIP(c *vcpuMem) string {
	return fmt.Sprintf("RIP %#x, RFLAGS %#x, interruptibility %#x, event %#x",
		c.regs[regRIP], c.regs[regRFLAGS], c.regs[regInterruptibility], c.event)
}

func showSegments(c *vcpuMem) string {
	var s string
	for i, name := range [...]string{"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"} {
		s += fmt.Sprintf("%s %#x:%#x+%#x/%#x ", name, c.regs[regSelector+i], c.regs[regBase+i], c.regs[regLimit+i], c.regs[regAR+i])
	}
	return s[:len(s)-1]
}
