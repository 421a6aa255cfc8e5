package pit

import (
	"math/bits"
	"sync"
	"time"

	"ringo/devices"
)

// Frequency is the input clock in Hz.
const Frequency = 1193182

// minTicks bounds how often channel 0 interrupts, 100 us apart, so that a
// guest cannot keep a host CPU busy with timers. Edges in between are lost, as
// they are on a PC whose interrupts are not taken in time.
const minTicks = Frequency / 10000

// portControl is the control word's port; the channels are before it.
const portControl = 3

// PIT is the timer with its three channels: 0 interrupts, 1 once refreshed
// memory, 2 drives the speaker.
type PIT struct {
	devices.Passive
	clock devices.Clock
	timer devices.Timer
	irq   devices.Line

	mu       sync.Mutex
	channels [3]channel
	fired    int64 // rising edges of channel 0 that irq has seen
	last     int64 // tick of the last interrupt
	speaker  bool  // port 61H bit 1
}

// New makes a timer that has not been programmed. irq is channel 0's output.
func New(clock devices.Clock, irq devices.Line) *PIT {
	p := &PIT{clock: clock, irq: irq}
	p.timer = clock.NewTimer(p.due)
	p.Reset()
	return p
}

// Name is "pit".
func (p *PIT) Name() string { return "pit" }

// Reset stops all channels.
func (p *PIT) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.channels {
		p.channels[i] = channel{mode: 3, access: accessBoth, count: 1 << 16, gate: i != 2}
	}
	p.speaker = false
	p.rearm(p.now())
	p.irq.Set(false)
}

// Close stops the timer for good.
func (p *PIT) Close() error {
	p.timer.Stop()
	return nil
}

// now is the clock in ticks.
func (p *PIT) now() int64 {
	hi, lo := bits.Mul64(uint64(max(p.clock.Now(), 0)), Frequency)
	q, _ := bits.Div64(hi, lo, uint64(time.Second))
	return int64(q)
}

// timeOf is when the clock reaches that many ticks.
func timeOf(ticks int64) time.Duration {
	hi, lo := bits.Mul64(uint64(ticks), uint64(time.Second))
	lo, carry := bits.Add64(lo, Frequency-1, 0)
	q, _ := bits.Div64(hi+carry, lo, Frequency)
	return time.Duration(q)
}

// rearm starts anew to count the edges of channel 0.
func (p *PIT) rearm(now int64) {
	p.fired, _ = p.channels[0].edges(now)
	p.last = now - minTicks
	p.schedule(now)
}

// schedule sets the timer for the next edge of channel 0.
func (p *PIT) schedule(now int64) {
	c := &p.channels[0]
	_, next := c.edges(now)
	if next == 0 {
		p.timer.Stop()
		return
	}
	at := max(now+next-c.elapsed(now), p.last+minTicks)
	p.timer.Reset(timeOf(at) - p.clock.Now())
}

// due runs when the timer fires.
func (p *PIT) due() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	n, _ := p.channels[0].edges(now)
	if n > p.fired {
		p.fired, p.last = n, now
		p.irq.Set(false)
		p.irq.Set(true)
	}
	p.schedule(now)
}

// ReadReg reads ports 40H to 43H. The control word cannot be read.
func (p *PIT) ReadReg(off uint64) uint8 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if off &= 3; off != portControl {
		return p.channels[off].read(p.now())
	}
	return 0xFF
}

// WriteReg writes ports 40H to 43H.
func (p *PIT) WriteReg(off uint64, v uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if off &= 3; off == portControl {
		p.control(now, v)
		return
	}
	p.channels[off].write(now, v)
	if off == 0 {
		p.restart(now)
	}
}

func (p *PIT) control(now int64, v uint8) {
	n := v >> 6
	switch {
	case n == 3:
		p.readBack(now, v)
	case v>>4&3 == 0:
		p.channels[n].latchCount(now)
	default:
		p.channels[n].control(v)
		if n == 0 {
			p.restart(now)
		}
	}
}

// readBack latches count, status or both of several channels.
func (p *PIT) readBack(now int64, v uint8) {
	for i := range p.channels {
		if v>>(1+i)&1 == 0 {
			continue
		}
		if v&(1<<5) == 0 {
			p.channels[i].latchCount(now)
		}
		if v&(1<<4) == 0 {
			p.channels[i].latchStatus(now)
		}
	}
}

// restart follows a new mode or count of channel 0.
func (p *PIT) restart(now int64) {
	p.fired, _ = p.channels[0].edges(now)
	p.schedule(now)
	p.irq.Set(p.channels[0].out(now))
}

// Handler serves ports 40H to 43H.
func (p *PIT) Handler() devices.Handler { return devices.Bytes(p) }

// Port61 serves port 61H: gate and output of channel 2, speaker data, and the
// refresh bit that software once timed itself by.
func (p *PIT) Port61() devices.Handler { return devices.Bytes(port61{p}) }

type port61 struct{ pit *PIT }

const (
	bitGate2   = 1 << 0
	bitSpeaker = 1 << 1
	bitRefresh = 1 << 4
	bitOut2    = 1 << 5

	// refreshTicks is how long the refresh bit stays: 15 us.
	refreshTicks = 18
)

func (h port61) ReadReg(uint64) uint8 {
	p := h.pit
	p.mu.Lock()
	defer p.mu.Unlock()
	now, v := p.now(), uint8(0)
	if p.channels[2].gate {
		v |= bitGate2
	}
	if p.speaker {
		v |= bitSpeaker
	}
	if now/refreshTicks%2 != 0 {
		v |= bitRefresh
	}
	if p.channels[2].out(now) {
		v |= bitOut2
	}
	return v
}

func (h port61) WriteReg(_ uint64, v uint8) {
	p := h.pit
	p.mu.Lock()
	defer p.mu.Unlock()
	p.channels[2].setGate(p.now(), v&bitGate2 != 0)
	p.speaker = v&bitSpeaker != 0
}
