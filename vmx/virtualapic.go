package vmx

// This file is part of the loop in the nucleus: the local APIC in the hands of
// the processor (SDM volume 3C, chapter 30 "APIC Virtualization and Virtual
// Interrupts").
//
// In x2APIC mode the processor serves most reads of APIC registers, the end of
// an interrupt, the task priority and the self-IPI register without an exit,
// and delivers what IRR requests as soon as the guest can take it. It works on
// the page that the software APIC uses, so that each takes over where the other
// has stopped: only the vectors that the VMCS holds beside the page (the guest
// interrupt status) are computed anew.
//
// IRR belongs to this vCPU. What other CPUs post is moved there before an entry.
// Everything that a register write means beside the page (the ICR, the timer,
// the local vector table) is an exit as without virtualization.

import (
	"sync/atomic"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
)

// virtualAPIC are the secondary controls of a virtualized APIC. They are used
// together or not at all.
const virtualAPIC = SecondaryVirtualizeX2APIC | SecondaryAPICRegister | SecondaryVirtualInterrupt

// What of the VMCS's view of the APIC is out of date: bits of
// vcpuHead.statusDue.
const (
	statusRequested = 1 << iota // the highest vector in IRR
	statusInService             // and in ISR, which the processor follows by itself
	statusTriggers              // TMR

	statusAll = 1<<iota - 1
)

// chooseAPIC decides who serves the APIC from the next entry on.
func (c *vcpuMem) chooseAPIC() {
	a := &c.area
	on := uint8(0)
	if apic.Virtualizable(a) && (c.features&featureClosed == 0 || c.noneLeft()) {
		on = 1
	}
	if on != c.virtual {
		c.virtual, c.statusDue = on, statusAll
		if on == 0 {
			apic.Scatter(a)
		}
	}
	if on == 0 || c.statusDue == 0 && a.PendingIRQ.Load() == 0 {
		return
	}
	requested, triggers := apic.Gather(a)
	c.requested = requested
	c.statusDue |= statusRequested
	if triggers {
		c.statusDue |= statusTriggers
	}
}

// clearVirtualAPIC is the part of buildVMCS for a virtual APIC.
func (c *vcpuMem) clearVirtualAPIC() {
	c.virtualIn, c.eoiExit = 0, [4]uint64{}
	vmwrite(uint64(FieldGuestInterruptStatus), 0)
	for i := range c.eoiExit {
		vmwrite(uint64(FieldEOIExitBitmap0)+2*uint64(i), 0)
	}
}

// writeAPIC brings the VMCS in line with what chooseAPIC decided.
func (c *vcpuMem) writeAPIC() {
	if c.virtual != c.virtualIn {
		c.virtualIn = c.virtual
		secondary, bitmap := c.controls.secondary, c.bitmapPA
		if c.virtual != 0 {
			secondary, bitmap = secondary|virtualAPIC, bitmap+bitmapSize
		}
		vmwrite(uint64(FieldSecondaryControls), uint64(secondary))
		vmwrite(uint64(FieldMSRBitmaps), bitmap)
	}
	if c.virtual == 0 || c.statusDue == 0 {
		return
	}
	status := vmread(uint64(FieldGuestInterruptStatus))&^0xFF | uint64(c.requested)
	if c.statusDue&statusInService != 0 {
		status = uint64(apic.InService(&c.area))<<8 | uint64(c.requested)
	}
	vmwrite(uint64(FieldGuestInterruptStatus), status)
	if c.statusDue&statusTriggers != 0 {
		c.writeTriggers()
	}
	c.statusDue = 0
}

// writeTriggers makes the ends of level-triggered interrupts exits.
func (c *vcpuMem) writeTriggers() {
	for i := range c.eoiExit {
		if exits := c.levelTriggered(uint32(i)); c.eoiExit[i] != exits {
			c.eoiExit[i] = exits
			vmwrite(uint64(FieldEOIExitBitmap0)+2*uint64(i), exits)
		}
	}
}

// levelTriggered are the vectors from 64*i on whose end the I/O APIC must know.
func (c *vcpuMem) levelTriggered(i uint32) uint64 {
	low, high := c.area.APIC.Reg(vcpu.APICTMR+2*i), c.area.APIC.Reg(vcpu.APICTMR+2*i+1)
	return uint64(atomic.LoadUint32(high))<<32 | uint64(atomic.LoadUint32(low))
}

// exitEOI is the end of a level-triggered interrupt, which the processor has
// done on the page.
func (c *vcpuMem) exitEOI() (nucleus.Verdict, bool) {
	c.reason, c.reasonData = reasonEOI, c.exit.qualification&0xFF
	return nucleus.VerdictExit, true
}

// exitAPICWrite is a register write that the processor has done on the page but
// knows no more about: the self-IPI register with a vector that is not legal.
// The instruction is complete. No other register comes here in x2APIC mode.
func (c *vcpuMem) exitAPICWrite() (nucleus.Verdict, bool) {
	if c.exit.qualification != 16*vcpu.APICSelfIPI {
		return nucleus.VerdictExit, true
	}
	c.count(vcpu.KindWRMSR)
	c.x2APICWrite(x86.MSRx2APICBase+vcpu.APICSelfIPI, uint64(*c.area.APIC.Reg(vcpu.APICSelfIPI)))
	return 0, false
}
