package svm

import (
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// Bits of EXITINFO1 of VMEXIT_IOIO (APM volume 2, section 15.10.2 "IN and OUT
// Behavior").
const (
	ioTypeIN    = 1 << 0
	ioSTR       = 1 << 2
	ioREP       = 1 << 3
	ioSizeShift = 4 // SZ8, SZ16, SZ32: the size in bytes
	ioSizeMask  = 7
	ioPortShift = 16
)

// Bits of EXITINFO1 of VMEXIT_NPF (APM volume 2, section 15.25.6 "Nested
// versus Guest Page Faults, Fault Ordering"), beside those of a page fault's
// error code.
const (
	npfFinal = 1 << 32 // in the guest's own access
	npfTable = 1 << 33 // in the walk of the guest's page tables
)

// Bits of EXITINFO1 of a CR access, with decode assists (section 15.33.1 "MOV
// CRx/DRx Intercepts").
const (
	crMOV     = 1 << 63
	crRegMask = 0xF
)

// kindTable has the kinds of the codes below 100H in the manual's order. A
// code that is not listed is one that no intercept asks for, or that stops the
// VM, such as VMEXIT_TASK_SWITCH: KindNone here, KindUnknown from kindOf.
var kindTable = [0x100]vcpu.Kind{
	ExitINTR:      vcpu.KindExtInt,
	ExitNMI:       vcpu.KindExtInt,
	ExitVINTR:     vcpu.KindIntrWindow,
	ExitRDPMC:     vcpu.KindInsn,
	ExitCPUID:     vcpu.KindCPUID,
	ExitRSM:       vcpu.KindInsn,
	ExitIRET:      vcpu.KindNMIWindow,
	ExitINVD:      vcpu.KindInsn,
	ExitPAUSE:     vcpu.KindPAUSE,
	ExitHLT:       vcpu.KindHLT,
	ExitINVLPGA:   vcpu.KindInsn,
	ExitIOIO:      vcpu.KindPIO,
	ExitMSR:       vcpu.KindRDMSR, // or KindWRMSR
	ExitShutdown:  vcpu.KindShutdown,
	ExitVMRUN:     vcpu.KindInsn,
	ExitVMMCALL:   vcpu.KindHypercall,
	ExitVMLOAD:    vcpu.KindInsn,
	ExitVMSAVE:    vcpu.KindInsn,
	ExitSTGI:      vcpu.KindInsn,
	ExitCLGI:      vcpu.KindInsn,
	ExitSKINIT:    vcpu.KindInsn,
	ExitWBINVD:    vcpu.KindInsn,
	ExitMONITOR:   vcpu.KindInsn,
	ExitMWAIT:     vcpu.KindInsn,
	ExitMWAITCond: vcpu.KindInsn,
	ExitXSETBV:    vcpu.KindXSETBV,
	ExitRDPRU:     vcpu.KindInsn,
	ExitMCOMMIT:   vcpu.KindInsn,
}

// exitInvalid32 is VMEXIT_INVALID as QEMU writes it: without the upper half.
const exitInvalid32 = ExitInvalid & 0xFFFF_FFFF

// kindOf is the vendor-neutral kind of an exit code.
func kindOf(code ExitCode) vcpu.Kind {
	switch {
	case code < ExitDRRead:
		return vcpu.KindCR
	case code >= ExitExcp && code < ExitINTR:
		return vcpu.KindException
	case code < ExitCode(len(kindTable)) && kindTable[code] != vcpu.KindNone:
		return kindTable[code]
	case code == ExitNPF:
		return vcpu.KindStage2
	case code == ExitInvalid, code == exitInvalid32:
		return vcpu.KindInvalid
	}
	return vcpu.KindUnknown
}

// reasonKinds are the kinds of the reasons beside reasonExit.
var reasonKinds = [...]vcpu.Kind{
	reasonKick:       vcpu.KindKick,
	reasonDeadline:   vcpu.KindDeadline,
	reasonINIT:       vcpu.KindINIT,
	reasonSIPI:       vcpu.KindSIPI,
	reasonIntrWindow: vcpu.KindIntrWindow,
	reasonEOI:        vcpu.KindEOI,
	reasonShutdown:   vcpu.KindShutdown,
}

// fill describes the exit that the loop left to Go. Every nested page fault is
// KindStage2, with the access; only the owner of the slots knows which
// addresses are RAM, so this backend never says KindMMIO.
func fill(c *vcpuMem, e *vcpu.Exit) {
	*e = vcpu.Exit{}
	ctl := &c.vmcb.Control
	if c.reason != reasonExit && c.reason != reasonLength && c.reason != reasonMove {
		e.Kind, e.Data = reasonKinds[c.reason], c.reasonData
		return
	}
	code := ExitCode(ctl.ExitCode)
	e.Kind = kindOf(code)
	e.Raw = [4]uint64{ctl.ExitCode, ctl.ExitInfo1, ctl.ExitInfo2, ctl.ExitIntInfo}
	switch e.Kind {
	case vcpu.KindPIO:
		fillPIO(c, e)
	case vcpu.KindRDMSR:
		fillMSR(c, e)
	case vcpu.KindXSETBV:
		e.Write, e.MSR = true, uint32(c.area.GPR[x86.RCX])
		e.Data = c.edxEAX()
	case vcpu.KindStage2:
		fillNPF(c, e)
	case vcpu.KindCR:
		fillCR(c, e, code)
	case vcpu.KindException:
		e.Vector = uint8(code - ExitExcp)
		e.HasError = x86.HasErrorCode(e.Vector)
		e.ErrorCode = uint32(ctl.ExitInfo1)
		e.Fault = memory.GVA(ctl.ExitInfo2)
	}
}

// ExitName implements vcpu.Namer. An exit that no intercept made has no code,
// and 0 is that of a read of CR0.
func (v *VCPU) ExitName(e *vcpu.Exit) string {
	code := ExitCode(e.Raw[0])
	if code == ExitCRRead && e.Kind != vcpu.KindCR {
		return ""
	}
	return code.String()
}

func (c *vcpuMem) edxEAX() uint64 {
	return uint64(uint32(c.area.GPR[x86.RAX])) | c.area.GPR[x86.RDX]<<32
}

func fillPIO(c *vcpuMem, e *vcpu.Exit) {
	info := c.vmcb.Control.ExitInfo1
	e.Write = info&ioTypeIN == 0
	e.String = info&ioSTR != 0
	e.Rep = info&ioREP != 0
	e.Size = uint8(info >> ioSizeShift & ioSizeMask)
	e.Port = uint16(info >> ioPortShift)
	if e.Write && !e.String {
		e.Data = c.area.GPR[x86.RAX] & (1<<(8*e.Size) - 1)
	}
}

func fillMSR(c *vcpuMem, e *vcpu.Exit) {
	e.MSR = uint32(c.area.GPR[x86.RCX])
	if c.vmcb.Control.ExitInfo1&1 != 0 {
		e.Kind, e.Write, e.Data = vcpu.KindWRMSR, true, c.edxEAX()
	}
}

func fillNPF(c *vcpuMem, e *vcpu.Exit) {
	ctl := &c.vmcb.Control
	e.GPA = memory.GPA(ctl.ExitInfo2)
	e.Write = ctl.ExitInfo1&x86.PFWrite != 0
	e.Fetch = ctl.ExitInfo1&x86.PFFetch != 0
	e.Walk = ctl.ExitInfo1&npfTable != 0
	if c.features&featureDecode != 0 {
		e.InsnLen = min(ctl.FetchedBytes&0xF, uint8(len(e.Insn)))
		e.Insn = ctl.GuestBytes
	}
}

// fillCR leaves Reg unset where the processor does not name the register.
func fillCR(c *vcpuMem, e *vcpu.Exit, code ExitCode) {
	e.CR = uint8(code & 0xF)
	e.Write = code >= ExitCRWrite
	if info := c.vmcb.Control.ExitInfo1; info&crMOV != 0 && c.features&featureDecode != 0 {
		e.Reg = uint8(info & crRegMask)
	}
}
