package apic_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/hv/vcpu/apic/apictest"
)

const timerVector = 0xEC

func timerVM(t require.TestingT, mode, divide uint64) *vcpu.Area {
	vm := newVM(t, 1, true)
	a := vm.CPU[0]
	require.Zero(t, apic.Write(a, vcpu.APICLVTTimer, mode<<17|timerVector, 0)&apic.ActionGP)
	require.Zero(t, apic.Write(a, vcpu.APICDivide, divide, 0)&apic.ActionGP)
	keep = vm
	return a
}

// keep holds the VM of the running test: an Area refers to it by number only.
var keep *apictest.VM

func count(t require.TestingT, a *vcpu.Area, now uint64) uint64 {
	v, ok := apic.Read(a, vcpu.APICCurCount, now)
	require.True(t, ok)
	return v
}

func TestOneShot(t *testing.T) {
	const divideBy1 = 0xB
	a := timerVM(t, 0, divideBy1)
	const start = 5_000_000
	require.Equal(t, apic.ActionTimer, apic.Write(a, vcpu.APICInitCount, 1000, start))
	require.Equal(t, uint64(start+2500), a.TimerTSC, "1000 ns at 2.5 GHz")
	require.Equal(t, uint64(1000), count(t, a, start))
	require.Equal(t, uint64(500), count(t, a, start+1250))
	require.Equal(t, uint64(1), count(t, a, start+2499), "not 0 before it fires")
	require.False(t, apic.TimerDue(a, start+2499))
	require.True(t, apic.TimerDue(a, start+2500))
	v, ok := apic.Pending(a)
	require.True(t, ok)
	require.Equal(t, uint8(timerVector), v)
	require.Zero(t, a.TimerTSC)
	require.Zero(t, count(t, a, start+2501))
	require.False(t, apic.TimerDue(a, math.MaxUint64))

	apic.Write(a, vcpu.APICInitCount, 1000, start)
	require.Equal(t, apic.ActionTimer, apic.Write(a, vcpu.APICInitCount, 0, start))
	require.Zero(t, a.TimerTSC, "a count of 0 stops it")
}

func TestDividers(t *testing.T) {
	for code, by := range map[uint64]uint64{0: 2, 1: 4, 2: 8, 3: 16, 8: 32, 9: 64, 0xA: 128, 0xB: 1} {
		a := timerVM(t, 0, code)
		apic.Write(a, vcpu.APICInitCount, math.MaxUint32, 100)
		require.Equal(t, 100+math.MaxUint32*by*5/2, a.TimerTSC, "divide by %d", by)
		require.Equal(t, uint64(math.MaxUint32), count(t, a, 100))
	}
	a := timerVM(t, 0, 0xB)
	apic.Write(a, vcpu.APICInitCount, 1000, 0)
	require.Equal(t, apic.ActionTimer, apic.Write(a, vcpu.APICDivide, 0, 1250), "half way")
	require.Equal(t, uint64(1250+500*2*5/2), a.TimerTSC)
}

func TestPeriodic(t *testing.T) {
	a := timerVM(t, 1, 0xB)
	const period = 2_500_000 // 1 ms
	apic.Write(a, vcpu.APICInitCount, 1_000_000, 1000)
	require.Equal(t, uint64(period), a.TimerPeriod)
	require.True(t, apic.TimerDue(a, 1000+period+5))
	require.Equal(t, uint64(1000+2*period), a.TimerTSC, "no drift")
	require.Equal(t, uint64(500_000), count(t, a, 1000+period+period/2))
	require.True(t, apic.TimerDue(a, 1000+7*period+1))
	require.Equal(t, uint64(1000+8*period), a.TimerTSC, "missed periods are skipped")

	require.Equal(t, apic.ActionTimer|apic.ActionLook, apic.Write(a, vcpu.APICLVTTimer, timerVector, 1000+8*period-50))
	require.Zero(t, a.TimerPeriod, "to one-shot in the middle of a period")
	require.Equal(t, uint64(1000+8*period), a.TimerTSC)

	apic.Write(a, vcpu.APICLVTTimer, 1<<17|timerVector, 0)
	apic.Write(a, vcpu.APICInitCount, 1, 0)
	require.GreaterOrEqual(t, a.TimerPeriod, uint64(hz/100_000), "a storm is slowed down")
	require.LessOrEqual(t, count(t, a, 0), uint64(1))
}

func TestMaskedTimerExpires(t *testing.T) {
	a := timerVM(t, 0, 0xB)
	apic.Write(a, vcpu.APICLVTTimer, 1<<16|timerVector, 0)
	apic.Write(a, vcpu.APICInitCount, 10, 0)
	require.False(t, apic.TimerDue(a, 1000))
	require.Zero(t, a.TimerTSC)
	_, ok := apic.Pending(a)
	require.False(t, ok)
}

func TestIllegalTimerVector(t *testing.T) {
	a := timerVM(t, 0, 0xB)
	apic.Write(a, vcpu.APICLVTTimer, 5, 0)
	apic.Write(a, vcpu.APICInitCount, 10, 0)
	apic.TimerDue(a, 1000)
	_, ok := apic.Pending(a)
	require.False(t, ok)
	apic.Write(a, vcpu.APICESR, 0, 0)
	require.Equal(t, uint64(1<<6), read(t, a, vcpu.APICESR))
}

