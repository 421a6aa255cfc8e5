package vmx

// This file is part of the loop in the nucleus. It serves the MSRs whose
// whole state is in the Area or the backend's memory; every other goes to Go.

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// The x2APIC's range of MSRs.
const (
	x2APICFirst = x86.MSRx2APICBase
	x2APICLast  = x86.MSRx2APICBase + 0xFF
	msrEOI      = x86.MSRx2APICBase + vcpu.APICEOI
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
		v, ok := apic.ReadMSR(a, msr, c.now)
		if !ok {
			return 0, msrFault
		}
		return v, msrDone
	case msr == x86.MSRTSCDeadline:
		return apic.ReadDeadline(a), msrDone
	case msr == x86.MSRTSC:
		return a.GuestTSC(c.now), msrDone
	case msr == x86.MSRTSCAdjust:
		return a.TSCAdjust, msrDone
	case msr == x86.MSRAPICBase:
		return a.APICBase, msrDone
	case msr == x86.MSREFER:
		return c.regs[regEFER], msrDone
	}
	if p := c.syscallMSR(msr); p != nil {
		return *p, msrDone
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
		apic.WriteDeadline(a, v, c.now)
		return msrDone
	case msr == x86.MSRTSCAdjust && v == a.TSCAdjust:
		// A write that moves the TSC moves clocks that only Go knows.
		return msrDone
	}
	if p := c.syscallMSR(msr); p != nil {
		return c.writeSyscall(msr, p, v)
	}
	return msrToGo
}

// syscallMSR is where the vCPU keeps a register of SYSCALL, or nil.
func (c *vcpuMem) syscallMSR(msr uint32) *uint64 {
	switch msr {
	case x86.MSRSTAR:
		return &c.syscall.star
	case x86.MSRLSTAR:
		return &c.syscall.lstar
	case x86.MSRCSTAR:
		return &c.syscall.cstar
	case x86.MSRSFMASK:
		return &c.syscall.sfmask
	}
	return nil
}

// writeSyscall writes one. Writes are intercepted because guests make them
// once, so that the registers need not be read at the end of each turn.
func (c *vcpuMem) writeSyscall(msr uint32, p *uint64, v uint64) msrResult {
	switch msr {
	case x86.MSRLSTAR, x86.MSRCSTAR:
		if !canonical(v) {
			return msrFault
		}
	case x86.MSRSFMASK:
		v &= 0xFFFF_FFFF
	}
	*p = v
	if c.sysLive != 0 {
		reg.WriteMSR(msr, v)
	}
	return msrDone
}

// canonical tells whether the processor takes v as a linear address of 48 bits.
func canonical(v uint64) bool { return uint64(int64(v<<16)>>16) == v }

// x2APICWrite writes a register of the local APIC and does what follows.
func (c *vcpuMem) x2APICWrite(msr uint32, v uint64) msrResult {
	a := &c.area
	var act apic.Action
	if msr == msrEOI && v == 0 && apic.X2APIC(a) { // the most frequent one
		act = apic.EOI(a)
	} else {
		act = apic.WriteMSR(a, msr, v, c.now)
	}
	if act&(apic.ActionTimer|apic.ActionLook) != 0 {
		c.busy = 1 // an interrupt to oneself is seen without it
	}
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
