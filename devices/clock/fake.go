package clock

import (
	"sync"
	"time"

	"ringo/devices"
)

// Fake is a devices.Clock that only Advance moves. Timers fire inside
// Advance, one after another in the order in which they are due, so a test is
// deterministic.
type Fake struct {
	mu     sync.Mutex
	now    time.Duration
	epoch  time.Time
	timers []*fakeTimer // armed, in no order
	seq    uint64
}

// NewFake makes a clock at time 0 whose wall time is then epoch.
func NewFake(epoch time.Time) *Fake { return &Fake{epoch: epoch} }

// Now is the sum of what was advanced.
func (c *Fake) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Wall is the epoch plus Now.
func (c *Fake) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch.Add(c.now).UTC()
}

// SetWall makes the wall time t.
func (c *Fake) SetWall(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch = t.Add(-c.now)
}

// Advance moves the clock by d and fires what comes due on the way. A timer
// that is due at once when it is armed fires at the next Advance, even by 0.
func (c *Fake) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.now + d
	for {
		t := c.next(end)
		if t == nil {
			break
		}
		c.now = max(c.now, t.due)
		c.remove(t)
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	c.now = max(c.now, end)
	c.mu.Unlock()
}

// Armed is the number of timers that wait.
func (c *Fake) Armed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// NewTimer makes a stopped timer.
func (c *Fake) NewTimer(f func()) devices.Timer { return &fakeTimer{clock: c, f: f} }

// next is the first timer that is due at end or before.
func (c *Fake) next(end time.Duration) *fakeTimer {
	var first *fakeTimer
	for _, t := range c.timers {
		if t.due <= end && (first == nil || t.due < first.due || t.due == first.due && t.seq < first.seq) {
			first = t
		}
	}
	return first
}

func (c *Fake) remove(t *fakeTimer) {
	for i, x := range c.timers {
		if x == t {
			c.timers = append(c.timers[:i], c.timers[i+1:]...)
			return
		}
	}
}

type fakeTimer struct {
	clock *Fake
	f     func()
	due   time.Duration
	seq   uint64
}

func (t *fakeTimer) Reset(d time.Duration) {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(t)
	c.seq++
	t.due, t.seq = c.now+max(d, 0), c.seq
	c.timers = append(c.timers, t)
}

func (t *fakeTimer) Stop() {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(t)
}
