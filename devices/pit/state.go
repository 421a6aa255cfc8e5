package pit

import (
	"math"

	"ringo/snapshot"
)

var schema = snapshot.Schema{Name: "pit8254", Version: 1}

var channelNames = [3]string{"channel0", "channel1", "channel2"}

// maxElapsed bounds a restored count: 2^53 ticks are 239 years.
const maxElapsed = math.MaxInt64 >> 10

// Schema names the saved state.
func (p *PIT) Schema() snapshot.Schema { return schema }

// Save writes the state. Times are saved as ticks that have passed, because
// the clock of the reader may have another start.
func (p *PIT) Save(e *snapshot.Encoder) error {
	p.mu.Lock()
	now, channels, fired, speaker := p.now(), p.channels, p.fired, p.speaker
	p.mu.Unlock()
	for i := range channels {
		e.Begin(channelNames[i])
		channels[i].save(e, now)
		e.End()
	}
	e.Int64("fired", fired)
	e.Bool("speaker", speaker)
	return e.Err()
}

// Restore takes back a state. An edge that was due before Save and had not
// been seen fires at once.
func (p *PIT) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var channels [3]channel
	for i := range channels {
		d.Begin(channelNames[i])
		channels[i].restore(d, now)
		d.End()
	}
	fired, speaker := d.Int64("fired"), d.Bool("speaker")
	if fired < 0 || fired > maxElapsed {
		d.Refuse("fired", "%d is out of range", fired)
	}
	if err := d.Done(); err != nil {
		return err
	}
	p.channels, p.speaker = channels, speaker
	p.fired, p.last = fired, now-minTicks
	p.scheduleRestored(now)
	return nil
}

func (p *PIT) scheduleRestored(now int64) {
	if n, _ := p.channels[0].edges(now); n > p.fired {
		p.timer.Reset(0)
		return
	}
	p.schedule(now)
}

func (c *channel) save(e *snapshot.Encoder, now int64) {
	e.Uint8("mode", c.mode)
	e.Uint8("access", c.access)
	e.Bool("bcd", c.bcd)
	e.Bool("gate", c.gate)
	e.Bool("loaded", c.loaded)
	e.Int64("count", c.count)
	e.Bool("running", c.running)
	e.Int64("elapsed", c.elapsed(now))
	e.Bool("write-high", c.writeHigh)
	e.Uint8("low-byte", c.lowByte)
	e.Bool("read-high", c.readHigh)
	e.Bool("latched", c.latched)
	e.Uint16("latch", c.latch)
	e.Bool("status-latched", c.statused)
	e.Uint8("status", c.status)
}

func (c *channel) restore(d *snapshot.Decoder, now int64) {
	c.mode = d.Uint8("mode")
	c.access = d.Uint8("access")
	c.bcd = d.Bool("bcd")
	c.gate = d.Bool("gate")
	c.loaded = d.Bool("loaded")
	c.count = d.Int64("count")
	c.running = d.Bool("running")
	elapsed := d.Int64("elapsed")
	c.writeHigh = d.Bool("write-high")
	c.lowByte = d.Uint8("low-byte")
	c.readHigh = d.Bool("read-high")
	c.latched = d.Bool("latched")
	c.latch = d.Uint16("latch")
	c.statused = d.Bool("status-latched")
	c.status = d.Uint8("status")
	if c.mode > 5 || c.access > 3 || c.count < 1 || c.count > 1<<16 {
		d.Refuse("count", "mode %d, access %d or count %d is out of range", c.mode, c.access, c.count)
	}
	if elapsed < 0 || elapsed > maxElapsed {
		d.Refuse("elapsed", "%d ticks are out of range", elapsed)
	}
	c.start = elapsed
	if c.running {
		c.start = now - elapsed
	}
}
