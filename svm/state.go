package svm

import (
	"encoding/binary"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// Load puts the register groups g of s into the vCPU. GroupInterrupt drops the
// events that wait for delivery; an owner who wants them injects them again.
func (v *VCPU) Load(g x86.Groups, s *x86.State) error {
	if v.c == nil {
		return vcpu.ErrClosed
	}
	v.c.busy = 1
	for _, x := range transfers {
		if g&x.group != 0 {
			x.load(v.c, s)
		}
	}
	return nil
}

// Store reads the register groups g of the vCPU into s. Under nested paging
// the processor reads the PDPTEs from memory each time it needs them, so
// State.PDPTE stays as it is.
func (v *VCPU) Store(g x86.Groups, s *x86.State) error {
	if v.c == nil {
		return vcpu.ErrClosed
	}
	for _, x := range transfers {
		if g&x.group != 0 {
			x.store(v.c, s)
		}
	}
	return nil
}

// transfer moves one register group.
type transfer struct {
	group       x86.Groups
	load, store func(*vcpuMem, *x86.State)
}

// transfers are in the order of x86.Groups.
var transfers = [...]transfer{
	{x86.GroupGPR, loadGPR, storeGPR},
	{x86.GroupIP, loadIP, storeIP},
	{x86.GroupCR, loadCR, storeCR},
	{x86.GroupDR, loadDebug, storeDebug},
	{x86.GroupSeg, loadSeg, storeSeg},
	{x86.GroupTable, loadTable, storeTable},
	{x86.GroupSyscall, loadSyscall, storeSyscall},
	{x86.GroupSysenter, loadSysenter, storeSysenter},
	{x86.GroupMSR, loadMSR, storeMSR},
	{x86.GroupTSC, loadTSC, storeTSC},
	{x86.GroupFPU, loadXSAVE, storeXSAVE},
	{x86.GroupInterrupt, loadInterrupt, storeInterrupt},
}

func loadGPR(c *vcpuMem, s *x86.State)  { c.area.GPR = s.GPR }
func storeGPR(c *vcpuMem, s *x86.State) { s.GPR = c.area.GPR }

func loadIP(c *vcpuMem, s *x86.State) {
	c.area.RIP = s.RIP
	c.area.RFLAGS = s.RFLAGS&x86.FlagsValid | x86.FlagReserved1
}

func storeIP(c *vcpuMem, s *x86.State) { s.RIP, s.RFLAGS = c.area.RIP, c.area.RFLAGS }

// loadCR sets EFER.SVME beside the guest's bits: VMRUN wants it, and guests
// never see it.
func loadCR(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	save.CR0, save.CR2, save.CR3, save.CR4 = s.CR0, s.CR2, s.CR3, s.CR4
	save.EFER = s.EFER | x86.EFERSVME
	if tpr := uint8(*c.area.APIC.Reg(vcpu.APICTPR)); uint64(tpr>>x86.CR8TPRShift) != s.CR8&x86.CR8Valid {
		apic.SetTPR(&c.area, uint8(s.CR8&x86.CR8Valid)<<x86.CR8TPRShift)
	}
	c.vmcb.Control.dirty(CleanCRx | CleanCR2)
}

func storeCR(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	s.CR0, s.CR2, s.CR3, s.CR4 = save.CR0, save.CR2, save.CR3, save.CR4
	s.EFER = save.EFER &^ x86.EFERSVME
	s.CR8 = uint64(uint8(*c.area.APIC.Reg(vcpu.APICTPR)) >> x86.CR8TPRShift)
}

func loadDebug(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	c.dr, save.DR6, save.DR7, save.DBGCTL = s.DR, s.DR6, s.DR7, s.DebugCtl
	c.vmcb.Control.dirty(CleanDRx | CleanLBR)
}

func storeDebug(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	s.DR, s.DR6, s.DR7, s.DebugCtl = c.dr, save.DR6, save.DR7, save.DBGCTL
}

func loadSeg(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	for i := range s.Seg {
		*save.segment(i) = toVMCB(&s.Seg[i])
	}
	save.CPL = s.CPL & 3
	c.vmcb.Control.dirty(CleanSEG)
}

func storeSeg(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	for i := range s.Seg {
		s.Seg[i] = fromVMCB(save.segment(i), i)
	}
	s.CPL = save.CPL
}

func loadTable(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	save.GDTR.Limit, save.GDTR.Base = uint32(s.GDTR.Limit), s.GDTR.Base
	save.IDTR.Limit, save.IDTR.Base = uint32(s.IDTR.Limit), s.IDTR.Base
	c.vmcb.Control.dirty(CleanDT)
}

func storeTable(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	s.GDTR = x86.Table{Limit: uint16(save.GDTR.Limit), Base: save.GDTR.Base}
	s.IDTR = x86.Table{Limit: uint16(save.IDTR.Limit), Base: save.IDTR.Base}
}

func loadSyscall(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	save.STAR, save.LSTAR, save.CSTAR, save.SFMASK = s.STAR, s.LSTAR, s.CSTAR, s.SFMASK
	save.KernelGSBase = s.KernelGSBase
}

func storeSyscall(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	s.STAR, s.LSTAR, s.CSTAR, s.SFMASK = save.STAR, save.LSTAR, save.CSTAR, save.SFMASK
	s.KernelGSBase = save.KernelGSBase
}

func loadSysenter(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	save.SysenterCS, save.SysenterESP, save.SysenterEIP = s.SysenterCS, s.SysenterESP, s.SysenterEIP
	c.sysenterESP, c.sysenterEIP = s.SysenterESP, s.SysenterEIP
}

func storeSysenter(c *vcpuMem, s *x86.State) {
	save := &c.vmcb.Save
	s.SysenterCS, s.SysenterESP, s.SysenterEIP = save.SysenterCS, save.SysenterESP, save.SysenterEIP
	if c.foreign != 0 {
		s.SysenterESP, s.SysenterEIP = c.sysenterESP, c.sysenterEIP
	}
}

func loadMSR(c *vcpuMem, s *x86.State) {
	c.vmcb.Save.GPAT, c.vmcb.Save.SpecCtrl = s.PAT, s.SpecCtrl
	c.tscAux = s.TSCAux
	c.vmcb.Control.dirty(CleanNP)
}

func storeMSR(c *vcpuMem, s *x86.State) {
	s.PAT, s.SpecCtrl, s.TSCAux = c.vmcb.Save.GPAT, c.vmcb.Save.SpecCtrl, c.tscAux
}

func loadTSC(c *vcpuMem, s *x86.State) {
	now := reg.ReadTSC()
	c.area.SetGuestTSC(s.TSC, now)
	apic.OffsetChanged(&c.area, now)
}

func storeTSC(c *vcpuMem, s *x86.State) { s.TSC = c.area.GuestTSC(reg.ReadTSC()) }

// loadXSAVE takes only what XRSTOR accepts: components that the host has
// enabled, the standard format, and no reserved bit in the header or MXCSR.
func loadXSAVE(c *vcpuMem, s *x86.State) {
	c.xcr0, c.xss = s.XCR0, s.XSS
	if c.saveMask != 0 {
		c.xcr0 &= c.saveMask
	}
	c.xcr0 |= x86.XCR0X87
	c.xsave = s.XSAVE
	p := &c.xsave
	bv := binary.LittleEndian.Uint64(p[xsaveHeader:])
	clear(p[xsaveHeader:xsaveHeaderEnd])
	binary.LittleEndian.PutUint64(p[xsaveHeader:], bv&c.saveMask)
	mxcsr := binary.LittleEndian.Uint32(p[xsaveMXCSR:])
	binary.LittleEndian.PutUint32(p[xsaveMXCSR:], mxcsr&mxcsrMask)
	if c.saveMask != 0 && bv&x86.XCR0SSE == 0 {
		clear(p[xsaveXMM:xsaveXMMEnd]) // the entry stub loads these
	}
}

func storeXSAVE(c *vcpuMem, s *x86.State) {
	s.XCR0, s.XSS = c.xcr0, c.xss
	s.XSAVE = c.xsave
	if c.saveMask == 0 {
		binary.LittleEndian.PutUint64(s.XSAVE[xsaveHeader:], x86.XCR0X87|x86.XCR0SSE)
	}
}

// mxcsrMask are the bits of MXCSR that every 64-bit processor has.
const mxcsrMask = 0xFFFF

func loadInterrupt(c *vcpuMem, s *x86.State) {
	ctl, i := &c.vmcb.Control, &s.Interrupt
	ctl.InterruptShadow &^= ShadowActive
	if i.STIShadow || i.MovSSShadow {
		ctl.InterruptShadow |= ShadowActive
	}
	c.event, c.eventSoft, c.eventHasCR2, c.tripleFault = 0, 0, 0, 0
	c.nmi = nmiState{}
	if i.NMIBlocked {
		c.nmi.blocked = 1
	}
	c.interceptIRET(i.NMIBlocked)
	c.area.Activity = uint32(s.Activity)
}

// storeInterrupt cannot tell the two shadows apart, as the VMCB does not; STI
// is the weaker one, so both are reported as MOV SS, which defers more.
func storeInterrupt(c *vcpuMem, s *x86.State) {
	s.Interrupt = x86.Interruptibility{
		MovSSShadow: c.shadow(),
		NMIBlocked:  c.nmi.masked(c.area.RIP),
	}
	s.Activity = x86.Activity(c.area.Activity)
}
