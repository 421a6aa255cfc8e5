package vmx

// This file is part of the loop in the nucleus: on which CPU a VMCS is.
//
// At most one VMCS is active on a CPU, the current one. A vCPU that returns to
// Go stays loaded, because it most often comes back to the same CPU soon; one
// that leaves the CPU in any other way, or whose CPU another vCPU takes, is
// cleared first, which writes the processor's copy of its VMCS to memory. If
// the goroutine of a loaded vCPU has moved, Go has the old CPU clear the VMCS
// (VCPU.release), because only that CPU can.

import (
	"encoding/binary"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// attach makes the vCPU's VMCS, which this CPU does not have, current on it. It
// reports false if another CPU has it, or if the processor refuses it, and
// leaves the reason.
func (c *vcpuMem) attach(p *perCPU) bool {
	here := p.number + 1
	if c.loadedOn.Load() != 0 {
		c.reason = reasonMoved
		return false
	}
	p.evict()
	if c.built == 0 {
		vmclear(&c.vmcsPA) // initializes the region
	}
	if vmptrld(&c.vmcsPA) != 0 {
		c.reason, c.exit = reasonFailed, exitInfo{}
		return false
	}
	p.current = c.addr()
	c.hostXCR0 = p.hostXCR0
	c.loadedOn.Store(here)
	if c.built == 0 {
		c.built = 1
		c.buildVMCS()
	}
	if c.hostOf != here {
		if c.hostOf != 0 {
			c.area.Moves++
		}
		c.hostOf = here
		c.writeHostState()
		c.hostRSP = 0
	}
	return true
}

// evict clears the VMCS that is loaded on this CPU.
func (p *perCPU) evict() {
	if p.current == 0 {
		return
	}
	c := p.currentOf()
	p.current = 0
	vmclear(&c.vmcsPA)
	c.launched = 0
	c.loadedOn.Store(0) // last: another CPU may take it now
}

// releasing is the vCPU that releaseThisCPU clears; releaseLock guards it.
var releasing uintptr

// releaseThisCPU runs in the nucleus on each CPU.
func releaseThisCPU() {
	if p := cpuRecord(nucleus.VendorCPU()); p.current != 0 && p.current == releasing {
		p.evict()
	}
}

// buildVMCS writes the fields that do not change while the vCPU lives.
func (c *vcpuMem) buildVMCS() {
	ctl := &c.controls
	vmwrite(uint64(FieldPinBasedControls), uint64(ctl.pin))
	vmwrite(uint64(FieldPrimaryControls), uint64(ctl.primary))
	vmwrite(uint64(FieldSecondaryControls), uint64(ctl.secondary))
	vmwrite(uint64(FieldExitControls), uint64(ctl.exit))
	vmwrite(uint64(FieldExceptionBitmap), uint64(c.exceptions))
	vmwrite(uint64(FieldPageFaultMask), 0)
	vmwrite(uint64(FieldPageFaultMatch), 0)
	vmwrite(uint64(FieldCR3TargetCount), 0)
	vmwrite(uint64(FieldExitMSRStoreCount), 0)
	vmwrite(uint64(FieldExitMSRLoadCount), 0)
	vmwrite(uint64(FieldEntryMSRLoadCount), 0)
	vmwrite(uint64(FieldEntryInterruptionInfo), 0)
	vmwrite(uint64(FieldTPRThreshold), 0)
	vmwrite(uint64(FieldVMCSLinkPointer), ^uint64(0))
	vmwrite(uint64(FieldGuestActivity), 0)
	vmwrite(uint64(FieldMSRBitmaps), c.bitmapPA)
	vmwrite(uint64(FieldVirtualAPICAddr), c.apicPA)
	vmwrite(uint64(FieldEPTP), c.eptp)
	vmwrite(uint64(FieldTSCOffset), c.tscOffset)
	c.scaleTSC()
	vmwrite(uint64(FieldCR0Mask), ^uint64(guestCR0))
	vmwrite(uint64(FieldCR4Mask), ^uint64(guestCR4))
	if ctl.secondary&SecondaryVPID != 0 {
		vmwrite(uint64(FieldVPID), uint64(c.vpid))
	}
	if ctl.secondary&SecondaryPAUSELoopExiting != 0 {
		vmwrite(uint64(FieldPLEGap), pleGap)
		vmwrite(uint64(FieldPLEWindow), pleWindow)
	}
	if c.features&featureClosed != 0 {
		vmwrite(uint64(FieldPreemptionTimer), c.stay)
	}
	if c.features&featureVirtualAPIC != 0 {
		c.clearVirtualAPIC()
	}
	c.timed, c.primary, c.threshold, c.busy = neverTimed, ctl.primary, 0, 1
	if c.features&featureClosed != 0 {
		c.timed = 0
	}
}

// PAUSE-loop exiting: a guest is stopped when it has spun for pleWindow ticks
// with PAUSEs not further apart than pleGap.
const (
	pleGap    = 128
	pleWindow = 4096
)

// Selectors of the nucleus's GDT.
const (
	hostCode = 0x08
	hostData = 0x10
)

// writeHostState writes what a VM exit loads: the state of nucleus code on
// this CPU, which is the same each time (SDM volume 3C, section 25.5
// "Host-State Area").
func (c *vcpuMem) writeHostState() {
	var gdtr, idtr [10]byte
	tr := hostTables(&gdtr, &idtr)
	_, exit, _ := entryText()
	vmwrite(uint64(FieldHostCR0), reg.ReadCR0())
	vmwrite(uint64(FieldHostCR3), reg.ReadCR3())
	vmwrite(uint64(FieldHostCR4), reg.ReadCR4())
	vmwrite(uint64(FieldHostESSelector), hostData)
	vmwrite(uint64(FieldHostCSSelector), hostCode)
	vmwrite(uint64(FieldHostSSSelector), hostData)
	vmwrite(uint64(FieldHostDSSelector), hostData)
	vmwrite(uint64(FieldHostFSSelector), 0)
	vmwrite(uint64(FieldHostGSSelector), 0)
	vmwrite(uint64(FieldHostTRSelector), uint64(tr))
	vmwrite(uint64(FieldHostFSBase), reg.ReadMSR(x86.MSRFSBase))
	vmwrite(uint64(FieldHostGSBase), reg.ReadMSR(x86.MSRGSBase))
	gdt := binary.LittleEndian.Uint64(gdtr[2:])
	vmwrite(uint64(FieldHostGDTRBase), gdt)
	vmwrite(uint64(FieldHostIDTRBase), binary.LittleEndian.Uint64(idtr[2:]))
	vmwrite(uint64(FieldHostTRBase), tssBase(gdt, tr))
	vmwrite(uint64(FieldHostSysenterCS), 0)
	vmwrite(uint64(FieldHostSysenterESP), 0)
	vmwrite(uint64(FieldHostSysenterEIP), 0)
	vmwrite(uint64(FieldHostPAT), reg.ReadMSR(x86.MSRPAT))
	vmwrite(uint64(FieldHostEFER), reg.ReadMSR(x86.MSREFER))
	vmwrite(uint64(FieldHostRIP), uint64(exit))
}

// loadRegisters puts the guest's registers into the CPU that neither a VM entry
// nor enter loads: two MSRs, which the host does not use, and what not every
// guest needs.
func (c *vcpuMem) loadRegisters(p *perCPU) {
	if c.kernelGS != p.kernelGS {
		reg.WriteMSR(msrKernelGSBase, c.kernelGS)
		p.kernelGS = c.kernelGS
	}
	if p.tscAux != c.tscAux {
		if c.features&featureRDTSCP != 0 {
			reg.WriteMSR(x86.MSRTSCAux, c.tscAux)
		}
		p.tscAux = c.tscAux
	}
	if c.regs[regEFER]&x86.EFERSCE != 0 {
		c.loadSyscall()
	}
	if c.regs[regDR7]&x86.DR7Enable != 0 { // as saveDR found it, or Load set it
		c.loadDR() // breakpoints are on
	}
}

// registersDue tells whether loadRegisters may have something to do.
func (c *vcpuMem) registersDue(p *perCPU) bool {
	return c.kernelGS^p.kernelGS|c.tscAux^p.tscAux|c.regs[regEFER]&x86.EFERSCE|c.regs[regDR7]&x86.DR7Enable != 0
}

// unloadRegisters takes out the guest's registers at the end of a turn whose
// last exit has left them to it.
func (c *vcpuMem) unloadRegisters(p *perCPU) {
	leaveVectors(&c.xsave[0], c.saveMask, c.xcr0, p.hostXCR0, hostImage)
	c.loaded = 0
	c.kernelGS = reg.ReadMSR(msrKernelGSBase)
	p.kernelGS = c.kernelGS
	c.saveCR2()
}

// unloadRare takes out what not every guest uses.
func (c *vcpuMem) unloadRare(p *perCPU) {
	if c.sysLive != 0 {
		c.sysLive = 0
		reg.WriteMSR(x86.MSRSTAR, p.syscall.star)
		reg.WriteMSR(x86.MSRLSTAR, p.syscall.lstar)
		reg.WriteMSR(x86.MSRSFMASK, p.syscall.sfmask)
	}
	if c.drLive != 0 {
		c.saveDR()
	}
	if c.logging != 0 {
		c.publishLog()
	}
}

// loadSyscall makes the guest's SYSCALL registers live. The nucleus uses the
// host's only when a thread calls, so they may stay until the turn ends. A
// guest that has not enabled SYSCALL has no use of them.
func (c *vcpuMem) loadSyscall() {
	reg.WriteMSR(x86.MSRSTAR, c.syscall.star)
	reg.WriteMSR(x86.MSRLSTAR, c.syscall.lstar)
	reg.WriteMSR(x86.MSRCSTAR, c.syscall.cstar)
	reg.WriteMSR(x86.MSRSFMASK, c.syscall.sfmask)
	c.sysLive = 1
}

// saveCR2 takes the guest's CR2 before host code that can fault runs.
func (c *vcpuMem) saveCR2() {
	if c.cr2Live != 0 {
		c.cr2Live = 0
		c.cr2 = reg.ReadCR2()
	}
}

// loadDR makes DR0 to DR3 and DR6 live; from here the guest accesses its debug
// registers without an exit until the vCPU leaves the CPU.
func (c *vcpuMem) loadDR() {
	writeDR(&c.dr)
	c.drLive = 1
	c.wantPrimary &^= PrimaryMOVDRExiting
}

// saveDR takes them back, and looks whether the guest has breakpoints on. The
// host uses none, and a VM exit has reset DR7, so the registers may keep their
// values.
func (c *vcpuMem) saveDR() {
	readDR(&c.dr)
	c.fetch(partDebug)
	c.drLive = 0
	c.wantPrimary |= PrimaryMOVDRExiting
}

// noteDR6 enters the bits of a debug exception in DR6 (SDM volume 3C, table
// "Exit Qualification for Debug Exceptions").
func (c *vcpuMem) noteDR6(bits uint64) {
	if c.drLive != 0 {
		readDR(&c.dr)
	}
	c.dr[4] = c.dr[4]&^dr6Trap | x86.DR6Reserved | bits&dr6Set
	if c.drLive != 0 {
		writeDR(&c.dr)
	}
}

const (
	dr6Trap = x86.DR6B0 | x86.DR6B1 | x86.DR6B2 | x86.DR6B3
	dr6Set  = dr6Trap | x86.DR6BD | x86.DR6BS
)

// wakeArea makes another vCPU look at its Area.
func wakeArea(a *vcpu.Area) {
	if a.Sched != 0 {
		areaGuest(a).Wake()
	}
}
