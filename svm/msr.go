package svm

// This file is part of the loop in the nucleus. It serves the MSRs whose
// whole state is in the Area or the VMCB; every other goes to Go.

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// The x2APIC's range of MSRs.
const (
	x2APICFirst = x86.MSRx2APICBase
	x2APICLast  = x86.MSRx2APICBase + 0xFF
)

// msrResult is what became of an access.
type msrResult uint8

const (
	msrDone  msrResult = iota
	msrFault           // #GP(0)
	msrToGo
	msrDoneEOI // done, and Go must tell the I/O APIC
)

// fastRDMSR reads an MSR into v.
func (c *vcpuMem) fastRDMSR(msr uint32) (v uint64, r msrResult) {
	a := &c.area
	switch {
	case msr >= x2APICFirst && msr <= x2APICLast:
		v, ok := apic.ReadMSR(a, msr, c.left)
		if !ok {
			return 0, msrFault
		}
		return v, msrDone
	case msr == x86.MSRTSCDeadline:
		return apic.ReadDeadline(a), msrDone
	case msr == x86.MSRTSC:
		return a.GuestTSC(c.left), msrDone
	case msr == x86.MSRTSCAdjust:
		return a.TSCAdjust, msrDone
	case msr == x86.MSRAPICBase:
		return a.APICBase, msrDone
	case msr == x86.MSREFER:
		return c.vmcb.Save.EFER &^ x86.EFERSVME, msrDone
	}
	return 0, msrToGo
}

// fastWRMSR writes v to an MSR.
func (c *vcpuMem) fastWRMSR(msr uint32, v uint64) msrResult {
	a := &c.area
	switch {
	case msr >= x2APICFirst && msr <= x2APICLast:
		return c.x2APICWrite(msr, v)
	case msr == x86.MSRTSCDeadline:
		c.busy = 1
		apic.WriteDeadline(a, v, c.left)
		return msrDone
	case msr == x86.MSRTSCAdjust && v == a.TSCAdjust:
		// A write that moves the TSC moves clocks that only Go knows.
		return msrDone
	}
	return msrToGo
}

// x2APICWrite writes a register of the x2APIC and does what follows.
func (c *vcpuMem) x2APICWrite(msr uint32, v uint64) msrResult {
	if !apic.X2APIC(&c.area) {
		return msrFault
	}
	return c.writeAPIC(msr-x86.MSRx2APICBase, v)
}

// writeAPIC writes register r of the local APIC in either mode.
func (c *vcpuMem) writeAPIC(r uint32, v uint64) msrResult {
	a := &c.area
	c.busy = 1
	act := apic.Write(a, r, v, c.left)
	if act&apic.ActionGP != 0 {
		return msrFault
	}
	if act&apic.ActionIPI != 0 {
		apic.Send(a.VMArea(), a, apic.ICR(a), wakeArea)
	}
	if act&apic.ActionEOI != 0 {
		c.reasonData = uint64(act.Vector())
		return msrDoneEOI
	}
	return msrDone
}

// wakeArea makes another vCPU look at its Area.
func wakeArea(a *vcpu.Area) {
	if a.Sched != 0 {
		areaGuest(a).Wake()
	}
}
