package svm

// This file is part of the loop in the nucleus. It is how a guest gets an
// external interrupt where QEMU's TCG emulates the processor.
//
// QEMU's VMRUN delivers an interrupt of EVENTINJ itself, but leaves its vector
// in the place of an exception that is still to be delivered (helper_vmrun,
// target/i386/tcg/sysemu/svm_helper.c). Whenever another of its threads then
// asks this processor to look up before the guest's next exit or exception,
// QEMU delivers the vector once more, whatever IF says: at the first
// instruction of an interrupt handler, for one. A pending virtual interrupt
// takes a way that clears that place (APM volume 2, section 15.21.4 "Injecting
// Virtual (INTR) Interrupts").

import (
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// Who an offered interrupt is from.
const (
	offerNone  uint8 = iota
	offerAPIC        // pullInterrupts has accepted it
	offerEvent       // it is from Go
)

// offer makes the interrupt in event a virtual one for this entry. It reports
// false if the event has to go in as others do: it is no interrupt, IF is
// clear, or the virtual interrupt serves as a window.
func (c *vcpuMem) offer() bool {
	ctl := &c.vmcb.Control
	from := c.pulled
	c.pulled = offerNone
	if eventType(c.event) != EventTypeINTR ||
		c.vmcb.Save.RFLAGS&x86.FlagIF == 0 || ctl.VIntr&windowBits != 0 {
		return false
	}
	if from == offerNone {
		from = offerEvent
	}
	c.offered = from
	ctl.VIntr = ctl.VIntr&^uint64(VINTRVectorMask) | windowBits | uint64(eventVector(c.event))<<VINTRVecShift
	ctl.EventInj = 0
	c.event, c.eventSoft, c.injectedSoft = 0, 0, 0
	ctl.InterceptCRWrite = InterceptCR8Write // as openWindow says
	ctl.dirty(CleanTPR | CleanI)
	return true
}

// settleOffer finds out whether the guest has taken the interrupt: then V_IRQ
// is clear. If not, it is pending again; if its delivery was cut short, it is
// the event of the next entry, as an injected one would be. The result says
// that EXITINTINFO is about the interrupt, of which no more is to be done.
func (c *vcpuMem) settleOffer() (cut bool) {
	ctl := &c.vmcb.Control
	if ctl.VIntr&VIRQ != 0 {
		vector := uint8(ctl.VIntr >> VINTRVecShift)
		cut = ctl.ExitIntInfo&EventV != 0 && eventVector(ctl.ExitIntInfo) == vector
		if c.offered == offerAPIC && !cut {
			apic.Return(&c.area, vector)
		} else {
			c.event = uint64(vector) | EventTypeINTR | EventV
		}
	}
	c.offered, c.busy = offerNone, 1
	ctl.VIntr &^= windowBits
	ctl.InterceptCRWrite = 0
	ctl.dirty(CleanTPR | CleanI)
	return cut
}
