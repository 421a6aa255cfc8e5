package vmx

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// This file is the short way of Run for plain port accesses, which come in
// rows: the Exit that the caller passes again describes one already, so that
// only what differs is written.

// portAgain completes the plain port access in e, if that is what Run
// returned last, and reports whether it was. A device has changed at most what
// any CPU may change, so prepare need not look at everything.
func (v *VCPU) portAgain(e *vcpu.Exit) bool {
	if v.last != vcpu.KindPIO || e.Kind != vcpu.KindPIO || e.String || e.Emulated || e.Cancel {
		return false
	}
	c := v.c
	if !e.Write {
		setAccumulator(&c.area.GPR[x86.RAX], e.Size, e.Data)
	}
	// The port access has read these registers; RIP is step's.
	if c.regs[regRFLAGS] != c.area.RFLAGS || c.regs[regRSP] != c.area.GPR[x86.RSP] {
		c.enterState()
	}
	if c.step(v.next) {
		c.settleStep()
	}
	return true
}

// portExit describes the exit in e, which describes a plain port access, if it
// is one too, and reports whether it was.
func (v *VCPU) portExit(e *vcpu.Exit) bool {
	c := v.c
	q := c.exit.qualification
	if c.reason != reasonExit || c.exitReason != uint32(ExitReasonIO) || q&ioString != 0 {
		return false
	}
	e.Write, e.Rep = q&ioTypeIN == 0, q&ioREP != 0
	e.Size = uint8(q&ioSizeMask) + 1
	e.Port = uint16(q >> ioPortShift)
	e.Data = 0
	if e.Write {
		e.Data = c.area.GPR[x86.RAX] & (1<<(8*e.Size) - 1)
	}
	e.Raw[1] = q
	if v.next = c.regs[regRIP] + uint64(c.exitLength); uint32(v.next) < c.exitLength {
		v.next = c.wrapRIP(v.next)
	}
	e.Len = uint8(c.exitLength)
	c.area.Exits[vcpu.KindPIO]++
	return true
}
