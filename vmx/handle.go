package vmx

// This file is part of the loop in the nucleus: what happens after an exit.

import (
	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/x86"
)

// What an exit says beside its reason (SDM volume 3C, section 28.2 "Recording
// VM-Exit Information and Updating VM-entry Control Fields").
const (
	saysQualification = 1 << iota
	saysGPA
	saysInterruption
	saysVectoring // the exit may have cut the delivery of an event short
	saysPaging    // not of the exit: Go will ask how the guest's paging is
)

// says is what has to be read of each exit, by reason.
var says = [len(reasonNames)]uint8{
	ExitReasonExceptionNMI:         saysQualification | saysInterruption | saysVectoring,
	ExitReasonTaskSwitch:           saysQualification | saysVectoring,
	ExitReasonINVLPG:               saysQualification,
	ExitReasonVMCALL:               saysPaging,
	ExitReasonCR:                   saysQualification | saysPaging,
	ExitReasonMOVDR:                saysQualification,
	ExitReasonIO:                   saysQualification,
	ExitReasonInvalidGuestState:    saysQualification,
	ExitReasonMSRLoading:           saysQualification,
	ExitReasonAPICAccess:           saysQualification | saysVectoring,
	ExitReasonVirtualizedEOI:       saysQualification,
	ExitReasonEPTViolation:         saysQualification | saysGPA | saysVectoring | saysPaging,
	ExitReasonEPTMisconfiguration:  saysGPA | saysVectoring,
	ExitReasonAPICWrite:            saysQualification,
	ExitReasonPageModificationFull: saysQualification | saysVectoring,
	ExitReasonSPPEvent:             saysQualification | saysGPA | saysVectoring,
}

// basic is the basic exit reason of the last exit.
func (c *vcpuMem) basic() ExitReason { return ExitReason(c.exitReason) }

// noteExit notes what is the same for all exits.
func (c *vcpuMem) noteExit() {
	c.area.GuestTicks += c.now - c.entered
	c.valid, c.stepped, c.dirty = partExit, 0, 0
	c.reason = reasonExit
}

// notePort notes what exited has done after a port access.
func (c *vcpuMem) notePort(p *perCPU) {
	c.launched = 1
	c.valid = partExit | partSP
	p.kernelGS = c.kernelGS
}

// afterExit puts the results of an entry where they belong. It reports true
// if the exit was the host's own and the guest goes on.
func (c *vcpuMem) afterExit() (again bool) {
	if c.exitReason&entryFailure != 0 {
		c.readExit(saysQualification)
		c.fetch(partAll)
		return false
	}
	c.launched = 1
	r := c.basic()
	if r == ExitReasonExternalInterrupt || r == ExitReasonINIT || r == ExitReasonPreemptionTimer {
		c.count(vcpu.KindExtInt)
		c.saveCR2()
		nucleus.TakeInterrupts()
		return true
	}
	if int(r) >= len(says) || says[r] == 0 {
		return false
	}
	c.readExit(says[r])
	switch {
	case c.exit.vectoring&EventValid != 0:
		c.takeBack()
	case (r == ExitReasonEPTViolation || r == ExitReasonPageModificationFull) && c.exit.qualification&eptNMIUnblocked != 0,
		c.exit.interruption&(EventValid|EventUnblockedNMI) == EventValid|EventUnblockedNMI:
		c.blockNMI(true) // IRET did not complete
	}
	if r == ExitReasonExceptionNMI && eventType(c.exit.interruption) == EventTypeNMI {
		c.count(vcpu.KindExtInt)
		c.saveCR2()
		hostNMI()
		return true
	}
	if says[r]&saysPaging != 0 {
		c.fetch(partPaging)
	}
	return false
}