func TestDeadline(t *testing.T) {
	a := timerVM(t, 0, 0xB)
	require.Zero(t, apic.WriteDeadline(a, 5000, 0), "another mode: ignored")
	require.Zero(t, apic.ReadDeadline(a))
	apic.Write(a, vcpu.APICInitCount, 1000, 0)
	require.Equal(t, apic.ActionTimer|apic.ActionLook, apic.Write(a, vcpu.APICLVTTimer, 2<<17|timerVector, 0))
	require.Zero(t, a.TimerTSC, "the change of mode disarms")
	require.Zero(t, apic.Write(a, vcpu.APICInitCount, 1000, 0), "ignored in this mode")

	a.TSCOffset = ^uint64(999) // the guest's TSC is 1000 behind
	require.Equal(t, apic.ActionTimer, apic.WriteDeadline(a, 5000, 2000))
	require.Equal(t, uint64(6000), a.TimerTSC)
	require.Zero(t, count(t, a, 2000))
	a.TSCOffset += 1000
	require.Equal(t, apic.ActionTimer, apic.OffsetChanged(a, 3000))
	require.Equal(t, uint64(5000), a.TimerTSC)
	require.True(t, apic.TimerDue(a, 5000))
	require.Zero(t, apic.ReadDeadline(a), "cleared when it fires")

	apic.WriteDeadline(a, 1, 8000)
	require.Equal(t, uint64(8000), a.TimerTSC, "in the past: at once")
	apic.WriteDeadline(a, math.MaxUint64, 8000)
	require.Equal(t, uint64(math.MaxUint64), a.TimerTSC)
	apic.WriteDeadline(a, 0, 8000)
	require.Zero(t, a.TimerTSC)
}

func TestTimerResume(t *testing.T) {
	a := timerVM(t, 1, 0xB)
	apic.Write(a, vcpu.APICInitCount, 1_000_000, 0)
	ns, armed := apic.Remaining(a, 1_000_000) // 400 us gone
	require.True(t, armed)
	require.Equal(t, uint64(600_000), ns)
	keep.Shared.TSCPerSec = 1_000_000_000 // migrated to a slower host
	apic.Resume(a, 50, ns, armed)
	require.Equal(t, uint64(600_050), a.TimerTSC)
	require.Equal(t, uint64(1_000_000), a.TimerPeriod)
	apic.Resume(a, 50, math.MaxUint64, true)
	require.Equal(t, uint64(1_000_050), a.TimerTSC, "never beyond a period")
	apic.Resume(a, 50, 0, false)
	require.Zero(t, a.TimerTSC)
}

// TestCountFallsSteadily: the count never rises, and the timer fires when it
// reaches 0 and not before.
func TestCountFallsSteadily(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := timerVM(t, 0, rapid.SampledFrom([]uint64{0, 1, 2, 3, 8, 9, 10, 11}).Draw(t, "divide"))
		keep.Shared.TSCPerSec = rapid.Uint64Range(1, 10_000_000_000).Draw(t, "hz")
		init := rapid.Uint64Range(1, math.MaxUint32).Draw(t, "init")
		now := rapid.Uint64Range(0, 1<<62).Draw(t, "now")
		apic.Write(a, vcpu.APICInitCount, init, now)
		last := init
		for a.TimerTSC != 0 {
			c := count(t, a, now)
			require.LessOrEqual(t, c, last)
			require.Equal(t, now >= a.TimerTSC, c == 0)
			last = c
			apic.TimerDue(a, now)
			now += (a.TimerTSC-a.TimerArm)/7 + 1
		}
	})
}

func TestNoTSCFrequency(t *testing.T) {
	a := timerVM(t, 1, 0)
	keep.Shared.TSCPerSec = 0
	apic.Write(a, vcpu.APICInitCount, 100, 0)
	apic.TimerDue(a, 10)
	count(t, a, 20)
}

// TestScaledDeadline: a deadline is in the guest's ticks, which pass at the
// VM's own rate.
func TestScaledDeadline(t *testing.T) {
	a := timerVM(t, 2, 0)
	a.VMArea().TSCRatio = vcpu.TSCRatio(1_000_000_000, 4_000_000_000)
	const now = 10_000
	a.SetGuestTSC(70_000, now)
	apic.WriteDeadline(a, 70_100, now)
	require.EqualValues(t, now+400, a.TimerTSC)
	require.GreaterOrEqual(t, a.GuestTSC(a.TimerTSC), uint64(70_100))
	require.False(t, apic.TimerDue(a, now+399))
	require.True(t, apic.TimerDue(a, now+400))

	apic.WriteDeadline(a, 70_100, now)
	a.TSCOffset -= 40
	apic.OffsetChanged(a, now)
	require.EqualValues(t, now+560, a.TimerTSC)
	apic.WriteDeadline(a, math.MaxUint64, now)
	require.EqualValues(t, uint64(math.MaxUint64), a.TimerTSC, "never")
}
