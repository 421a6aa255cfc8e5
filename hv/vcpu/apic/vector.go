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

// highest is the highest vector in words from down to 0 of a 256-bit register
// that only the owner changes, or -1.
func highest(a *vcpu.Area, first uint32, from int32) int32 {
	words := (*[lastWord + 1][4]uint32)(a.APIC[first:])
	for i := from; i >= 0; i-- {
		if w := words[i&lastWord][0]; w != 0 {
			return i<<5 + int32(bits.Len32(w)) - 1
		}
	}
	return -1
}

// Bits of Area.PendingIRQ: IRR may hold interrupts, TMR has changed, and for
// each word of Posted that it may hold some.
const (
	inIRR       = 1 << 0
	newTMR      = 1 << 1
	postedShift = 8
	inPosted    = 0xFF << postedShift
)

// setTrigger notes the trigger mode of an interrupt that will be pending. Usually
// TMR is right already, and locked instructions are saved. The mark comes before
// the interrupt, so that whoever finds the one finds the other.
func setTrigger(a *vcpu.Area, vector uint8, level bool) {
	tmr, bit := wordOf(a, vcpu.APICTMR, vector)
	if set := atomic.LoadUint32(tmr)&bit != 0; set == level {
		return
	}
	if level {
		atomic.OrUint32(tmr, bit)
	} else {
		atomic.AndUint32(tmr, ^bit)
	}
	a.PendingIRQ.Or(newTMR)
}

// SetIRR makes an interrupt pending from any CPU: TMR takes its trigger mode,
// and it is posted for IRR. It checks nothing; the caller wakes the vCPU.
func SetIRR(a *vcpu.Area, vector uint8, level bool) {
	setTrigger(a, vector, level)
	word := uint32(vector >> 5)
	a.Posted[word].Or(1 << (vector & 31))
	a.PendingIRQ.Or(1 << (postedShift + word))
}

// request makes an interrupt pending on the owner's CPU.
func request(a *vcpu.Area, vector uint8, level bool) {
	setTrigger(a, vector, level)
	irr, bit := wordOf(a, vcpu.APICIRR, vector)
	*irr |= bit
	if a.PendingIRQ.Load()&inIRR == 0 {
		a.PendingIRQ.Or(inIRR)
	}
}

// collect moves what was posted into IRR. SetIRR posts before it sets
// PendingIRQ, so a bit that the exchange misses has its mark still to come.
func collect(a *vcpu.Area) {
	if a.PendingIRQ.Load()&inPosted == 0 {
		return
	}
	words := a.PendingIRQ.And(^uint32(inPosted)) & inPosted >> postedShift
	for ; words != 0; words &= words - 1 {
		i := uint32(bits.TrailingZeros32(words))
		*a.APIC.Reg(vcpu.APICIRR + i) |= a.Posted[i&lastWord].Swap(0)
	}
	a.PendingIRQ.Or(inIRR)
}

// Pending is the highest interrupt in IRR whose class is above PPR's. It
// alone clears PendingIRQ, once IRR is found empty, so that a look at an APIC
// without interrupts costs one load.
func Pending(a *vcpu.Area) (vector uint8, ok bool) {
	if a.PendingIRQ.Load() == 0 {
		return 0, false
	}
	collect(a)
	v := highest(a, vcpu.APICIRR, lastWord)
	if v < 0 {
		a.PendingIRQ.And(^uint32(inIRR | newTMR))
		return 0, false
	}
	return uint8(v), uint32(v)>>4 > *a.APIC.Reg(vcpu.APICPPR)>>4
}

// Accept moves the interrupt that Pending gave from IRR to ISR: the vCPU is
// about to take it. Its class is above all others, so it is the new PPR.
func Accept(a *vcpu.Area, vector uint8) {
	irr, bit := wordOf(a, vcpu.APICIRR, vector)
	*irr &^= bit
	isr, bit := wordOf(a, vcpu.APICISR, vector)
	*isr |= bit
	*a.APIC.Reg(vcpu.APICPPR) = uint32(vector) & 0xF0
}

// Return undoes Accept for a vCPU that has not taken the interrupt after all.
// Nothing was accepted in between.
func Return(a *vcpu.Area, vector uint8) {
	isr, bit := wordOf(a, vcpu.APICISR, vector)
	*isr &^= bit
	updatePPR(a, lastWord)
	irr, bit := wordOf(a, vcpu.APICIRR, vector)
	*irr |= bit
	a.PendingIRQ.Or(inIRR)
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
