package vmx

// This file is part of the loop in the nucleus: ways around two faults of Bochs.
//
// With external-interrupt exiting an interrupt of the host ends the guest
// whatever RFLAGS.IF of the guest is. Bochs 2.7 gets that right when the guest
// clears IF, but not when it is entered with IF clear: no interrupt comes then
// until the guest changes IF. There the VMX-preemption timer bounds the stay.
//
// After the guest has cleared IF, even if it was clear already, an interrupt of
// the host makes Bochs 2.7 look for a virtual interrupt first, and it delivers
// one that is due although IF is clear. So the processor gets no virtual
// interrupt that can be due then: see noneLeft.

import (
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// bochsRevision is the VMCS revision identifier of Bochs' processors.
const bochsRevision = 0x2B

// closedStays is how many stays with IF clear fit in a second.
const closedStays = 50_000

// preemptionShift are the bits of IA32_VMX_MISC that say how many times slower
// than the TSC the preemption timer counts (SDM volume 3D, section A.6).
const preemptionShift = 0x1F

// flagIFShift is the number of RFLAGS.IF.
const flagIFShift = 9

// neverTimed in vcpuHead.timed is no value of RFLAGS.IF.
const neverTimed = 2

// boundStay makes the preemption timer run exactly for entries with IF clear.
func (c *vcpuMem) boundStay() {
	pin := c.controls.pin
	c.timed = 0
	if c.regs[regRFLAGS]&x86.FlagIF == 0 {
		pin |= PinPreemptionTimer
		c.timed = 1
	}
	vmwrite(uint64(FieldPinBasedControls), uint64(pin))
}

// stayTicks is the value of the preemption timer that bounds a stay.
func stayTicks(tscPerSec, misc uint64) uint64 {
	return max(tscPerSec/closedStays>>(misc&preemptionShift), 1)
}

// noneLeft tells whether the processor may serve the APIC: nothing is
// requested, or one interrupt, which the guest takes with this entry. Either
// way IRR is empty while the guest runs with IF clear, and no end of an
// interrupt and no lower task priority makes another one due. A guest with more
// than that, or with IF clear, gets its interrupts from the loop.
func (c *vcpuMem) noneLeft() bool {
	a := &c.area
	switch apic.Waiting(a) {
	case 0:
		return true
	case 1:
		return c.nmi == 0 && c.open() && apic.Requested(a)
	}
	return false
}