// readExit reads what the last exit says.
func (c *vcpuMem) readExit(what uint8) {
	e := &c.exit
	*e = exitInfo{}
	if what&saysQualification != 0 {
		e.qualification = vmread(uint64(FieldExitQualification))
	}
	if what&saysGPA != 0 {
		e.gpa = vmread(uint64(FieldGuestPhysicalAddress))
	}
	if what&saysInterruption != 0 {
		e.interruption = uint32(vmread(uint64(FieldExitInterruptionInfo)))
		if e.interruption&EventErrorCode != 0 {
			e.errCode = uint32(vmread(uint64(FieldExitInterruptionError)))
		}
	}
	if what&saysVectoring != 0 {
		e.vectoring = uint32(vmread(uint64(FieldIDTVectoringInfo)))
		if e.vectoring&(EventValid|EventErrorCode) == EventValid|EventErrorCode {
			e.vectoringEC = uint32(vmread(uint64(FieldIDTVectoringErrorCode)))
		}
	}
}

// failed notes that the VM-entry instruction failed with VMfailInvalid (1) or
// VMfailValid (2), upon which the VMCS says why.
func (c *vcpuMem) failed(status uint64) {
	c.now = c.entered
	c.reason = reasonFailed
	c.exit = exitInfo{}
	if status == 2 {
		c.exit.instructionError = uint32(vmread(uint64(FieldInstructionError)))
	}
	c.fetch(partAll)
}

// handle serves the last exit. stop says that the verdict holds; without it
// the guest is entered again.
func (c *vcpuMem) handle() (v nucleus.Verdict, stop bool) {
	if c.exitReason&entryFailure != 0 {
		return nucleus.VerdictExit, true
	}
	switch c.basic() {
	case ExitReasonRDMSR:
		return c.exitRDMSR()
	case ExitReasonHLT:
		return c.exitHLT()
	case ExitReasonInterruptWindow, ExitReasonTPRBelowThreshold:
		c.count(vcpu.KindIntrWindow)
		c.busy = 1
		return 0, false
	case ExitReasonNMIWindow:
		c.count(vcpu.KindNMIWindow)
		c.want(PrimaryNMIWindowExiting, false)
		c.busy = 1
		return 0, false
	case ExitReasonPAUSE:
		c.count(vcpu.KindPAUSE)
		c.stepOver()
		return nucleus.VerdictYield, true
	case ExitReasonWBINVD, ExitReasonINVD:
		// Guest memory is coherent write-back memory whatever the guest does.
		c.count(vcpu.KindInsn)
		c.stepOver()
		return 0, false
	case ExitReasonVirtualizedEOI:
		return c.exitEOI()
	case ExitReasonAPICWrite:
		return c.exitAPICWrite()
	case ExitReasonMOVDR:
		c.count(vcpu.KindCR)
		c.loadDR()
		return 0, false
	case ExitReasonExceptionNMI:
		return c.exitException()
	case ExitReasonPageModificationFull:
		c.count(vcpu.KindStage2)
		c.reason = reasonLogFull
	}
	return nucleus.VerdictExit, true
}

// count counts an exit that needs no Go.
func (c *vcpuMem) count(k vcpu.Kind) {
	c.area.Exits[k]++
	c.area.Fast[k]++
}

// exitCPUID reports false if Go must answer.
func (c *vcpuMem) exitCPUID() bool {
	c.launched = 1
	if !c.fastCPUID() {
		return false
	}
	c.count(vcpu.KindCPUID)
	c.stepOver()
	return true
}

func (c *vcpuMem) exitRDMSR() (nucleus.Verdict, bool) {
	a := &c.area
	v, r := c.fastRDMSR(uint32(a.GPR[x86.RCX]))
	if r == msrDone {
		a.GPR[x86.RAX], a.GPR[x86.RDX] = uint64(uint32(v)), v>>32
	}
	return c.endMSR(vcpu.KindRDMSR, r)
}

func (c *vcpuMem) exitWRMSR() (nucleus.Verdict, bool) {
	return c.endMSR(vcpu.KindWRMSR, c.fastWRMSR(uint32(c.area.GPR[x86.RCX]), c.edxEAX()))
}

// edxEAX is the operand of WRMSR and XSETBV.
func (c *vcpuMem) edxEAX() uint64 {
	return uint64(uint32(c.area.GPR[x86.RAX])) | c.area.GPR[x86.RDX]<<32
}

