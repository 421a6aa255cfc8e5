package rtc

import (
	"math/bits"
	"sync"
	"time"

	"ringo/devices"
)

// RTC is the clock and its CMOS memory.
type RTC struct {
	devices.Passive
	clock devices.Clock
	timer devices.Timer
	irq   devices.Output
	cmos  Memory

	mu    sync.Mutex
	state state
}

// state is version 1 of the saved state.
type state struct {
	index   uint8
	b, c    uint8 // registers; C without IRQF
	mem     [numLocations]uint8
	offset  int64    // seconds that the guest's time is ahead of wall time
	nanos   int64    // and nanoseconds, 0 to a second
	stopped bool     // B.SET or the divider holds the clock:
	edit    calendar // then this is the time
	second  int64    // the second that flags UF and AF know of
	periods uint64   // periods since the clock's start that PF knows of
}

// New makes a clock that shows the wall time. irq is IRQ 8.
func New(clock devices.Clock, irq devices.Line, m Memory) *RTC {
	r := &RTC{clock: clock, irq: devices.NewOutput(irq), cmos: m}
	r.timer = clock.NewTimer(r.due)
	r.state.b = bReset
	r.state.mem[locA] = aReset
	m.fill(&r.state.mem)
	r.state.second = r.now().Unix()
	return r
}

// Name is "rtc".
func (r *RTC) Name() string { return "rtc" }

// Reset clears the interrupt enables and flags; battery-backed memory and the
// time stay.
func (r *RTC) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.b &^= bPIE | bAIE | bUIE
	r.state.c = 0
	r.update()
}

// Close stops the timer for good.
func (r *RTC) Close() error {
	r.timer.Stop()
	return nil
}

// now is the guest's time while the clock is not stopped.
func (r *RTC) now() time.Time {
	w := r.clock.Wall()
	return time.Unix(w.Unix()+r.state.offset, int64(w.Nanosecond())+r.state.nanos).UTC()
}

// setTime makes the guest's time sec and nanos now.
func (r *RTC) setTime(sec, nanos int64) {
	w := r.clock.Wall()
	s := &r.state
	s.offset, s.nanos = sec-w.Unix(), nanos-int64(w.Nanosecond())
	if s.nanos < 0 {
		s.offset, s.nanos = s.offset-1, s.nanos+secNanos
	}
	s.second = sec
}

// frequency is the periodic interrupt's rate in Hz; 0 is off.
func (r *RTC) frequency() uint64 {
	switch rate := r.state.mem[locA] & aRate; rate {
	case 0:
		return 0
	case 1, 2: // as 8 and 9
		return 1 << (9 - rate)
	default:
		return 32768 >> (rate - 1)
	}
}

// period is the number of the current period of the periodic interrupt.
func (r *RTC) period() uint64 {
	hi, lo := bits.Mul64(uint64(max(r.clock.Now(), 0)), r.frequency())
	q, _ := bits.Div64(hi, lo, secNanos)
	return q
}

// sync sets the flags of what has happened since it was called last.
func (r *RTC) sync() {
	s := &r.state
	if n := r.period(); n != s.periods {
		s.periods = n
		s.c |= cPF
	}
	if s.stopped {
		return
	}
	now := r.now().Unix()
	if now > s.second {
		s.c |= cUF
		if at, ok := r.nextAlarm(s.second); ok && at <= now {
			s.c |= cAF
		}
	}
	s.second = now // also where the wall time has gone back
}

// update does sync, drives the interrupt, and sets the timer for the next
// event that the guest waits for. A flag that is set already needs no timer,
// so a guest that does not read register C costs nothing.
func (r *RTC) update() {
	r.sync()
	s := &r.state
	r.irq.Set(s.b&s.c&cFlags != 0)
	wait := time.Duration(-1)
	sooner := func(d time.Duration) {
		if wait < 0 || d < wait {
			wait = d
		}
	}
	waiting := s.b &^ s.c
	if f := r.frequency(); waiting&cPF != 0 && f != 0 {
		hi, lo := bits.Mul64(s.periods+1, secNanos)
		at, _ := bits.Div64(hi, lo, f) // no overflow: periods is Now*f/secNanos
		sooner(time.Duration(at+1) - r.clock.Now())
	}
	if !s.stopped {
		left := time.Duration(secNanos - r.now().Nanosecond())
		if waiting&cUF != 0 {
			sooner(left)
		}
		if waiting&cAF != 0 {
			if at, ok := r.nextAlarm(s.second); ok {
				sooner(left + time.Duration(at-s.second-1)*time.Second)
			}
		}
	}
	if wait < 0 {
		r.timer.Stop()
		return
	}
	r.timer.Reset(wait)
}

func (r *RTC) due() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.update()
}
