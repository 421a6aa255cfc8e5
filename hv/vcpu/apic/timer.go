package apic

import (
	"math"
	"math/bits"

	"ringo/hv/vcpu"
)

const (
	nanosPerSec = 1_000_000_000
	// maxPeriodsPerSec bounds how often a periodic timer fires, so that a
	// guest cannot keep its CPU busy with nothing but timer exits.
	maxPeriodsPerSec = 100_000
)

// TimerDue fires the timer if its time has come at now (host TSC), arms a
// periodic one again, and says whether an interrupt became pending. Periods
// that were missed altogether are skipped, as IRR could not hold them. The
// caller takes the next wake-up from Area.TimerTSC.
func TimerDue(a *vcpu.Area, now uint64) bool {
	if a.TimerTSC == 0 || now < a.TimerTSC {
		return false
	}
	if period := a.TimerPeriod; period != 0 {
		missed := (now - a.TimerTSC) / period
		a.TimerArm = a.TimerTSC + missed*period
		a.TimerTSC = addSaturated(a.TimerArm, period)
	} else {
		a.TSCDeadline = 0
		disarm(a)
	}
	return local(a, vcpu.APICLVTTimer)
}

// ReadDeadline reads IA32_TSC_DEADLINE.
func ReadDeadline(a *vcpu.Area) uint64 { return a.TSCDeadline }

// WriteDeadline writes IA32_TSC_DEADLINE, in guest TSC ticks, at time now
// (host TSC). It has no effect in the other timer modes.
func WriteDeadline(a *vcpu.Area, v, now uint64) Action {
	if timerMode(a) != timerDeadline {
		return 0
	}
	a.TSCDeadline = v
	armDeadline(a, now)
	return ActionTimer
}

// OffsetChanged arms the timer again after Area.TSCOffset has changed.
func OffsetChanged(a *vcpu.Area, now uint64) Action {
	if timerMode(a) != timerDeadline {
		return 0
	}
	armDeadline(a, now)
	return ActionTimer
}

// Remaining is the time in nanoseconds until the one-shot or periodic timer
// fires, with armed false if it does not run or follows the TSC. Resume takes
// it, perhaps on a host whose TSC has another rate.
func Remaining(a *vcpu.Area, now uint64) (ns uint64, armed bool) {
	vm := a.VMArea()
	ticks, armed := remainingTicks(a, now)
	if !armed || vm == nil {
		return 0, false
	}
	return mulDiv(ticks, nanosPerSec, vm.TSCPerSec), true
}

// Resume arms the timer at time now (host TSC) from its registers, so that it
// fires after ns nanoseconds; ns and armed are what Remaining gave. A
// TSC-deadline timer follows Area.TSCDeadline instead.
func Resume(a *vcpu.Area, now, ns uint64, armed bool) {
	vm := a.VMArea()
	disarm(a)
	if timerMode(a) == timerDeadline {
		armDeadline(a, now)
		return
	}
	if period := countTicks(a, *a.APIC.Reg(vcpu.APICInitCount)); armed && period != 0 {
		armAt(a, now, min(mulDiv(ns, vm.TSCPerSec, nanosPerSec), period))
	}
}

// remainingTicks is Remaining in host TSC ticks.
func remainingTicks(a *vcpu.Area, now uint64) (ticks uint64, armed bool) {
	switch {
	case a.TimerTSC == 0 || timerMode(a) == timerDeadline:
		return 0, false
	case now < a.TimerTSC:
		return a.TimerTSC - now, true
	case a.TimerPeriod != 0: // it was due, but nobody has looked yet
		return a.TimerPeriod - (now-a.TimerTSC)%a.TimerPeriod, true
	}
	return 0, true
}

func timerMode(a *vcpu.Area) uint32 { return *a.APIC.Reg(vcpu.APICLVTTimer) & lvtTimerMode }

func disarm(a *vcpu.Area) {
	a.TimerTSC, a.TimerArm, a.TimerPeriod = 0, 0, 0
}

