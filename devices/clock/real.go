package clock

import (
	"sync"
	"time"

	"ringo/devices"
)

// Real is a devices.Clock over Go's clock. It starts at 0 and runs.
type Real struct {
	after   AfterFunc
	onPanic func(any)

	mu     sync.Mutex
	paused bool
	at     time.Duration // Now at the last Pause, Resume or Set
	since  time.Time     // when that was
	timers map[*realTimer]struct{}
}

// Alarm is a timer as time.AfterFunc makes it.
type Alarm interface {
	Reset(time.Duration) bool
	Stop() bool
}

// AfterFunc arms a timer that calls f on a goroutine of its own after d, and
// again for each Reset.
type AfterFunc func(d time.Duration, f func()) Alarm

// NewReal makes a running clock over Go's timers. onPanic is called, on the timer's goroutine,
// with the value of a panic in a timer's function, so that a broken device
// stops its VM and nothing else; with nil a panic ends the program.
func NewReal(onPanic func(any)) *Real {
	return NewRealOver(func(d time.Duration, f func()) Alarm { return time.AfterFunc(d, f) }, onPanic)
}

// NewRealOver is NewReal over other timers than Go's.
func NewRealOver(after AfterFunc, onPanic func(any)) *Real {
	return &Real{after: after, onPanic: onPanic, since: time.Now(), timers: map[*realTimer]struct{}{}}
}

// Now is the time since NewReal, less the pauses.
func (c *Real) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Real) now() time.Duration {
	if c.paused {
		return c.at
	}
	return c.at + time.Since(c.since)
}

// Wall is the host's time of day in UTC; it goes on during a pause.
func (c *Real) Wall() time.Time { return time.Now().UTC() }

// Pause stops the clock. No timer fires until Resume; one whose function has
// begun goes on.
func (c *Real) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused {
		return
	}
	c.at, c.paused = c.now(), true
	for t := range c.timers {
		t.timer.Stop()
	}
}

// Resume lets the clock run on from where it stopped.
func (c *Real) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.paused {
		return
	}
	c.since, c.paused = time.Now(), false
	for t := range c.timers {
		t.timer.Reset(t.due - c.at)
	}
}

// Set moves the clock to a restored VM's time. It is for a paused clock with
// no timer armed, before devices are restored.
func (c *Real) Set(now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since = now, time.Now()
}

// NewTimer makes a stopped timer.
func (c *Real) NewTimer(f func()) devices.Timer {
	t := &realTimer{clock: c, f: f}
	t.timer = c.after(time.Hour, t.fire)
	t.timer.Stop()
	return t
}

// realTimer is a timer of a Real. Its fields belong to the clock's mutex.
type realTimer struct {
	clock *Real
	f     func()
	timer Alarm
	due   time.Duration // in the clock's time, while in clock.timers
}

func (t *realTimer) Reset(d time.Duration) {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	t.due = c.now() + max(d, 0)
	c.timers[t] = struct{}{}
	if !c.paused {
		t.timer.Reset(max(d, 0))
	}
}

func (t *realTimer) Stop() {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.timers, t)
	t.timer.Stop()
}

// fire runs on a goroutine of its own. A Stop, Reset or Pause may have come
// between the runtime's decision to fire and this lock; the map tells.
func (t *realTimer) fire() {
	c := t.clock
	c.mu.Lock()
	_, armed := c.timers[t]
	if early := t.due - c.now(); !armed || c.paused || early > 0 {
		if armed && !c.paused {
			t.timer.Reset(early)
		}
		c.mu.Unlock()
		return
	}
	delete(c.timers, t)
	c.mu.Unlock()
	if c.onPanic != nil {
		defer func() {
			if v := recover(); v != nil {
				c.onPanic(v)
			}
		}()
	}
	t.f()
}
