package svm

// This file is part of the loop in the nucleus. It decides which event enters
// the guest (APM volume 2, sections 15.20 "Event Injection" and 15.21
// "Interrupt and Local APIC Support").

import (
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// eventType gives the type field of an EVENTINJ or EXITINTINFO value.
func eventType(e uint64) uint64 { return e & EventTypeMask }

// eventVector gives its vector.
func eventVector(e uint64) uint8 { return uint8(e) }

// exceptionEvent is the EVENTINJ value of an exception.
func exceptionEvent(vector uint8, hasError bool, code uint32) uint64 {
	e := uint64(vector) | EventTypeExcept | EventV
	if hasError {
		e |= EventEV | uint64(code)<<EventErrorCodeShift
	}
	return e
}

// softException tells whether an exception event is one that INT3 or INTO
// raises.
func softException(e uint64) bool {
	v := eventVector(e)
	return eventType(e) == EventTypeExcept && (v == x86.VectorBP || v == x86.VectorOF)
}

// raise queues an exception. One that meets another on its way combines with
// it as the processor does; an interrupt or NMI that it meets is lost, as it
// is on a processor.
func (c *vcpuMem) raise(vector uint8, hasError bool, code uint32) {
	first := uint8(x86.VectorNMI)
	if eventType(c.event) == EventTypeExcept {
		first = eventVector(c.event)
	}
	if c.event != 0 {
		switch x86.Combine(first, vector) {
		case x86.CombineDoubleFault:
			vector, hasError, code = x86.VectorDF, true, 0
		case x86.CombineShutdown:
			c.tripleFault, c.busy = 1, 1
			return
		}
	}
	c.busy = 1
	c.event = exceptionEvent(vector, hasError, code)
	c.eventSoft, c.eventHasCR2 = 0, 0
}

// takeBack takes the event in EXITINTINFO, whose delivery an exit cut short: it
// is queued again. A software event of the guest's own instruction is
// dropped, because RIP is still at that instruction, which runs again.
func (c *vcpuMem) takeBack() {
	info := c.vmcb.Control.ExitIntInfo
	c.busy = 1
	soft := eventType(info) == EventTypeSoft || softException(info)
	if soft && c.injectedSoft == 0 {
		return
	}
	c.event = info
	c.eventSoft = c.injectedSoft
	c.eventHasCR2 = 0 // the VMCB's CR2 is right already
}

// loadEvent moves the queued event into the VMCB for this entry. A software
// event returns to eventRIP: processors with NRIPS take it from nRIP, others
// push RIP, which has to be past the instruction already.
func (c *vcpuMem) loadEvent() {
	ctl, save := &c.vmcb.Control, &c.vmcb.Save
	ctl.EventInj = c.event
	c.injectedSoft = c.eventSoft
	if c.event == 0 {
		return
	}
	if c.features&featureOffer != 0 && c.offer() {
		return
	}
	if save.CR0&x86.CR0PE == 0 {
		ctl.EventInj &^= EventEV // real mode pushes no error code
	}
	ctl.InterruptShadow &^= ShadowActive // a delivery ends it
	if c.eventHasCR2 != 0 {
		save.CR2 = c.eventCR2
		ctl.dirty(CleanCR2)
	}
	switch {
	case c.eventSoft == 0:
		ctl.NRIP = save.RIP // #BP and #OF as plain exceptions
	case c.features&featureNRIP != 0:
		ctl.NRIP = c.eventRIP
	default:
		save.RIP = c.eventRIP
	}
	c.event, c.eventSoft, c.eventHasCR2 = 0, 0, 0
}

// shadow tells whether the guest is in an interrupt shadow.
func (c *vcpuMem) shadow() bool { return c.vmcb.Control.InterruptShadow&ShadowActive != 0 }

// open tells whether the guest would take an interrupt now.
func (c *vcpuMem) open() bool {
	return c.event == 0 && c.vmcb.Save.RFLAGS&x86.FlagIF != 0 && !c.shadow()
}

// pullInterrupts gives the guest the interrupt that waits in its APIC, or asks
// for an exit as soon as it can take one. It reports true if Go has to act: an
// interrupt of the PIC, which Go acknowledges, or a window that Go asked for.
func (c *vcpuMem) pullInterrupts() (toGo bool) {
	if c.step.on != 0 { // looks again behind the step
		c.setVIntr(0)
		return false
	}
	a := &c.area
	vector, ok := uint8(0), false
	if a.PendingIRQ.Load() != 0 {
		vector, ok = apic.Pending(a)
	}
	ext := a.ExtINT.Load() != 0 && apic.ExtINT(a)
	if !ok && !ext && c.window == 0 {
		c.closeWindow()
		return false
	}
	if !c.open() {
		c.openWindow(vector, ext || c.window != 0)
		return false
	}
	if ext || c.window != 0 {
		c.reason = reasonIntrWindow
		return true
	}
	apic.Accept(a, vector)
	c.pulled = offerAPIC
	c.event = uint64(vector) | EventTypeINTR | EventV
	if a.PendingIRQ.Load() != 0 {
		if next, more := apic.Pending(a); more {
			c.openWindow(next, false)
			return false
		}
	}
	c.closeWindow()
	return false
}

// takeNMI queues a waiting NMI, or arranges for an exit when it can go in.
func (c *vcpuMem) takeNMI() {
	switch {
	case c.nmi.blocked != 0:
		// The IRET intercept is on.
	case c.event != 0:
		// The handler that this event enters ends with IRET at the latest.
		c.interceptIRET(true)
	case c.nmi.inIRET(c.vmcb.Save.RIP) || c.shadow():
		c.startStep()
	default:
		c.nmi = nmiState{blocked: 1}
		c.event = x86.VectorNMI | EventTypeNMI | EventV
		c.interceptIRET(true)
	}
}
