package apic

import (
	"sync/atomic"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// Reset puts the APIC in its state after power-up (SDM volume 3A, section
// 11.4.7.1): enabled in xAPIC mode, software-disabled, all of the LVT masked.
// vCPU 0 is the bootstrap processor. No other CPU may use a.
func Reset(a *vcpu.Area) {
	base := uint64(x86.APICBaseDefault | x86.APICBaseEnable)
	if a.ID == 0 {
		base |= x86.APICBaseBSP
	}
	atomic.StoreUint64(&a.APICBase, base)
	a.Request.Store(0)
	a.SIPI.Store(0)
	a.ExtINT.Store(0)
	resetRegisters(a)
}

// Init puts the APIC in its state after INIT (section 11.4.7.3): as Reset, but
// mode and ID stay, as do requests that have not been served yet.
func Init(a *vcpu.Area) {
	resetRegisters(a)
	if X2APIC(a) {
		enterX2APIC(a)
	}
}

// VirtualWire programs the APIC as firmware leaves the bootstrap processor's
// for an operating system that starts with the PIC: enabled, LINT0 takes
// the PIC's interrupts, LINT1 takes NMI. Loaders that act as firmware call it.
func VirtualWire(a *vcpu.Area) {
	setReg(a, vcpu.APICSVR, svrReset|svrEnable)
	setReg(a, vcpu.APICLVTLINT0, DeliveryExtINT<<lvtModeShift)
	setReg(a, vcpu.APICLVTLINT1, DeliveryNMI<<lvtModeShift)
}

// resetRegisters gives every register its reset value.
func resetRegisters(a *vcpu.Area) {
	// SVR first: a software-disabled APIC accepts no interrupts.
	setReg(a, vcpu.APICSVR, svrReset)
	for i := uint32(0); i < numRegs; i++ {
		switch i {
		case vcpu.APICSVR:
		case vcpu.APICID:
			setReg(a, i, a.ID<<24)
		case vcpu.APICVersion:
			setReg(a, i, version)
		case vcpu.APICDFR:
			setReg(a, i, 0xFFFFFFFF)
		case vcpu.APICLVTCMCI, vcpu.APICLVTTimer, vcpu.APICLVTThermal, vcpu.APICLVTPerf,
			vcpu.APICLVTLINT0, vcpu.APICLVTLINT1, vcpu.APICLVTError:
			setReg(a, i, lvtReset)
		default:
			setReg(a, i, 0)
		}
	}
	atomic.StoreUint32(newErrors(a), 0)
	forgetPosted(a)
	a.TSCDeadline = 0
	disarm(a)
}

// forgetPosted drops what other CPUs have posted. The marks go first: a bit that
// is posted meanwhile may be lost or kept, but has its mark.
func forgetPosted(a *vcpu.Area) {
	a.PendingIRQ.Store(0)
	for i := range a.Posted {
		a.Posted[i].Store(0)
	}
}
