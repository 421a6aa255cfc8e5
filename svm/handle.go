package svm

// This file is part of the loop in the nucleus: what happens after an exit.

import (
	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/x86"
)

// handle serves the exit in the VMCB. stop says that the verdict holds;
// without it the guest is entered again.
func (c *vcpuMem) handle() (v nucleus.Verdict, stop bool) {
	code := ExitCode(c.vmcb.Control.ExitCode)
	c.reason = reasonExit
	if c.step.on != 0 && !c.endStep(true) {
		return 0, false // #DB ended our own step
	}
	switch code {
	case ExitCPUID:
		return c.exitCPUID()
	case ExitMSR:
		return c.exitMSR()
	case ExitHLT:
		return c.exitHLT()
	case ExitVINTR:
		c.count(vcpu.KindIntrWindow)
		return 0, false
	case ExitIRET:
		c.count(vcpu.KindNMIWindow)
		c.reachedIRET()
		return 0, false
	case ExitPAUSE:
		return c.exitPAUSE()
	case ExitWBINVD, ExitINVD:
		return c.exitCache()
	case ExitExcp + x86.VectorDB:
		c.count(vcpu.KindException)
		c.raise(x86.VectorDB, false, 0)
		return 0, false
	case ExitExcp + x86.VectorAC:
		c.count(vcpu.KindException)
		c.raise(x86.VectorAC, true, uint32(c.vmcb.Control.ExitInfo1))
		return 0, false
	}
	if code == ExitNPF {
		return c.exitNPF()
	}
	if code >= ExitDRRead && code < ExitExcp {
		c.count(vcpu.KindCR)
		c.loadDR()
		return 0, false
	}
	return nucleus.VerdictExit, true
}

// count counts an exit that needs no Go.
func (c *vcpuMem) count(k vcpu.Kind) {
	c.area.Exits[k]++
	c.area.Fast[k]++
}

// needLength leaves an exit to Go until the instruction's length is known.
func (c *vcpuMem) needLength() (nucleus.Verdict, bool) {
	c.reason = reasonLength
	return nucleus.VerdictExit, true
}

func (c *vcpuMem) exitCPUID() (nucleus.Verdict, bool) {
	next, ok := c.nextRIP()
	if !ok {
		return c.needLength()
	}
	if !c.fastCPUID() {
		return nucleus.VerdictExit, true
	}
	c.count(vcpu.KindCPUID)
	c.stepOver(next)
	return 0, false
}

func (c *vcpuMem) exitMSR() (nucleus.Verdict, bool) {
	next, ok := c.nextRIP()
	if !ok {
		return c.needLength()
	}
	a, s := &c.area, &c.vmcb.Save
	msr, kind := uint32(a.GPR[x86.RCX]), vcpu.KindRDMSR
	var v uint64
	var r msrResult
	if c.vmcb.Control.ExitInfo1&1 != 0 {
		kind = vcpu.KindWRMSR
		r = c.fastWRMSR(msr, uint64(uint32(s.RAX))|a.GPR[x86.RDX]<<32)
	} else if v, r = c.fastRDMSR(msr); r == msrDone {
		s.RAX, a.GPR[x86.RDX] = uint64(uint32(v)), v>>32
	}
	switch r {
	case msrToGo:
		return nucleus.VerdictExit, true
	case msrFault:
		c.count(kind)
		c.raise(x86.VectorGP, true, 0)
		return 0, false
	}
	c.count(kind)
	c.stepOver(next)
	if r == msrDoneEOI {
		c.reason = reasonEOI
		return nucleus.VerdictExit, true
	}
	return 0, false
}

// exitHLT halts the vCPU; prepare wakes it at once if something waits.
func (c *vcpuMem) exitHLT() (nucleus.Verdict, bool) {
	next, ok := c.nextRIP()
	if !ok {
		return c.needLength()
	}
	c.count(vcpu.KindHLT)
	c.stepOver(next)
	c.area.Activity = uint32(x86.ActivityHalted)
	c.busy = 1
	return 0, false
}

// exitPAUSE gives the CPU to another vCPU, which may be the one that this one
// waits for.
func (c *vcpuMem) exitPAUSE() (nucleus.Verdict, bool) {
	next, ok := c.nextRIP()
	if !ok {
		return c.needLength()
	}
	c.count(vcpu.KindPAUSE)
	c.stepOver(next)
	return nucleus.VerdictYield, true
}

// exitCache steps over WBINVD and INVD: guest memory is coherent write-back
// memory whatever the guest does.
func (c *vcpuMem) exitCache() (nucleus.Verdict, bool) {
	next, ok := c.nextRIP()
	if !ok {
		return c.needLength()
	}
	c.count(vcpu.KindInsn)
	c.stepOver(next)
	return 0, false
}
