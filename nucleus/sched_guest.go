package nucleus

import (
	"sync/atomic"
	"unsafe"

	"ringo/nucleus/reg"
)

// The guest class: a queue per CPU, ordered by weighted run time. Each CPU
// takes the guest that has had least, wherever it waits (share.go).

const guestSliceMicros = 3000

// States of a Guest. Whoever takes it from guestHalted to guestClaimed makes
// it runnable.
const (
	guestIdle uint32 = iota // its owner runs Go
	guestRunnable
	guestRunning
	guestHalted
	guestClaimed
	guestResting // has used up its cap; only the timer ends that
)

// guestRunFn is the backend's run function.
var guestRunFn func(*Guest) Verdict

// SetGuestRun sets the backend's run function, a plain top-level one, before
// the first Enter.
func SetGuestRun(run func(*Guest) Verdict) { guestRunFn = run }

func guestAt(p uintptr) *Guest { return (*Guest)(unsafe.Pointer(p)) }

func (g *Guest) addr() uintptr { return uintptr(unsafe.Pointer(g)) }

// Seen takes the kicked flag. The run function calls it before it looks at
// what a kick may be about, so that a later kick is seen the next time.
func (g *Guest) Seen() bool {
	return g.kicked.Load() != 0 && g.kicked.Swap(0) != 0
}

// Preempt says that the run function must return VerdictPreempt.
func Preempt() bool {
	c := thisCPU()
	return c.runCount.Load() != 0 || c.guestOver != 0
}

// PreemptOn is Preempt for a caller that has VendorCPU's words at hand.
func PreemptOn(words *[32]uint64) bool {
	c := (*CPU)(unsafe.Add(unsafe.Pointer(words), -int(unsafe.Offsetof(CPU{}.Vendor))))
	return c.runCount.Load()|c.guestOver != 0
}

// TakeInterrupts lets the interrupts in that the host has pending, and
// serves them.
func TakeInterrupts() {
	c := thisCPU()
	openWindow()
	c.handlePending()
}

// Wake makes g look at its memory again: from a halt, or out of the guest if
// it runs on another CPU. Nucleus code only.
func (g *Guest) Wake() {
	g.kicked.Store(1)
	switch g.state.Load() {
	case guestRunning:
		self := thisCPU()
		if c := &cpus[g.cpu.Load()]; c != self {
			sendIPI(c, vectorResched)
		}
	case guestHalted:
		if g.state.CompareAndSwap(guestHalted, guestClaimed) {
			cancelTimer(threadAt(g.thread))
			guestReady(g)
		}
	}
}

// guestReady queues a claimed guest on an idle CPU or on its own.
func guestReady(g *Guest) {
	self := thisCPU()
	n, ok := takeIdle(g.cpu.Load())
	if !ok {
		n = g.cpu.Load()
	}
	c := &cpus[n]
	g.state.Store(guestRunnable)
	c.lock.lock()
	c.pushGuest(g)
	c.lock.unlock()
	switch {
	case ok || c != self && atomic.LoadUintptr(&c.guest) != 0:
		poke(c, self) // it wakes up, or looks whether g comes before its guest
	case c == self:
		c.preferWaiting()
	}
	if !ok {
		wakeIdle(n, self)
	}
}

// pushGuest enters g by its virtual time. c.lock is held.
func (c *CPU) pushGuest(g *Guest) {
	g.clampTime()
	link := &c.guestHead
	for *link != 0 && guestAt(*link).vtime <= g.vtime {
		link = &guestAt(*link).next
	}
	g.next = *link
	*link = g.addr()
	c.guestCount.Store(c.guestCount.Load() + 1)
	c.publishHead()
	if guestsWaiting.Add(1) == 1 {
		tellRunning(c)
	}
}

// preferMicros keeps guests from changing places all the time.
const preferMicros = 250

// preferWaiting ends the turn of the guest that runs here if one that waits
// has had clearly less.
func (c *CPU) preferWaiting() {
	if c.guest == 0 || c.guestCount.Load() == 0 {
		return
	}
	now := reg.ReadTSC()
	c.lock.lock()
	least := uint64(1<<64 - 1)
	if c.guestHead != 0 {
		least = guestAt(c.guestHead).vtime + preferMicros*ticksPerUs
	}
	c.lock.unlock()
	g := guestAt(c.guest)
	if c.quick != 0 || least < g.vtime+g.weighted(now-c.guestStart) {
		c.guestOver = 1
	}
}

// weighted is run time in units that count equal for equal shares.
func (g *Guest) weighted(ticks uint64) uint64 {
	if g.Weight == 100 || g.Weight == 0 {
		return ticks
	}
	return ticks * 100 / uint64(g.Weight)
}

// popGuest takes the guest that is owed most, or returns nil.
func (c *CPU) popGuest() *Guest {
	if c.guestCount.Load() == 0 {
		return nil
	}
	c.lock.lock()
	p := c.guestHead
	if p == 0 {
		c.lock.unlock()
		return nil
	}
	g := guestAt(p)
	c.guestHead = g.next
	c.guestCount.Store(c.guestCount.Load() - 1)
	c.publishHead()
	guestsWaiting.Add(^uint32(0))
	c.lock.unlock()
	return g
}

// runGuests runs waiting guests until none is left, a host thread is due, or
// one needs Go: then it returns the thread that entered that one.
func (c *CPU) runGuests() *Thread {
	for c.runCount.Load() == 0 {
		g := c.nextGuest()
		if g == nil {
			return nil
		}
		if g.CapPercent != 0 && c.throttle(g) {
			continue
		}
		if t := c.runGuest(g); t != nil {
			return t
		}
	}
	return nil
}

