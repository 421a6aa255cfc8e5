package vmx

import (
	"encoding/binary"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// Bits of CR0 and CR4 that belong to the guest: it changes them without an
// exit. The others are the host's; the guest reads them from the shadow.
//
// PE, PG, CD and NW change what this backend has to set up, and NE is 1
// always. CR4's are those that only mean something to the guest itself: VMXE
// and MCE are 1 always, OSXSAVE and PKE are shown in CPUID, and what CPUID does
// not offer is refused by the owner.
const (
	guestCR0 = x86.CR0MP | x86.CR0EM | x86.CR0TS | x86.CR0WP | x86.CR0AM
	guestCR4 = x86.CR4PVI | x86.CR4TSD | x86.CR4DE | x86.CR4PCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4PGE

	alwaysCR0 = x86.CR0NE | x86.CR0ET
	alwaysCR4 = x86.CR4VMXE | x86.CR4MCE

	// cachingCR0 are bits that VM entry does not load.
	cachingCR0 = x86.CR0CD | x86.CR0NW
)

// transfer moves one register group; parts are those of the VMCS that it is
// made of.
type transfer struct {
	group       x86.Groups
	parts       uint32
	load, store func(*vcpuMem, *x86.State)
}

// transfers are in the order of x86.Groups.
var transfers = [...]transfer{
	{x86.GroupGPR, 0, loadGPR, storeGPR},
	{x86.GroupIP, 0, loadIP, storeIP},
	{x86.GroupCR, partCR | partPDPTE | partMode, loadCR, storeCR},
	{x86.GroupDR, partDebug, loadDebug, storeDebug},
	{x86.GroupSeg, partAR | partSeg, loadSeg, storeSeg},
	{x86.GroupTable, partTable, loadTable, storeTable},
	{x86.GroupSyscall, 0, loadSyscall, storeSyscall},
	{x86.GroupSysenter, partSysenter, loadSysenter, storeSysenter},
	{x86.GroupMSR, partPAT, loadMSR, storeMSR},
	{x86.GroupTSC, 0, loadTSC, storeTSC},
	{x86.GroupFPU, 0, loadXSAVE, storeXSAVE},
	{x86.GroupInterrupt, partInterrupt, loadInterrupt, storeInterrupt},
}

// Load puts the register groups g of s into the vCPU. GroupInterrupt drops the
// events that wait for delivery; an owner who wants them injects them again.
func (v *VCPU) Load(g x86.Groups, s *x86.State) error {
	if v.c == nil {
		return vcpu.ErrClosed
	}
	v.c.busy, v.c.statusDue = 1, statusAll // who loads registers loads an APIC too
	for _, x := range transfers {
		if g&x.group != 0 {
			x.load(v.c, s)
			v.c.changed(x.parts)
		}
	}
	return nil
}

// Store reads the register groups g of the vCPU into s.
func (v *VCPU) Store(g x86.Groups, s *x86.State) error {
	if v.c == nil {
		return vcpu.ErrClosed
	}
	var parts uint32
	for _, x := range transfers {
		if g&x.group != 0 {
			parts |= x.parts
		}
	}
	if err := v.need(parts); err != nil {
		return err
	}
	for _, x := range transfers {
		if g&x.group != 0 {
			x.store(v.c, s)
		}
	}
	return nil
}

func loadGPR(c *vcpuMem, s *x86.State)  { c.area.GPR = s.GPR }
func storeGPR(c *vcpuMem, s *x86.State) { s.GPR = c.area.GPR }

func loadIP(c *vcpuMem, s *x86.State) {
	c.area.RIP = s.RIP
	c.area.RFLAGS = s.RFLAGS&x86.FlagsValid | x86.FlagReserved1
}

func storeIP(c *vcpuMem, s *x86.State) { s.RIP, s.RFLAGS = c.area.RIP, c.area.RFLAGS }

// loadCR also drops the guest's own translations: VM entry keeps those of a
// VPID.
func loadCR(c *vcpuMem, s *x86.State) {
	c.regs[regCR0] = s.CR0&^cachingCR0 | alwaysCR0
	c.regs[regCR0Shadow] = s.CR0
	c.regs[regCR3] = s.CR3
	c.regs[regCR4] = s.CR4 | alwaysCR4
	c.regs[regCR4Shadow] = s.CR4
	for i, v := range s.PDPTE {
		c.regs[regPDPTE0+i] = v
	}
	c.regs[regEFER] = s.EFER
	c.regs[regEntryControls] = uint64(c.controls.entry)
	if s.EFER&x86.EFERLMA != 0 {
		c.regs[regEntryControls] |= EntryIA32eGuest
	}
	c.cr2, c.cr2Live = s.CR2, 0
	if tpr := uint8(*c.area.APIC.Reg(vcpu.APICTPR)); uint64(tpr>>x86.CR8TPRShift) != s.CR8&x86.CR8Valid {
		apic.SetTPR(&c.area, uint8(s.CR8&x86.CR8Valid)<<x86.CR8TPRShift)
	}
	c.flushTLB()
}

// cr0 and cr4 are what the guest reads.
func (c *vcpuMem) cr0() uint64 {
	return c.regs[regCR0]&guestCR0 | c.regs[regCR0Shadow]&^uint64(guestCR0)
}
func (c *vcpuMem) cr4() uint64 {
	return c.regs[regCR4]&guestCR4 | c.regs[regCR4Shadow]&^uint64(guestCR4)
}

func storeCR(c *vcpuMem, s *x86.State) {
	s.CR0, s.CR2, s.CR3, s.CR4 = c.cr0(), c.cr2, c.regs[regCR3], c.cr4()
	s.EFER = c.regs[regEFER]
	s.CR8 = uint64(uint8(*c.area.APIC.Reg(vcpu.APICTPR)) >> x86.CR8TPRShift)
	copy(s.PDPTE[:], c.regs[regPDPTE0:])
}

// drMask keeps the bits of DR6 and DR7 that a processor takes.
const drMask = 0xFFFF_FFFF

func loadDebug(c *vcpuMem, s *x86.State) {
	copy(c.dr[:], s.DR[:])
	c.dr[4] = s.DR6 & drMask
	c.regs[regDR7], c.regs[regDebugCtl] = s.DR7&drMask, s.DebugCtl
}

func storeDebug(c *vcpuMem, s *x86.State) {
	copy(s.DR[:], c.dr[:])
	s.DR6, s.DR7, s.DebugCtl = c.dr[4], c.regs[regDR7], c.regs[regDebugCtl]
}

// loadSeg makes the privilege level that of SS, which is where VT-x has it.
func loadSeg(c *vcpuMem, s *x86.State) {
	for i := range s.Seg {
		c.setSegment(i, &s.Seg[i])
	}
	ar := &c.regs[regAR+x86.SS]
	*ar = *ar&^x86.AttrDPLMask | uint64(s.CPL&3)<<x86.AttrDPLShift
}

func storeSeg(c *vcpuMem, s *x86.State) {
	for i := range s.Seg {
		s.Seg[i] = c.segment(i)
	}
	s.CPL = c.cpl()
}

func loadTable(c *vcpuMem, s *x86.State) {
	c.regs[regGDTRLimit], c.regs[regGDTRBase] = uint64(s.GDTR.Limit), s.GDTR.Base
	c.regs[regIDTRLimit], c.regs[regIDTRBase] = uint64(s.IDTR.Limit), s.IDTR.Base
}

func storeTable(c *vcpuMem, s *x86.State) {
	s.GDTR = x86.Table{Limit: uint16(c.regs[regGDTRLimit]), Base: c.regs[regGDTRBase]}
	s.IDTR = x86.Table{Limit: uint16(c.regs[regIDTRLimit]), Base: c.regs[regIDTRBase]}
}

// loadSyscall makes canonical what WRMSR would refuse: the loop loads these
// into the CPU.
func loadSyscall(c *vcpuMem, s *x86.State) {
	c.syscall = syscallMSRs{s.STAR, makeCanonical(s.LSTAR), makeCanonical(s.CSTAR), s.SFMASK & 0xFFFF_FFFF}
	c.kernelGS = makeCanonical(s.KernelGSBase)
}

func makeCanonical(v uint64) uint64 { return uint64(int64(v<<16) >> 16) }

func storeSyscall(c *vcpuMem, s *x86.State) {
	m := &c.syscall
	s.STAR, s.LSTAR, s.CSTAR, s.SFMASK = m.star, m.lstar, m.cstar, m.sfmask
	s.KernelGSBase = c.kernelGS
}

func loadSysenter(c *vcpuMem, s *x86.State) {
	c.regs[regSysenterCS], c.regs[regSysenterESP], c.regs[regSysenterEIP] = s.SysenterCS, s.SysenterESP, s.SysenterEIP
}

func storeSysenter(c *vcpuMem, s *x86.State) {
	s.SysenterCS, s.SysenterESP, s.SysenterEIP = c.regs[regSysenterCS], c.regs[regSysenterESP], c.regs[regSysenterEIP]
}

func loadMSR(c *vcpuMem, s *x86.State) {
	c.regs[regPAT], c.specCtrl = s.PAT, s.SpecCtrl
	c.tscAux = s.TSCAux & 0xFFFF_FFFF
}

func storeMSR(c *vcpuMem, s *x86.State) {
	s.PAT, s.SpecCtrl, s.TSCAux = c.regs[regPAT], c.specCtrl, c.tscAux
}

func loadTSC(c *vcpuMem, s *x86.State) {
	now := reg.ReadTSC()
	c.area.SetGuestTSC(s.TSC, now)
	apic.OffsetChanged(&c.area, now)
}

func storeTSC(c *vcpuMem, s *x86.State) { s.TSC = c.area.GuestTSC(reg.ReadTSC()) }

// setXCR0 takes a value that XSETBV would take, and else that after RESET.
func (c *vcpuMem) setXCR0(v uint64) {
	c.xcr0 = v & c.saveMask
	if !x86.ValidXCR0(c.xcr0, c.saveMask) {
		c.xcr0 = x86.XCR0X87
	}
}

// loadXSAVE takes only what XRSTOR accepts: components that the host has
// enabled, the standard format, and no reserved bit in the header or MXCSR.
func loadXSAVE(c *vcpuMem, s *x86.State) {
	c.setXCR0(s.XCR0)
	c.xss = s.XSS
	c.xsave = s.XSAVE
	p := &c.xsave
	bv := binary.LittleEndian.Uint64(p[xsaveHeader:])
	clear(p[xsaveHeader:xsaveHeaderEnd])
	binary.LittleEndian.PutUint64(p[xsaveHeader:], bv&c.saveMask)
	mxcsr := binary.LittleEndian.Uint32(p[xsaveMXCSR:])
	binary.LittleEndian.PutUint32(p[xsaveMXCSR:], mxcsr&mxcsrMask)
	if bv&x86.XCR0SSE == 0 {
		clear(p[xsaveXMM:xsaveXMMEnd]) // the entry stub loads these
	}
}

// mxcsrMask are the bits of MXCSR that every 64-bit processor has.
const mxcsrMask = 0xFFFF

func storeXSAVE(c *vcpuMem, s *x86.State) {
	s.XCR0, s.XSS = c.xcr0, c.xss
	s.XSAVE = c.xsave
}

func loadInterrupt(c *vcpuMem, s *x86.State) {
	i, bits := &s.Interrupt, uint64(0)
	switch {
	case i.MovSSShadow: // never both
		bits = BlockingMovSS
	case i.STIShadow:
		bits = BlockingSTI
	}
	if i.NMIBlocked {
		bits |= BlockingNMI
	}
	c.regs[regInterruptibility], c.regs[regPendingDebug] = bits, 0
	c.stepped = 0
	c.event, c.eventHasCR2, c.tripleFault, c.nmi = 0, 0, 0, 0
	c.want(PrimaryNMIWindowExiting, false)
	c.area.Activity = uint32(s.Activity)
}

func storeInterrupt(c *vcpuMem, s *x86.State) {
	bits := c.regs[regInterruptibility]
	s.Interrupt = x86.Interruptibility{
		STIShadow:   bits&BlockingSTI != 0,
		MovSSShadow: bits&BlockingMovSS != 0,
		NMIBlocked:  bits&BlockingNMI != 0,
	}
	s.Activity = x86.Activity(c.area.Activity)
}
