package nucleus

import (
	"math/bits"
	"sync/atomic"

	"ringo/nucleus/reg"
)

// Two classes share a CPU. Host threads run Go; they come first, first come
// first served, with a time slice when others wait. Guests run when no host
// thread wants the CPU (sched_guest.go).

const sliceMicros = 4000

// idleMask has a bit for each CPU that halts for want of work.
var idleMask [MaxCPUs / 64]atomic.Uint64

func setIdle(n uint32)   { idleMask[n/64].Or(1 << (n % 64)) }
func clearIdle(n uint32) { idleMask[n/64].And(^uint64(1 << (n % 64))) }

// takeIdle finds an idle CPU, prefer first, and claims it by clearing its bit.
func takeIdle(prefer uint32) (uint32, bool) {
	if old := idleMask[prefer/64].And(^uint64(1 << (prefer % 64))); old>>(prefer%64)&1 != 0 {
		return prefer, true
	}
	for i := uint32(0); i <= nCPU.Load()/64 && i < uint32(len(idleMask)); i++ {
		for m := idleMask[i].Load(); m != 0; m = idleMask[i].Load() {
			b := uint32(bits.TrailingZeros64(m))
			if old := idleMask[i].And(^uint64(1 << b)); old>>b&1 != 0 {
				return i*64 + b, true
			}
		}
	}
	return 0, false
}

// pushThread puts t at the end of c's queue. c.lock is held.
func (c *CPU) pushThread(t *Thread) {
	t.next = 0
	if c.runTail != 0 {
		threadAt(c.runTail).next = t.id
	} else {
		c.runHead = t.id
	}
	c.runTail = t.id
	c.runCount.Store(c.runCount.Load() + 1)
}

// popThread takes the first thread of c's queue, or returns nil.
func (c *CPU) popThread() *Thread {
	if c.runCount.Load() == 0 {
		return nil
	}
	c.lock.lock()
	id := c.runHead
	if id == 0 {
		c.lock.unlock()
		return nil
	}
	t := threadAt(id)
	c.runHead = t.next
	if c.runHead == 0 {
		c.runTail = 0
	}
	c.runCount.Store(c.runCount.Load() - 1)
	c.lock.unlock()
	return t
}

// ready makes a claimed or new thread runnable and finds it a CPU: an idle
// one, one that runs no host thread, else its own.
func ready(t *Thread) {
	self := thisCPU()
	n, ok := takeIdle(t.cpu)
	if !ok {
		n = leastBusy(t.cpu, self)
	}
	c := &cpus[n]
	t.state.Store(threadRunnable)
	c.lock.lock()
	c.pushThread(t)
	c.lock.unlock()
	poke(c, self)
	if !ok {
		wakeIdle(c.number, self)
	}
}

// wakeIdle pokes an idle CPU for work that was just queued on CPU n. A CPU may
// have gone idle since the queue was chosen; one that goes idle later sees the
// work itself (mayHalt): it announces itself before it looks, and the work was
// queued before this looks.
func wakeIdle(n uint32, self *CPU) {
	if i, ok := takeIdle(n); ok {
		poke(&cpus[i], self)
	}
}

// leastBusy finds a CPU without a host thread, the preferred one and the
// caller's first: one that runs a guest will do, since host threads come
// before guests everywhere.
func leastBusy(prefer uint32, self *CPU) uint32 {
	if cpus[prefer].free() {
		return prefer
	}
	if self.free() {
		return self.number
	}
	for i := uint32(0); i < nCPU.Load(); i++ {
		if cpus[i].free() {
			return i
		}
	}
	return prefer
}

// free says that c neither runs a host thread nor has one waiting.
func (c *CPU) free() bool { return c.busy.Load() == 0 && c.runCount.Load() == 0 }

// poke makes c look at its queues soon.
func poke(c, self *CPU) {
	c.resched.Store(1)
	if c != self {
		sendIPI(c, vectorResched)
	}
}

// yield puts the current thread at the end of the queue.
func (c *CPU) yield(t *Thread) *Thread {
	c.account(t)
	t.state.Store(threadRunnable)
	c.lock.lock()
	c.pushThread(t)
	c.lock.unlock()
	return schedule(c)
}

// block ends the turn of the current thread, whose state says already that it
// waits, and gives the next thread to resume. The caller must have called
// account before it published that state.
func (c *CPU) block() *Thread { return schedule(c) }

// account charges the time since t was resumed.
func (c *CPU) account(t *Thread) {
	now := reg.ReadTSC()
	t.ticks += now - t.started
	c.stats.HostTicks += now - t.started
	t.started = now
}

