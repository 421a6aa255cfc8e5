package svm

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// This file is the short way of Run for plain port accesses, which come in
// rows: the Exit that the caller passes again describes one already, so that
// only what differs is written.

// portAgain completes the plain port access in e, if that is what Run
// returned last, and reports whether it was.
func (v *VCPU) portAgain(e *vcpu.Exit) bool {
	if v.last != vcpu.KindPIO || e.Kind != vcpu.KindPIO || e.String || e.Emulated || e.Cancel {
		return false
	}
	c := v.c
	if !e.Write {
		setAccumulator(&c.area.GPR[x86.RAX], e.Size, e.Data)
	}
	c.enterState()
	c.stepOver(v.next)
	return true
}

// portExit describes the exit in e, which describes a plain port access, if it
// is one too, and reports whether it was.
func (v *VCPU) portExit(e *vcpu.Exit) bool {
	c := v.c
	ctl := &c.vmcb.Control
	info := ctl.ExitInfo1
	if c.reason != reasonExit || ExitCode(ctl.ExitCode) != ExitIOIO || info&ioSTR != 0 {
		return false
	}
	e.Write, e.Rep = info&ioTypeIN == 0, info&ioREP != 0
	e.Size = uint8(info >> ioSizeShift & ioSizeMask)
	e.Port = uint16(info >> ioPortShift)
	e.Data = 0
	if e.Write {
		e.Data = c.area.GPR[x86.RAX] & (1<<(8*e.Size) - 1)
	}
	e.Raw[1], e.Raw[2], e.Raw[3] = info, ctl.ExitInfo2, ctl.ExitIntInfo
	v.setNext(e, ctl.ExitInfo2)
	c.area.Exits[vcpu.KindPIO]++
	return true
}
