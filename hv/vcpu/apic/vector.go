package apic

import (
	"math/bits"
	"sync/atomic"

	"ringo/hv/vcpu"
)

// A 256-bit register (IRR, ISR, TMR) is eight registers of 32 bits; lastWord
// has the highest vectors.
const lastWord = 7

func wordOf(a *vcpu.Area, first uint32, vector uint8) (*uint32, uint32) {
	return a.APIC.Reg(first + uint32(vector>>5)), 1 << (vector & 31)
}

// highest is the highest vector in words from down to 0 of a 256-bit register,
// or -1.
func highest(a *vcpu.Area, first uint32, from int32) int32 {
	for i := from; i >= 0; i-- {
		if w := atomic.LoadUint32(a.APIC.Reg(first + uint32(i))); w != 0 {
			return i<<5 + int32(bits.Len32(w)) - 1
		}
	}
	return -1
}

// SetIRR makes an interrupt pending: TMR takes its trigger mode, then IRR and
// PendingIRQ are set. It checks nothing; the caller wakes the vCPU.
func SetIRR(a *vcpu.Area, vector uint8, level bool) {
	tmr, bit := wordOf(a, vcpu.APICTMR, vector)
	// Usually TMR is right already, and a locked instruction is saved.
	if set := atomic.LoadUint32(tmr)&bit != 0; set != level {
		if level {
			atomic.OrUint32(tmr, bit)
		} else {
			atomic.AndUint32(tmr, ^bit)
		}
	}
	irr, bit := wordOf(a, vcpu.APICIRR, vector)
	atomic.OrUint32(irr, bit)
	if a.PendingIRQ.Load() == 0 {
		a.PendingIRQ.Store(1)
	}
}

// Pending is the highest interrupt in IRR whose class is above PPR's. It
// alone clears PendingIRQ, once IRR is found empty, so that a look at an APIC
// without interrupts costs one load.
func Pending(a *vcpu.Area) (vector uint8, ok bool) {
	if a.PendingIRQ.Load() == 0 {
		return 0, false
	}
	v := highest(a, vcpu.APICIRR, lastWord)
	if v < 0 {
		// SetIRR sets IRR before it reads PendingIRQ. The exchange below is a
		// full barrier, so either it sees 0 and sets 1, or we see its bit now.
		a.PendingIRQ.Store(0)
		if v = highest(a, vcpu.APICIRR, lastWord); v < 0 {
			return 0, false
		}
		a.PendingIRQ.Store(1)
	}
	return uint8(v), uint32(v)>>4 > *a.APIC.Reg(vcpu.APICPPR)>>4
}

// Accept moves the interrupt that Pending gave from IRR to ISR: the vCPU is
// about to take it. Its class is above all others, so it is the new PPR.
func Accept(a *vcpu.Area, vector uint8) {
	irr, bit := wordOf(a, vcpu.APICIRR, vector)
	atomic.AndUint32(irr, ^bit)
	isr, bit := wordOf(a, vcpu.APICISR, vector)
	*isr |= bit
	*a.APIC.Reg(vcpu.APICPPR) = uint32(vector) & 0xF0
}

// EOI ends the highest interrupt in service.
func EOI(a *vcpu.Area) Action {
	v := highest(a, vcpu.APICISR, lastWord)
	if v < 0 {
		return 0
	}
	vector := uint8(v)
	isr, bit := wordOf(a, vcpu.APICISR, vector)
	*isr &^= bit
	updatePPR(a, v>>5)
	act := Action(0)
	if a.PendingIRQ.Load() != 0 {
		act = ActionLook
	}
	if tmr, bit := wordOf(a, vcpu.APICTMR, vector); atomic.LoadUint32(tmr)&bit != 0 {
		act |= ActionEOI | Action(vector)
	}
	return act
}

// SetTPR sets the task priority, as a write of CR8 (shifted left by 4) or of
// the register does.
func SetTPR(a *vcpu.Area, tpr uint8) Action {
	*a.APIC.Reg(vcpu.APICTPR) = uint32(tpr)
	updatePPR(a, lastWord)
	return ActionLook
}

// updatePPR computes the processor priority (section 11.8.3.1 "Task and
// Processor Priorities"). No bit of ISR is set above word from.
func updatePPR(a *vcpu.Area, from int32) {
	ppr := *a.APIC.Reg(vcpu.APICTPR) & 0xFF
	if v := highest(a, vcpu.APICISR, from); v >= 0 && uint32(v)>>4 > ppr>>4 {
		ppr = uint32(v) & 0xF0
	}
	*a.APIC.Reg(vcpu.APICPPR) = ppr
}