// dispatch makes t the thread that c runs.
func (c *CPU) dispatch(t *Thread) *Thread {
	t.state.Store(threadRunning)
	t.cpu = c.number
	t.started = reg.ReadTSC()
	c.busy.Store(1)
	c.stats.Switches++
	c.sliceOver, c.sliceEnd = 0, 0
	if c.runCount.Load() != 0 {
		c.startSlice(t.started)
	}
	return t
}

// startSlice limits the current host thread's turn: another waits.
func (c *CPU) startSlice(now uint64) {
	c.sliceEnd = now + sliceMicros*ticksPerUs
	c.armBy(c.sliceEnd)
}

// schedule finds what c does next and returns the thread to resume. It runs
// guests and idles inside.
func schedule(c *CPU) *Thread {
	for {
		c.resched.Store(0)
		c.busy.Store(0)
		tlbPoll()
		if t := c.popThread(); t != nil {
			return c.dispatch(t)
		}
		if t := c.steal(); t != nil {
			return c.dispatch(t)
		}
		if t := c.runGuests(); t != nil {
			return c.dispatch(t)
		}
		if c.runCount.Load() == 0 && c.guestCount.Load() == 0 {
			c.idleOnce()
		}
	}
}

// steal takes a host thread that waits on another CPU.
func (c *CPU) steal() *Thread {
	n := nCPU.Load()
	for i := uint32(1); i < n; i++ {
		v := &cpus[(c.number+i)%n]
		if v.runCount.Load() != 0 {
			if t := v.popThread(); t != nil {
				return t
			}
		}
	}
	return nil
}

// idleOnce halts until something comes, and handles it.
func (c *CPU) idleOnce() {
	start := reg.ReadTSC()
	c.stats.IdleSince = start
	if c.mayHalt() {
		haltWindow()
	} else {
		openWindow()
	}
	clearIdle(c.number)
	c.idle.Store(0)
	tlbPoll()
	c.stats.IdleSince = 0
	c.stats.IdleTicks += reg.ReadTSC() - start
	c.handlePending()
}

// mayHalt announces that c idles, and says whether there still is nothing that
// it could do: no thread waits on any CPU, and no guest.
func (c *CPU) mayHalt() bool {
	c.idle.Store(1)
	setIdle(c.number)
	if c.resched.Load()|guestsWaiting.Load() != 0 || c.anyPending() {
		return false
	}
	for i := uint32(0); i < nCPU.Load(); i++ {
		if cpus[i].runCount.Load() != 0 {
			return false
		}
	}
	return true
}

func (c *CPU) anyPending() bool {
	return c.pending[0]|c.pending[1]|c.pending[2]|c.pending[3] != 0
}

// handlePending serves the vectors that came in a window.
func (c *CPU) handlePending() {
	for w := range c.pending {
		for c.pending[w] != 0 {
			b := uint(bits.TrailingZeros64(c.pending[w]))
			c.pending[w] &^= 1 << b
			c.interrupt(uint32(w)*64 + uint32(b))
		}
	}
}

// interrupt serves one external interrupt on this CPU.
func (c *CPU) interrupt(vector uint32) {
	c.stats.Interrupts++
	if vector == vectorSpurious {
		return
	}
	apicEndOfInterrupt()
	switch vector {
	case vectorTimer:
		c.armed = 0
		c.timerDue()
	case vectorResched:
		c.resched.Store(1)
		// A quick entry ends: somebody wants its thread, by a signal, or the
		// CPU, and the patient form of Enter sorts it out.
		c.guestOver |= c.quick
		c.preferWaiting()
		c.armGuest()
	case vectorTLB:
		tlbPoll()
	case vectorCall:
		c.runCall()
	case vectorError:
	default:
		deviceInterrupt(vector)
	}
}

// timerDue ends waits and turns whose time is up.
func (c *CPU) timerDue() {
	now := reg.ReadTSC()
	c.expire(now)
	if c.sliceEnd != 0 && now >= c.sliceEnd {
		c.sliceEnd, c.sliceOver = 0, 1
		c.resched.Store(1)
	}
	c.guestTimer(now)
	c.rearm()
}

// threadInterrupt is called with the interrupted thread saved.
func threadInterrupt(t *Thread, vector, _ uint64) *Thread {
	c := thisCPU()
	c.interrupt(uint32(vector))
	return c.leave(t)
}

// leave gives the thread to resume after t was in the nucleus: t itself unless
// its turn is over, with a signal if one is due.
func (c *CPU) leave(t *Thread) *Thread {
	if c.resched.Load() != 0 {
		c.resched.Store(0)
		switch {
		case c.runCount.Load() == 0:
			c.sliceOver = 0
		case c.sliceOver != 0:
			t = c.yield(t)
		case c.sliceEnd == 0:
			c.startSlice(reg.ReadTSC())
		}
	}
	return deliver(t)
}
