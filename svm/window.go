package svm

// This file is part of the loop in the nucleus.

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// noShadow is an address that RIP never has.
const noShadow = ^uint64(0)

// noteShadow remembers for afterExit that the guest is in an interrupt shadow:
// QEMU's TCG enters without it and so reports none if the instruction in the
// shadow did not complete.
func (c *vcpuMem) noteShadow() {
	c.shadowAt = noShadow
	if c.shadow() {
		c.shadowAt = c.vmcb.Save.RIP
	}
}

const windowBits = VIRQ | VIgnTPR | VINTRPrioMask

// openWindow asks for VMEXIT_VINTR when the guest can take an interrupt of
// this vector's priority: a virtual interrupt of that priority is made pending
// and its delivery intercepted (APM volume 2, section 15.21.4 "Injecting
// Virtual (INTR) Interrupts"). any ignores the task priority, as the PIC does.
//
// Inside an interrupt shadow the guest is stepped over one instruction
// instead: QEMU's TCG enters without the shadow of the VMCB.
//
// CR8 writes are intercepted meanwhile, because TCG aborts when one meets a
// pending V_IRQ.
func (c *vcpuMem) openWindow(vector uint8, any bool) {
	if c.shadow() && c.event == 0 {
		c.startStep()
		c.setVIntr(0)
		return
	}
	bits := uint64(VIRQ) | uint64(vector>>4)<<VINTRPrioShift
	if any {
		bits = VIRQ | VIgnTPR | VINTRPrioMask
	}
	c.setVIntr(bits)
	c.interceptCR8(true)
}

// closeWindow takes the request back. Where an interrupt waits only for the
// task priority to fall, the guest is stopped when it writes CR8.
func (c *vcpuMem) closeWindow() {
	if c.vmcb.Control.VIntr&windowBits == 0 && c.vmcb.Control.InterceptCRWrite == 0 && c.area.PendingIRQ.Load() == 0 {
		return
	}
	c.setVIntr(0)
	c.interceptCR8(c.area.PendingIRQ.Load() != 0 && *c.area.APIC.Reg(vcpu.APICTPR)>>x86.CR8TPRShift != 0)
}

// setVIntr sets the window's part of the virtual interrupt word, and VINTR's
// intercept with it.
func (c *vcpuMem) setVIntr(bits uint64) {
	ctl := &c.vmcb.Control
	if ctl.VIntr&windowBits == bits {
		return
	}
	ctl.VIntr = ctl.VIntr&^uint64(windowBits) | bits
	ctl.InterceptMisc1 &^= InterceptVINTR
	if bits != 0 {
		ctl.InterceptMisc1 |= InterceptVINTR
	}
	ctl.dirty(CleanTPR | CleanI)
}

func (c *vcpuMem) interceptCR8(on bool) {
	ctl := &c.vmcb.Control
	want := uint16(0)
	if on {
		want = InterceptCR8Write
	}
	if ctl.InterceptCRWrite != want {
		ctl.InterceptCRWrite = want
		ctl.dirty(CleanI)
	}
}

// syncTPR brings a CR8 that the guest wrote into its APIC page.
func (c *vcpuMem) syncTPR() {
	tpr := uint8(c.vmcb.Control.VIntr & 0xF)
	if uint8(*c.area.APIC.Reg(vcpu.APICTPR))>>x86.CR8TPRShift != tpr {
		c.busy = 1
		apic.SetTPR(&c.area, tpr<<x86.CR8TPRShift)
	}
}

// loadTPR is the other direction, before an entry.
func (c *vcpuMem) loadTPR() {
	ctl := &c.vmcb.Control
	tpr := uint64(uint8(*c.area.APIC.Reg(vcpu.APICTPR)) >> x86.CR8TPRShift)
	if ctl.VIntr&VTPRMask != tpr {
		ctl.VIntr = ctl.VIntr&^uint64(VTPRMask) | tpr
		ctl.dirty(CleanTPR)
	}
}