// armAt arms a one-shot or periodic timer for ticks from now.
func armAt(a *vcpu.Area, now, ticks uint64) {
	a.TimerArm = now
	a.TimerTSC = max(addSaturated(now, ticks), 1)
	a.TimerPeriod = 0
	if timerMode(a) == timerPeriodic {
		a.TimerPeriod = countTicks(a, *a.APIC.Reg(vcpu.APICInitCount))
	}
}

// armDeadline arms the timer for Area.TSCDeadline; 0 disarms it.
func armDeadline(a *vcpu.Area, now uint64) {
	disarm(a)
	if a.TSCDeadline == 0 {
		return
	}
	a.TimerArm = now
	a.TimerTSC = max(now, 1) // a deadline in the past fires at once
	if guestNow := a.GuestTSC(now); a.TSCDeadline > guestNow {
		a.TimerTSC = max(addSaturated(now, a.VMArea().HostTicks(a.TSCDeadline-guestNow)), 1)
	}
}

func writeInitCount(a *vcpu.Area, v uint32, now uint64) Action {
	if timerMode(a) == timerDeadline {
		return 0
	}
	*a.APIC.Reg(vcpu.APICInitCount) = v
	if ticks := countTicks(a, v); ticks == 0 {
		disarm(a)
	} else {
		armAt(a, now, ticks)
	}
	return ActionTimer
}

// writeDivide changes the speed of a running timer from now on.
func writeDivide(a *vcpu.Area, v uint32, now uint64) Action {
	left := currentCount(a, now)
	*a.APIC.Reg(vcpu.APICDivide) = v
	if left == 0 {
		return 0
	}
	armAt(a, now, countTicks(a, left))
	return ActionTimer
}

// writeLVTTimer disarms the timer when the mode changes to or from
// TSC-deadline; a count goes on between one-shot and periodic (SDM volume 3A,
// section 11.5.4.1 "TSC-Deadline Mode").
func writeLVTTimer(a *vcpu.Area, lvt uint32, now uint64) Action {
	old := timerMode(a)
	left, armed := remainingTicks(a, now)
	setReg(a, vcpu.APICLVTTimer, lvt)
	mode := lvt & lvtTimerMode
	if mode == old {
		return ActionLook
	}
	if mode > timerPeriodic || old > timerPeriodic {
		a.TSCDeadline = 0
		disarm(a)
	} else if armed {
		armAt(a, now, left)
	}
	return ActionTimer | ActionLook
}

// currentCount computes the current-count register from the TSC.
func currentCount(a *vcpu.Area, now uint64) uint32 {
	vm := a.VMArea()
	ticks, armed := remainingTicks(a, now)
	if !armed || vm == nil {
		return 0
	}
	// Rounded up twice: the count must not reach 0 before the interrupt.
	ns := mulDiv(ticks, nanosPerSec, vm.TSCPerSec)
	if mulDiv(ns, vm.TSCPerSec, nanosPerSec) < ticks {
		ns++
	}
	shift := divideShift(a)
	count := (ns + 1<<shift - 1) >> shift
	return uint32(min(count, uint64(*a.APIC.Reg(vcpu.APICInitCount))))
}

// countTicks converts a count to host TSC ticks; 0 for a count of 0.
func countTicks(a *vcpu.Area, count uint32) uint64 {
	vm := a.VMArea()
	if vm == nil || count == 0 {
		return 0
	}
	ticks := mulDiv(uint64(count)<<divideShift(a), vm.TSCPerSec, nanosPerSec)
	if timerMode(a) == timerPeriodic {
		ticks = max(ticks, vm.TSCPerSec/maxPeriodsPerSec)
	}
	return max(ticks, 1)
}

// divideShift is the binary logarithm of the divisor (section 11.5.4, figure
// "Divide Configuration Register").
func divideShift(a *vcpu.Area) uint {
	d := *a.APIC.Reg(vcpu.APICDivide)
	return uint(((d>>1&4 | d&3) + 1) & 7)
}

// mulDiv is x*y/z without overflow in between; it saturates, also where z is
// 0.
func mulDiv(x, y, z uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	if hi >= z {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, z)
	return q
}

func addSaturated(x, y uint64) uint64 {
	s, carry := bits.Add64(x, y, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return s
}