// endMSR ends an access to an MSR.
func (c *vcpuMem) endMSR(kind vcpu.Kind, r msrResult) (nucleus.Verdict, bool) {
	if r == msrToGo {
		return nucleus.VerdictExit, true
	}
	c.count(kind)
	if r == msrFault {
		c.raise(x86.VectorGP, true, 0)
		return 0, false
	}
	c.stepOver()
	if r == msrDoneEOI {
		c.reason = reasonEOI
		return nucleus.VerdictExit, true
	}
	return 0, false
}

// exitHLT halts the vCPU; prepare wakes it at once if something waits.
func (c *vcpuMem) exitHLT() (nucleus.Verdict, bool) {
	c.count(vcpu.KindHLT)
	c.stepOver()
	c.area.Activity = uint32(x86.ActivityHalted)
	c.busy = 1
	return 0, false
}

// exitException gives #DB and #AC back to the guest, whose own they are.
func (c *vcpuMem) exitException() (nucleus.Verdict, bool) {
	info := c.exit.interruption
	switch eventVector(info) {
	case x86.VectorDB:
		c.count(vcpu.KindException)
		c.noteDR6(c.exit.qualification)
		if eventType(info) == EventTypePrivSoft {
			c.moveRIP(c.nextRIP()) // a trap behind INT1; the event alone would run it again
		}
		c.raise(x86.VectorDB, false, 0)
		return 0, false
	case x86.VectorAC:
		c.count(vcpu.KindException)
		c.raise(x86.VectorAC, true, c.exit.errCode)
		return 0, false
	}
	return nucleus.VerdictExit, true
}

// nextRIP is where the instruction ends that caused the exit.
func (c *vcpuMem) nextRIP() uint64 {
	next := c.regs[regRIP] + uint64(c.exitLength)
	if uint32(next) < c.exitLength { // not in the same 4 GiB
		return c.wrapRIP(next)
	}
	return next
}

// wrapRIP cuts an instruction pointer to what the guest's mode has.
func (c *vcpuMem) wrapRIP(rip uint64) uint64 {
	if c.code64() {
		return rip
	}
	return uint64(uint32(rip))
}

func (c *vcpuMem) moveRIP(rip uint64) {
	c.regs[regRIP] = rip
	c.changed(partIP)
}

// code64 tells whether the guest executes 64-bit code.
func (c *vcpuMem) code64() bool {
	if c.regs[regEFER]&x86.EFERLMA == 0 {
		return false
	}
	c.fetch(partAR)
	return c.regs[regAR+x86.CS]&x86.AttrL != 0
}

// stepOver completes the instruction that caused the exit: RIP moves behind
// it, an interrupt shadow and RF end, and a guest that single-steps gets its
// trap. Whether there was a shadow is looked up only when it matters: until
// the next entry nothing else does, and one that stays by mistake defers
// interrupts by one instruction.
func (c *vcpuMem) stepOver() { c.stepTo(c.nextRIP()) }

func (c *vcpuMem) stepTo(rip uint64) {
	if c.step(rip) {
		c.settleStep()
	}
}

// step is stepTo but for settleStep, which it asks for.
func (c *vcpuMem) step(rip uint64) (more bool) {
	c.regs[regRIP] = rip
	c.dirty |= partIP // it is always valid
	c.stepped = 1
	return c.valid&partInterrupt|uint32(c.regs[regRFLAGS]&(x86.FlagTF|x86.FlagRF)) != 0
}

// settleStep is the rest of stepTo, which few instructions have.
func (c *vcpuMem) settleStep() {
	if c.valid&partInterrupt != 0 {
		c.endShadow()
	}
	if c.regs[regRFLAGS]&x86.FlagRF != 0 {
		c.regs[regRFLAGS] &^= x86.FlagRF
		c.changed(partFlags)
	}
	if c.regs[regRFLAGS]&x86.FlagTF != 0 {
		c.noteDR6(x86.DR6BS)
		c.raise(x86.VectorDB, false, 0)
	}
}
