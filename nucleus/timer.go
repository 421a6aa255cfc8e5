package nucleus

// Each CPU keeps the threads that wait for a time in a pairing heap: insertion
// is one comparison, any member can be taken out, and the nodes lie in the
// Thread records, so that it never needs memory. c.lock guards it.

// timerNode is a thread's place in a CPU's heap.
type timerNode struct {
	when    uint64 // TSC
	child   uint32
	sibling uint32
	prev    uint32 // parent if first child, else the sibling before; 0 for the root
	cpu     uint32 // CPU number + 1 of the heap it is in; 0 when in none
}

// meld joins two heaps and returns the root.
func meld(a, b uint32) uint32 {
	if a == 0 {
		return b
	}
	if b == 0 {
		return a
	}
	ta, tb := &threadAt(a).timer, &threadAt(b).timer
	if tb.when < ta.when {
		a, b, ta, tb = b, a, tb, ta
	}
	tb.prev, tb.sibling = a, ta.child
	if ta.child != 0 {
		threadAt(ta.child).timer.prev = b
	}
	ta.child, ta.sibling, ta.prev = b, 0, 0
	return a
}

// meldAll joins a list of siblings, pairwise from the front and then backwards.
func meldAll(first uint32) uint32 {
	var pairs uint32 // list of melded pairs, last first, through sibling
	for first != 0 {
		a := first
		b := threadAt(a).timer.sibling
		first = 0
		if b != 0 {
			first = threadAt(b).timer.sibling
			threadAt(b).timer.sibling, threadAt(b).timer.prev = 0, 0
		}
		threadAt(a).timer.sibling, threadAt(a).timer.prev = 0, 0
		m := meld(a, b)
		threadAt(m).timer.sibling = pairs
		pairs = m
	}
	var root uint32
	for pairs != 0 {
		next := threadAt(pairs).timer.sibling
		threadAt(pairs).timer.sibling = 0
		root = meld(root, pairs)
		pairs = next
	}
	return root
}

// addTimer puts t into c's heap, to be woken at TSC when. c.lock is held.
func (c *CPU) addTimer(t *Thread, when uint64) {
	t.timer = timerNode{when: when, cpu: c.number + 1}
	c.timers = meld(c.timers, t.id)
}

// dropTimer takes t out of c's heap. c.lock is held.
func (c *CPU) dropTimer(t *Thread) {
	n := &t.timer
	if c.timers == t.id {
		c.timers = meldAll(n.child)
	} else {
		p := &threadAt(n.prev).timer
		if p.child == t.id {
			p.child = n.sibling
		} else {
			p.sibling = n.sibling
		}
		if n.sibling != 0 {
			threadAt(n.sibling).timer.prev = n.prev
		}
		c.timers = meld(c.timers, meldAll(n.child))
	}
	t.timer = timerNode{}
}

// cancelTimer takes t out of whatever heap it is in. Nobody else can put it
// into one meanwhile: the caller has claimed it.
func cancelTimer(t *Thread) {
	if n := t.timer.cpu; n != 0 {
		c := &cpus[n-1]
		c.lock.lock()
		if t.timer.cpu != 0 {
			c.dropTimer(t)
		}
		c.lock.unlock()
	}
}

// expire makes runnable every thread of c whose time has come.
func (c *CPU) expire(now uint64) {
	for {
		c.lock.lock()
		id := c.timers
		if id == 0 || threadAt(id).timer.when > now {
			c.lock.unlock()
			return
		}
		t := threadAt(id)
		c.dropTimer(t)
		// Claimed under the lock: whoever else would wake t takes the lock
		// to cancel the timer before t can run again.
		claimed := t.claim()
		c.lock.unlock()
		if claimed {
			t.timeout()
		}
	}
}

// claim takes a blocked thread, or the halted guest that it waits in, for the
// caller to make runnable.
func (t *Thread) claim() bool {
	if t.wait == waitGuest {
		g := guestAt(t.guest)
		return g.state.CompareAndSwap(guestHalted, guestClaimed) || g.state.CompareAndSwap(guestResting, guestClaimed)
	}
	return t.state.CompareAndSwap(threadBlocked, threadClaimed)
}

// timeout ends the wait of a claimed thread because its time is up.
func (t *Thread) timeout() {
	switch t.wait {
	case waitGuest:
		guestReady(guestAt(t.guest))
		return
	case waitAlarm:
		alarmDue(t)
		return
	case waitFutex:
		futexTimeout(t)
	case waitEpoll:
		epollTimeout(t)
	default:
		t.Regs.RAX = 0
	}
	t.wait = waitNone
	ready(t)
}

// sleepUntil adds t to c's heap; c is the calling CPU.
func (c *CPU) sleepUntil(t *Thread, when uint64) {
	c.lock.lock()
	c.addTimer(t, when)
	c.lock.unlock()
	c.armBy(when)
}

// armBy makes sure that the timer interrupt comes no later than when. It may
// come earlier: what is not due then is armed again.
func (c *CPU) armBy(when uint64) {
	if c.armed == 0 || when < c.armed {
		c.armed = when
		setHardwareTimer(when)
	}
}

// rearm sets the timer, which is not armed, for the earliest thing due on c.
func (c *CPU) rearm() {
	c.lock.lock()
	if c.timers != 0 {
		c.armBy(threadAt(c.timers).timer.when)
	}
	c.lock.unlock()
	if c.sliceEnd != 0 {
		c.armBy(c.sliceEnd)
	}
	c.armGuest()
}
