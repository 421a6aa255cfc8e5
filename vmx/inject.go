package vmx

// This file is part of the loop in the nucleus. It decides which event enters
// the guest (SDM volume 3C, sections 27.6 "Event Injection" and 27.7.5
// "Interrupt-Window Exiting and Virtual-Interrupt Delivery").

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// eventType gives the type field of an interruption information.
func eventType(e uint32) uint32 { return e & EventTypeMask }

// eventVector gives its vector.
func eventVector(e uint32) uint8 { return uint8(e) }

// isException tells whether an event is an exception, whoever raised it.
func isException(e uint32) bool {
	return e != 0 && (eventType(e) == EventTypeException || eventType(e) == EventTypeSoftExc)
}

// raise queues an exception. One that meets another on its way combines with
// it as the processor does; an interrupt or NMI that it meets is lost, as it
// is on a processor.
func (c *vcpuMem) raise(vector uint8, hasError bool, code uint32) {
	first := uint8(x86.VectorNMI)
	if isException(c.event) {
		first = eventVector(c.event)
	}
	c.busy = 1
	if c.event != 0 {
		switch x86.Combine(first, vector) {
		case x86.CombineDoubleFault:
			vector, hasError, code = x86.VectorDF, true, 0
		case x86.CombineShutdown:
			c.tripleFault = 1
			return
		}
	}
	c.event = uint32(vector) | EventTypeException | EventValid
	c.eventError, c.eventHasCR2 = code, 0
	if hasError {
		c.event |= EventErrorCode
	}
}

// takeBack queues the event whose delivery an exit cut short. An NMI blocks
// NMIs from its delivery on, which has not happened then.
func (c *vcpuMem) takeBack() {
	c.busy = 1
	c.event = c.exit.vectoring &^ EventUnblockedNMI
	c.eventError, c.eventLen = c.exit.vectoringEC, c.exitLength
	c.eventHasCR2 = 0 // CR2 is right already
	if eventType(c.event) == EventTypeNMI {
		c.blockNMI(false)
	}
}

// loadEvent moves the queued event into the VMCS for this entry.
func (c *vcpuMem) loadEvent() {
	info := c.entryInfo()
	if info&EventErrorCode != 0 {
		vmwrite(uint64(FieldEntryExceptionErrorCode), uint64(c.eventError&errorCodeMask))
	}
	if t := eventType(info); t >= EventTypeSoftInt {
		vmwrite(uint64(FieldEntryInstructionLength), uint64(c.eventLen))
	}
	if c.eventHasCR2 != 0 {
		c.cr2, c.cr2Live = c.eventCR2, 0
	}
	c.fetch(partInterrupt)
	c.endShadow() // a delivery ends it
	vmwrite(uint64(FieldEntryInterruptionInfo), uint64(info))
	c.event, c.eventHasCR2 = 0, 0
}

// entryInfo is the queued event as VM entry accepts it: an error code goes with
// the exceptions that have one, outside of real mode, and with nothing else
// (SDM volume 3C, section 27.2.1.3 "VM-Entry Control Fields").
func (c *vcpuMem) entryInfo() uint32 {
	info := c.event &^ EventErrorCode
	if eventType(info) == EventTypeException && c.regs[regCR0Shadow]&x86.CR0PE != 0 &&
		eventVector(info) < x86.NumExceptions && withErrorCode>>eventVector(info)&1 != 0 {
		info |= EventErrorCode
	}
	return info
}

// withErrorCode has a bit for each vector with which VM entry demands an error
// code.
const withErrorCode = 1<<x86.VectorDF | 1<<x86.VectorTS | 1<<x86.VectorNP | 1<<x86.VectorSS | 1<<x86.VectorGP |
	1<<x86.VectorPF | 1<<x86.VectorAC

// errorCodeMask are the bits of an error code that VM entry accepts.
const errorCodeMask = 0x7FFF

// open tells whether the guest would take an interrupt now.
func (c *vcpuMem) open() bool {
	return c.event == 0 && c.regs[regRFLAGS]&x86.FlagIF != 0 && !c.shadow()
}

// pullInterrupts gives the guest the interrupt that waits in its APIC, or asks
// for an exit as soon as it can take one; from a virtual APIC the processor
// takes it. It reports true if Go has to act: an interrupt of the PIC, which Go
// acknowledges, or a window that Go asked for.
func (c *vcpuMem) pullInterrupts() (toGo bool) {
	a := &c.area
	vector, ok := uint8(0), false
	if a.PendingIRQ.Load() != 0 && c.virtual == 0 {
		vector, ok = apic.Pending(a)
	}
	ext := a.ExtINT.Load() != 0 && apic.ExtINT(a)
	c.want(PrimaryInterruptWindowExiting, false)
	c.wantThreshold = 0
	switch {
	case !ok && !ext && c.window == 0:
		c.waitForTPR()
	case !c.open():
		c.want(PrimaryInterruptWindowExiting, true)
	case ext || c.window != 0:
		c.reason = reasonIntrWindow
		return true
	default:
		apic.Accept(a, vector)
		c.event = uint32(vector) | EventTypeExternal | EventValid
		if a.PendingIRQ.Load() != 0 {
			_, more := apic.Pending(a)
			c.want(PrimaryInterruptWindowExiting, more)
		}
	}
	return false
}

// waitForTPR asks for an exit when the guest lowers its task priority, where
// that alone holds an interrupt back.
func (c *vcpuMem) waitForTPR() {
	if c.area.PendingIRQ.Load() != 0 && c.virtual == 0 {
		c.wantThreshold = *c.area.APIC.Reg(vcpu.APICTPR) & 0xFF >> x86.CR8TPRShift
	}
}

// want sets or clears a primary control for the next entry.
func (c *vcpuMem) want(bit uint32, on bool) {
	c.wantPrimary &^= bit
	if on {
		c.wantPrimary |= bit
	}
}

// takeNMI queues a waiting NMI, or arranges for an exit when it can go in.
func (c *vcpuMem) takeNMI() {
	if c.event != 0 || c.nmiBlocked() || c.shadow() {
		c.want(PrimaryNMIWindowExiting, true)
		return
	}
	c.nmi = 0
	c.want(PrimaryNMIWindowExiting, false)
	c.event = x86.VectorNMI | EventTypeNMI | EventValid
}

// nmiBlocked tells whether the guest is in an NMI handler. With virtual NMIs
// the processor keeps that itself.
func (c *vcpuMem) nmiBlocked() bool {
	c.fetch(partInterrupt)
	return c.regs[regInterruptibility]&BlockingNMI != 0
}

func (c *vcpuMem) blockNMI(on bool) {
	c.fetch(partInterrupt)
	c.regs[regInterruptibility] &^= BlockingNMI
	if on {
		c.regs[regInterruptibility] |= BlockingNMI
	}
	c.changed(partInterrupt)
}

// syncTPR brings a task priority that the guest wrote without an exit into its
// processor priority, unless the processor has done so.
func (c *vcpuMem) syncTPR(tpr uint8) {
	c.tpr = tpr
	if c.virtual == 0 {
		c.busy = 1
		apic.SetTPR(&c.area, tpr)
	}
}