// runGuest gives g a turn on this CPU. It returns its thread if Go is needed.
func (c *CPU) runGuest(g *Guest) *Thread {
	g.cpu.Store(c.number)
	g.state.Store(guestRunning)
	atomic.StoreUintptr(&c.guest, g.addr())
	before := g.RunTicks
	runTime[c.number].Store(g.vtime + 1)
	c.guestStart = reg.ReadTSC()
	c.startGuestSlice(g, c.guestStart)
	for {
		if g.WakeTSC != 0 {
			c.armBy(g.WakeTSC)
		}
		v := guestRunFn(g)
		switch v {
		case VerdictExit:
			c.stopGuest(g, before)
			g.state.Store(guestIdle)
			t := threadAt(g.thread)
			t.guest, t.wait = 0, waitNone
			t.Regs.RAX = 0
			return t
		case VerdictHalt:
			if c.haltGuest(g, before) {
				return nil
			}
			before = g.RunTicks
			c.guestStart = reg.ReadTSC()
		case VerdictYield:
			if c.guestCount.Load() != 0 {
				c.requeueGuest(g, before)
				return nil
			}
			TakeInterrupts()
		default:
			c.requeueGuest(g, before)
			return nil
		}
	}
}

func (c *CPU) startGuestSlice(g *Guest, now uint64) {
	c.guestOver, c.guestSlice = 0, 0
	if guestsWaiting.Load() != 0 {
		c.guestSlice = now + guestSliceMicros*ticksPerUs
	}
	if g.CapPercent != 0 {
		end := now + g.capLeft(now)
		if c.guestSlice == 0 || end < c.guestSlice {
			c.guestSlice = end
		}
	}
	if c.guestSlice != 0 {
		c.armBy(c.guestSlice)
	}
}

// charge books ticks that g ran.
func (c *CPU) charge(g *Guest, ran uint64) {
	c.stats.GuestTicks += ran
	g.capUsed += ran
	g.vtime += g.weighted(ran)
}

// stopGuest ends the turn of g, whose RunTicks were before at its beginning.
func (c *CPU) stopGuest(g *Guest, before uint64) {
	atomic.StoreUintptr(&c.guest, 0)
	runTime[c.number].Store(0)
	c.guestSlice = 0
	c.charge(g, g.RunTicks-before)
}

// haltGuest blocks g until it is woken. It reports false if a wake-up came in
// between, and g goes on.
func (c *CPU) haltGuest(g *Guest, before uint64) bool {
	c.stopGuest(g, before)
	t := threadAt(g.thread)
	if g.WakeTSC != 0 {
		c.sleepUntil(t, g.WakeTSC)
	}
	g.state.Store(guestHalted)
	if g.kicked.Load() == 0 || !g.state.CompareAndSwap(guestHalted, guestClaimed) {
		return true
	}
	cancelTimer(t)
	g.cpu.Store(c.number) // it may have run and halted elsewhere in between
	g.state.Store(guestRunning)
	runTime[c.number].Store(g.vtime + 1)
	atomic.StoreUintptr(&c.guest, g.addr())
	return false
}

// requeueGuest puts g back to wait, on an idle CPU if a host thread takes
// this one.
func (c *CPU) requeueGuest(g *Guest, before uint64) {
	c.stopGuest(g, before)
	if c.runCount.Load() != 0 {
		g.state.Store(guestClaimed)
		guestReady(g)
		return
	}
	g.state.Store(guestRunnable)
	c.lock.lock()
	c.pushGuest(g)
	c.lock.unlock()
}

// guestTimer serves the timer interrupt for the guest that runs here, or for
// the quick entry that it was armed for.
func (c *CPU) guestTimer(now uint64) {
	over := c.guestSlice != 0 && now >= c.guestSlice
	if over {
		c.guestSlice = 0
	}
	if c.guest == 0 {
		return
	}
	switch {
	case over && c.quick != 0 && c.quickEntries != c.quickLimited:
		c.limitQuick(now)
	case over:
		c.guestOver = 1
	}
	if g := guestAt(c.guest); g.WakeTSC != 0 && now >= g.WakeTSC {
		g.kicked.Store(1)
	}
}

// alarmTime is when the timer must end the guest's stay, or 0. A guest whose
// time has come and that has been told so needs no timer. One that has a kick
// of another CPU waiting does: looking at that does not arm it.
func (g *Guest) alarmTime(now uint64) uint64 {
	if now >= g.WakeTSC && g.kicked.Load() != 0 {
		return 0
	}
	return g.WakeTSC
}

// armGuest arms the timer for the guest that runs here.
func (c *CPU) armGuest() {
	if c.guest != 0 {
		if w := guestAt(c.guest).alarmTime(reg.ReadTSC()); w != 0 {
			c.armBy(w)
		}
		if c.guestSlice == 0 && c.guestOver == 0 && guestsWaiting.Load() != 0 {
			c.guestSlice = reg.ReadTSC() + guestSliceMicros*ticksPerUs
		}
	}
	if c.guestSlice != 0 {
		c.armBy(c.guestSlice)
	}
}

// enterGuest serves the patient form of Enter: the thread has given up its P.
func enterGuest(t *Thread, g *Guest) *Thread {
	c := thisCPU()
	c.account(t)
	t.guest, t.wait = g.addr(), waitGuest
	g.thread = t.id
	t.state.Store(threadBlocked)
	c.busy.Store(0)
	if c.runCount.Load()|guestsWaiting.Load()|g.CapPercent == 0 {
		g.clampTime()
		if next := c.runGuest(g); next != nil {
			return c.dispatch(next)
		}
		return schedule(c)
	}
	g.state.Store(guestClaimed)
	guestReady(g)
	return schedule(c)
}
