package nucleus

import (
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// resetGuests leaves n CPUs without guests. One counts as waiting elsewhere,
// so that nobody is told of the first: that takes an IPI.
func resetGuests(n uint32) {
	resetCPUs(n)
	setTSCFrequency(1_000_000_000)
	for i := range headTime {
		headTime[i].Store(0)
		runTime[i].Store(0)
	}
	guestsWaiting.Store(1)
}

// TestGuestQueues: a CPU takes the guest that has had least, its own unless
// another's has had clearly less.
func TestGuestQueues(t *testing.T) {
	const prefer = preferMicros * 1000 // in ticks
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint32Range(1, 4).Draw(t, "CPUs")
		resetGuests(n)
		var queues [4]int
		guests := make([]Guest, rapid.IntRange(1, 12).Draw(t, "guests"))
		for i := range guests {
			q := rapid.Uint32Range(0, n-1).Draw(t, "CPU")
			guests[i].vtime = rapid.Uint64Range(0, 4*prefer).Draw(t, "vtime")
			cpus[q].pushGuest(&guests[i])
			queues[q]++
		}
		require.EqualValues(t, 1+len(guests), guestsWaiting.Load())
		for range guests {
			least, any := leastTime()
			require.True(t, any)
			c := &cpus[rapid.Uint32Range(0, n-1).Draw(t, "taker")]
			own := headTime[c.number].Load()
			g := c.nextGuest()
			require.NotNil(t, g)
			require.LessOrEqual(t, g.vtime, least+prefer)
			if own != 0 && own <= least+1+prefer {
				require.Equal(t, own, g.vtime+1, "its own is good enough")
			}
		}
		require.Nil(t, cpus[0].nextGuest())
		require.EqualValues(t, 1, guestsWaiting.Load())
		_, any := leastTime()
		require.False(t, any)
	})
}

// TestQueueInOrder: each CPU's own guests come by virtual time, and equals in
// the order in which they came.
func TestQueueInOrder(t *testing.T) {
	resetGuests(1)
	c := &cpus[0]
	var guests [6]Guest
	for i, v := range []uint64{50, 10, 50, 0, 10, 99} {
		guests[i].vtime = v
		c.pushGuest(&guests[i])
	}
	for _, i := range []int{3, 1, 4, 0, 2, 5} {
		require.EqualValues(t, guests[i].vtime+1, headTime[0].Load())
		require.Same(t, &guests[i], c.popGuest())
	}
	require.Nil(t, c.popGuest())
	require.Zero(t, c.guestCount.Load())
	require.Zero(t, headTime[0].Load())
}

func TestClampTime(t *testing.T) {
	const ms = 1_000_000 // ticks
	resetGuests(2)
	clamped := func(v uint64) uint64 {
		g := Guest{vtime: v}
		g.clampTime()
		return g.vtime
	}
	require.EqualValues(t, 5, clamped(5), "nobody to compare with")
	require.EqualValues(t, 999*ms, clamped(999*ms))
	runTime[1].Store(500*ms + 1)
	headTime[0].Store(600*ms + 1)
	require.EqualValues(t, 497*ms, clamped(0), "sleep is not owed in full")
	require.EqualValues(t, 498*ms, clamped(498*ms))
	require.EqualValues(t, 700*ms, clamped(700*ms))
	require.EqualValues(t, 700*ms, clamped(900*ms), "nor is work done alone")
	runTime[1].Store(1*ms + 1)
	require.Zero(t, clamped(0), "no wrap below 0")
}

// TestCap: a guest runs its part of each period, and a period begins anew
// whatever was used in the last.
func TestCap(t *testing.T) {
	setTSCFrequency(1_000_000_000)
	const period = capPeriodMicros * 1000 // in ticks
	g := Guest{CapPercent: 30}
	now := uint64(1 << 40)
	require.EqualValues(t, period*30/100, g.capLeft(now))
	g.capUsed = period / 10
	require.EqualValues(t, period*20/100, g.capLeft(now+period/2))
	g.capUsed = period
	require.Zero(t, g.capLeft(now+period-1))
	require.EqualValues(t, period*30/100, g.capLeft(now+period))
	require.Equal(t, now+period, g.capStart)
}

// asCPU lets the test call what asks for its CPU: it is CPU n on its own OS
// thread, and an APIC in memory takes its interrupt commands, the last of
// which the result shows: the vector and the APIC ID.
func asCPU(t *testing.T, n uint32) func() (vector, dest uint32) {
	const archSetGS = 0x1001
	runtime.LockOSThread()
	page := new([pageSize / 4]uint32)
	for i := range cpus {
		cpus[i].apicID = uint32(i)
	}
	cpus[n].self = uintptr(unsafe.Pointer(&cpus[n]))
	_, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archSetGS, cpus[n].self, 0)
	require.Zero(t, e)
	apicPage = uintptr(unsafe.Pointer(page))
	t.Cleanup(func() {
		_, _, _ = syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archSetGS, 0, 0)
		apicPage = 0
		runtime.UnlockOSThread()
	})
	return func() (vector, dest uint32) {
		v := page[apicICR/4]
		page[apicICR/4] = 0
		return v & 0xff, page[apicICRHigh/4] >> 24
	}
}

// TestReadyBesideGoingIdle: a CPU that found nothing to do sees what is queued
// before it announces that it idles, and is poked for what is queued after.
func TestReadyBesideGoingIdle(t *testing.T) {
	for _, where := range []uint32{0, 1} { // on its own queue, on another busy CPU's
		resetThreads()
		resetGuests(3)
		guestsWaiting.Store(0)
		sent := asCPU(t, 2)
		idler := &cpus[1]
		require.True(t, idler.mayHalt())
		clearIdle(1)

		g := &Guest{}
		g.cpu.Store(where)
		guestReady(g)
		require.False(t, idler.mayHalt(), "a guest waits on CPU %d", where)
		clearIdle(1)
		require.Same(t, g, idler.nextGuest())
		sent()

		cpus[0].busy.Store(1)
		cpus[0].pushThread(mustThread(t))
		require.False(t, idler.mayHalt(), "a thread waits on CPU 0")
		require.NotNil(t, idler.steal())
		require.True(t, idler.mayHalt())
		wakeIdle(0, &cpus[2])
		vector, dest := sent()
		require.EqualValues(t, vectorResched, vector)
		require.EqualValues(t, 1, dest)
	}
}

// TestAlarmTime: a kick that the guest has not seen does not cost it its timer;
// a timer that is due is not armed again and again.
func TestAlarmTime(t *testing.T) {
	g := &Guest{WakeTSC: 1000}
	require.EqualValues(t, 1000, g.alarmTime(10))
	g.kicked.Store(1)
	require.EqualValues(t, 1000, g.alarmTime(10))
	require.Zero(t, g.alarmTime(1000))
	g.kicked.Store(0)
	require.EqualValues(t, 1000, g.alarmTime(1000), "nobody has told the guest yet")
	g.WakeTSC = 0
	require.Zero(t, g.alarmTime(10))
}
