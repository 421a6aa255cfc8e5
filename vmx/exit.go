package vmx

import (
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// Exit qualification of an I/O instruction (SDM volume 3C, table "Exit
// Qualification for I/O Instructions").
const (
	ioSizeMask  = 7 // the size in bytes less 1
	ioTypeIN    = 1 << 3
	ioString    = 1 << 4
	ioREP       = 1 << 5
	ioPortShift = 16
)

// Exit qualification of an EPT violation (table "Exit Qualification for EPT
// Violations").
const (
	eptRead         = 1 << 0
	eptWrite        = 1 << 1
	eptFetch        = 1 << 2
	eptLinearValid  = 1 << 7
	eptFinal        = 1 << 8  // in the access itself, not in the guest's page walk
	eptNMIUnblocked = 1 << 12 // IRET had ended the blocking of NMIs
)

// Exit qualification of a control-register access (table "Exit Qualification
// for Control-Register Accesses").
const (
	crNumberMask = 0xF
	crTypeShift  = 4
	crTypeMask   = 3
	crTypeFrom   = 1 // MOV from CR; 0 is MOV to CR, 2 CLTS, 3 LMSW
	crRegShift   = 8
	crRegMask    = 0xF
)

// kindTable has the kinds of the reasons in the manual's order. A reason that
// is not listed is one that no control asks for, or that stops the VM, such as
// a task switch: KindNone here, KindUnknown from kindOf.
var kindTable = [len(reasonNames)]vcpu.Kind{
	ExitReasonExceptionNMI:      vcpu.KindException,
	ExitReasonExternalInterrupt: vcpu.KindExtInt,
	ExitReasonTripleFault:       vcpu.KindShutdown,
	ExitReasonINIT:              vcpu.KindExtInt,
	ExitReasonInterruptWindow:   vcpu.KindIntrWindow,
	ExitReasonNMIWindow:         vcpu.KindNMIWindow,
	ExitReasonCPUID:             vcpu.KindCPUID,
	ExitReasonGETSEC:            vcpu.KindInsn,
	ExitReasonHLT:               vcpu.KindHLT,
	ExitReasonINVD:              vcpu.KindInsn,
	ExitReasonINVLPG:            vcpu.KindInsn,
	ExitReasonRDPMC:             vcpu.KindInsn,
	ExitReasonRDTSC:             vcpu.KindInsn,
	ExitReasonRSM:               vcpu.KindInsn,
	ExitReasonVMCALL:            vcpu.KindHypercall,
	ExitReasonVMCLEAR:           vcpu.KindInsn,
	ExitReasonVMLAUNCH:          vcpu.KindInsn,
	ExitReasonVMPTRLD:           vcpu.KindInsn,
	ExitReasonVMPTRST:           vcpu.KindInsn,
	ExitReasonVMREAD:            vcpu.KindInsn,
	ExitReasonVMRESUME:          vcpu.KindInsn,
	ExitReasonVMWRITE:           vcpu.KindInsn,
	ExitReasonVMXOFF:            vcpu.KindInsn,
	ExitReasonVMXON:             vcpu.KindInsn,
	ExitReasonCR:                vcpu.KindCR,
	ExitReasonIO:                vcpu.KindPIO,
	ExitReasonRDMSR:             vcpu.KindRDMSR,
	ExitReasonWRMSR:             vcpu.KindWRMSR,
	ExitReasonMWAIT:             vcpu.KindInsn,
	ExitReasonMONITOR:           vcpu.KindInsn,
	ExitReasonPAUSE:             vcpu.KindPAUSE,
	ExitReasonGDTRIDTR:          vcpu.KindInsn,
	ExitReasonLDTRTR:            vcpu.KindInsn,
	ExitReasonEPTViolation:      vcpu.KindStage2,
	ExitReasonINVEPT:            vcpu.KindInsn,
	ExitReasonRDTSCP:            vcpu.KindInsn,
	ExitReasonINVVPID:           vcpu.KindInsn,
	ExitReasonWBINVD:            vcpu.KindInsn,
	ExitReasonXSETBV:            vcpu.KindXSETBV,
	ExitReasonRDRAND:            vcpu.KindInsn,
	ExitReasonINVPCID:           vcpu.KindInsn,
	ExitReasonVMFUNC:            vcpu.KindInsn,
	ExitReasonENCLS:             vcpu.KindInsn,
	ExitReasonRDSEED:            vcpu.KindInsn,
	ExitReasonXSAVES:            vcpu.KindInsn,
	ExitReasonXRSTORS:           vcpu.KindInsn,
	ExitReasonPCONFIG:           vcpu.KindInsn,
	ExitReasonUMWAIT:            vcpu.KindInsn,
	ExitReasonTPAUSE:            vcpu.KindInsn,
	ExitReasonLOADIWKEY:         vcpu.KindInsn,
	ExitReasonENCLV:             vcpu.KindInsn,
	ExitReasonSEAMCALL:          vcpu.KindInsn,
	ExitReasonTDCALL:            vcpu.KindInsn,
	ExitReasonRDMSRLIST:         vcpu.KindInsn,
	ExitReasonWRMSRLIST:         vcpu.KindInsn,
	ExitReasonURDMSR:            vcpu.KindInsn,
	ExitReasonUWRMSR:            vcpu.KindInsn,
	ExitReasonRDMSRImmediate:    vcpu.KindInsn,
	ExitReasonWRMSRNSImmediate:  vcpu.KindInsn,
}

// kindOf is the vendor-neutral kind of an exit reason field.
func kindOf(reason uint32) vcpu.Kind {
	r := ExitReason(reason)
	switch {
	case reason&entryFailure != 0:
		return vcpu.KindInvalid
	case int(r) < len(kindTable) && kindTable[r] != vcpu.KindNone:
		return kindTable[r]
	}
	return vcpu.KindUnknown
}

// reasonKinds are the kinds of the reasons beside reasonExit.
var reasonKinds = [...]vcpu.Kind{
	reasonFailed:     vcpu.KindInvalid,
	reasonKick:       vcpu.KindKick,
	reasonDeadline:   vcpu.KindDeadline,
	reasonINIT:       vcpu.KindINIT,
	reasonSIPI:       vcpu.KindSIPI,
	reasonIntrWindow: vcpu.KindIntrWindow,
	reasonEOI:        vcpu.KindEOI,
	reasonShutdown:   vcpu.KindShutdown,
}

// fill describes the exit that the loop left to Go. Every EPT violation is
// KindStage2, with the access; only the owner of the slots knows which
// addresses are RAM, so this backend never says KindMMIO.
func fill(c *vcpuMem, e *vcpu.Exit) {
	*e = vcpu.Exit{}
	if c.reason != reasonExit {
		e.Kind, e.Data = reasonKinds[c.reason], c.reasonData
		e.Raw[1] = uint64(c.exit.instructionError)
		return
	}
	x := &c.exit
	if e.Kind = kindOf(c.exitReason); e.Kind == vcpu.KindPIO {
		*x = exitInfo{qualification: x.qualification} // notePort has left this
	}
	e.Raw = [4]uint64{uint64(c.exitReason), x.qualification, x.gpa, uint64(x.vectoring)}
	switch e.Kind {
	case vcpu.KindPIO:
		fillPIO(c, e)
	case vcpu.KindRDMSR:
		e.MSR = uint32(c.area.GPR[x86.RCX])
	case vcpu.KindWRMSR:
		e.MSR, e.Write, e.Data = uint32(c.area.GPR[x86.RCX]), true, c.edxEAX()
	case vcpu.KindXSETBV:
		e.MSR, e.Write, e.Data = uint32(c.area.GPR[x86.RCX]), true, c.edxEAX()
	case vcpu.KindStage2:
		fillEPT(c, e)
	case vcpu.KindCR:
		fillCR(c, e)
	case vcpu.KindException:
		e.Vector = eventVector(x.interruption)
		e.HasError, e.ErrorCode = x.interruption&EventErrorCode != 0, x.errCode
		e.Fault = memory.GVA(x.qualification)
	}
}

func fillPIO(c *vcpuMem, e *vcpu.Exit) {
	q := c.exit.qualification
	e.Write = q&ioTypeIN == 0
	e.String = q&ioString != 0
	e.Rep = q&ioREP != 0
	e.Size = uint8(q&ioSizeMask) + 1
	e.Port = uint16(q >> ioPortShift)
	if e.Write && !e.String {
		e.Data = c.area.GPR[x86.RAX] & (1<<(8*e.Size) - 1)
	}
}

// fillEPT says what was tried. With accessed and dirty flags the processor
// calls its own walks of the guest's tables writes.
func fillEPT(c *vcpuMem, e *vcpu.Exit) {
	q := c.exit.qualification
	e.GPA = memory.GPA(c.exit.gpa)
	e.Write = q&eptWrite != 0
	e.Fetch = q&eptFetch != 0
	e.Walk = q&(eptLinearValid|eptFinal) == eptLinearValid
}

// fillCR describes a move; CLTS and LMSW are emulated from their bytes, as
// every access of CR0, CR3 and CR4 is.
func fillCR(c *vcpuMem, e *vcpu.Exit) {
	q := c.exit.qualification
	e.CR = uint8(q & crNumberMask)
	e.Write = q>>crTypeShift&crTypeMask != crTypeFrom
	e.Reg = uint8(q >> crRegShift & crRegMask)
}

// ExitName implements vcpu.Namer. An exit that no VM exit made has no reason.
func (v *VCPU) ExitName(e *vcpu.Exit) string {
	switch {
	case e.Kind == vcpu.KindInvalid && e.Raw[0] == 0:
		return InstructionError(e.Raw[1]).String()
	case e.Raw[0] == 0 && e.Kind != vcpu.KindException:
		return ""
	}
	return ExitReason(e.Raw[0]).String()
}
