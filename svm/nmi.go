package svm

// This file is part of the loop in the nucleus.

import "ringo/x86"

// nmiState follows NMIs through a guest. A processor blocks them from the
// delivery of one to the end of the next IRET; SVM shows the start of the
// IRET only (APM volume 2, section 15.21.9 "NMI Support").
type nmiState struct {
	pending uint8
	blocked uint8 // in the handler, IRET not yet reached
	iret    uint8 // at the IRET, which is at iretRIP and has not completed
	iretRIP uint64
}

// inIRET tells whether a guest at rip still has to complete that IRET.
func (n *nmiState) inIRET(rip uint64) bool { return n.iret != 0 && n.iretRIP == rip }

// masked tells whether a guest at rip blocks NMIs.
func (n *nmiState) masked(rip uint64) bool { return n.blocked != 0 || n.inIRET(rip) }

// reachedIRET serves VMEXIT_IRET, which comes before the instruction.
func (c *vcpuMem) reachedIRET() {
	c.interceptIRET(false)
	c.busy = 1
	if c.nmi.blocked != 0 {
		c.nmi.blocked = 0
		c.nmi.iret = 1
		c.nmi.iretRIP = c.vmcb.Save.RIP
	}
}

func (c *vcpuMem) interceptIRET(on bool) {
	ctl := &c.vmcb.Control
	old := ctl.InterceptMisc1
	ctl.InterceptMisc1 &^= InterceptIRET
	if on {
		ctl.InterceptMisc1 |= InterceptIRET
	}
	if ctl.InterceptMisc1 != old {
		ctl.dirty(CleanI)
	}
}

// stepState is a single step that the guest does not know of, over an
// instruction that defers an event: the one in a shadow, or IRET. An
// instruction that stores RFLAGS, such as PUSHF, shows TF to the guest then;
// behind STI, MOV SS and in IRET's place none is usual.
type stepState struct {
	on   uint8
	iret uint8  // the instruction is IRET, which loads TF itself
	tf   uint64 // the guest's own TF
}

// startStep makes #DB end the next instruction.
func (c *vcpuMem) startStep() {
	if c.step.on != 0 {
		return
	}
	save := &c.vmcb.Save
	c.step = stepState{on: 1, tf: save.RFLAGS & x86.FlagTF}
	if c.nmi.inIRET(save.RIP) {
		c.step.iret = 1
	}
	save.RFLAGS |= x86.FlagTF
}

// endStep undoes it after any exit; completed says that the instruction did
// complete. It reports whether a #DB that ended it was for the guest as well.
func (c *vcpuMem) endStep(completed bool) (guests bool) {
	save, step := &c.vmcb.Save, c.step
	c.step = stepState{}
	if !completed || step.iret == 0 {
		save.RFLAGS = save.RFLAGS&^x86.FlagTF | step.tf
	}
	if !completed {
		return true
	}
	if step.tf == 0 {
		save.DR6 &^= x86.DR6BS
		c.vmcb.Control.dirty(CleanDRx)
	}
	return save.DR6&(x86.DR6B0|x86.DR6B1|x86.DR6B2|x86.DR6B3|x86.DR6BS|x86.DR6BT) != 0
}
