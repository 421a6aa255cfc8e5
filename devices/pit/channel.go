package pit

// Access modes of a counter (bits RW1 and RW0 of the control word).
const (
	accessLow  = 1
	accessHigh = 2
	accessBoth = 3
)

// channel is one counter. Times are in ticks of the 1.193182 MHz clock, and
// may be negative after a restore.
type channel struct {
	mode   uint8 // 0 to 5
	access uint8
	bcd    bool

	gate   bool
	loaded bool  // a count has been written since the control word
	count  int64 // initial count, 1 to 65536
	// running says that the counter counts: start is when it began. If not,
	// start is how far it had come (gate low) or 0 (no trigger yet).
	running bool
	start   int64

	writeHigh bool // the next write is the high byte
	lowByte   uint8
	readHigh  bool // the next read is the high byte
	latched   bool
	latch     uint16
	statused  bool // status is latched
	status    uint8
}

// elapsed is how many ticks the counter has counted.
func (c *channel) elapsed(now int64) int64 {
	if c.running {
		return now - c.start
	}
	return c.start
}

// triggered says whether a rising gate starts the counter (modes 1 and 5)
// rather than a low gate stops it.
func (c *channel) triggered() bool { return c.mode == 1 || c.mode == 5 }

// begin loads the count at time now. A count of 1 is not allowed in modes 2
// and 3, which would never toggle.
func (c *channel) begin(now, count int64) {
	if c.mode == 2 || c.mode == 3 {
		count = max(count, 2)
	}
	c.count, c.loaded = count, true
	c.running, c.start = c.gate && !c.triggered(), 0
	if c.running {
		c.start = now
	}
}

// control sets mode and access; the counter waits for a count.
func (c *channel) control(v uint8) {
	mode := v >> 1 & 7
	if mode > 5 {
		mode -= 4 // bit 2 means nothing in modes 2 and 3
	}
	*c = channel{mode: mode, access: v >> 4 & 3, bcd: v&1 != 0, gate: c.gate}
	c.count = c.modulus()
}

// setGate drives the gate input.
func (c *channel) setGate(now int64, level bool) {
	if level == c.gate {
		return
	}
	c.gate = level
	switch {
	case !c.loaded:
	case level && (c.triggered() || c.mode == 2 || c.mode == 3):
		c.running, c.start = true, now // starts over
	case level:
		c.running, c.start = true, now-c.start
	case !c.triggered():
		c.start, c.running = now-c.start, false
	}
}

func (c *channel) modulus() int64 {
	if c.bcd {
		return 10000
	}
	return 1 << 16
}

// value is the counting element as a read shows it.
func (c *channel) value(now int64) uint16 {
	e, left := c.elapsed(now), int64(0)
	switch c.mode {
	case 2:
		left = c.count - e%c.count
	case 3: // counts by two, twice in each period
		left = c.count - 2*e%c.count
	default: // goes on below zero
		left = (c.count - e) % c.modulus()
		if left < 0 {
			left += c.modulus()
		}
	}
	if c.bcd {
		return toBCD(left % 10000)
	}
	return uint16(left)
}

// out is the level of the output.
func (c *channel) out(now int64) bool {
	e := c.elapsed(now)
	if !c.loaded {
		return c.mode != 0
	}
	switch c.mode {
	case 0:
		return e >= c.count
	case 1:
		return !c.running || e >= c.count
	case 2:
		return !c.gate || e%c.count != c.count-1
	case 3:
		return !c.gate || e%c.count < (c.count+1)/2
	case 4:
		return e != c.count
	}
	return !c.running || e != c.count
}

// edges is how many times the output has risen since the count was loaded,
// and next when it rises again, in elapsed ticks; next is 0 for never.
func (c *channel) edges(now int64) (n, next int64) {
	if !c.loaded || !c.running {
		return 0, 0
	}
	e, at := c.elapsed(now), c.count
	switch c.mode {
	case 2, 3:
		return e / c.count, (e/c.count + 1) * c.count
	case 4, 5:
		at++ // the strobe is low for one tick
	}
	if e >= at {
		return 1, 0
	}
	return 0, at
}

// read gives the next byte: latched status, then latched count, then the
// counter itself.
func (c *channel) read(now int64) uint8 {
	if c.statused {
		c.statused = false
		return c.status
	}
	v := c.latch
	if !c.latched {
		v = c.value(now)
	}
	high := c.access == accessHigh || c.access == accessBoth && c.readHigh
	if c.access == accessBoth {
		c.readHigh = !c.readHigh
	}
	if !c.readHigh {
		c.latched = false // the last byte of it
	}
	if high {
		return uint8(v >> 8)
	}
	return uint8(v)
}

// write takes the next byte of a count.
func (c *channel) write(now int64, v uint8) {
	switch {
	case c.access == accessLow:
		c.begin(now, c.fromRegister(uint16(v)))
	case c.access == accessHigh:
		c.begin(now, c.fromRegister(uint16(v)<<8))
	case c.access != accessBoth:
	case !c.writeHigh:
		c.lowByte, c.writeHigh = v, true
		if c.mode == 0 { // the first byte stops the count, output low
			c.loaded, c.running, c.start = false, false, 0
		}
	default:
		c.writeHigh = false
		c.begin(now, c.fromRegister(uint16(v)<<8|uint16(c.lowByte)))
	}
}

// fromRegister converts what was written to a count; 0 is the largest.
func (c *channel) fromRegister(v uint16) int64 {
	n := int64(v)
	if c.bcd {
		n = fromBCD(v)
	}
	if n == 0 {
		return c.modulus()
	}
	return n
}

// latchCount and latchStatus keep the first of several latches.
func (c *channel) latchCount(now int64) {
	if !c.latched {
		c.latched, c.latch = true, c.value(now)
	}
}

func (c *channel) latchStatus(now int64) {
	if c.statused {
		return
	}
	c.statused, c.status = true, c.access<<4|c.mode<<1
	if c.bcd {
		c.status |= 1
	}
	if !c.loaded {
		c.status |= 1 << 6 // null count
	}
	if c.out(now) {
		c.status |= 1 << 7
	}
}

func toBCD(v int64) uint16 {
	return uint16(v/1000%10<<12 | v/100%10<<8 | v/10%10<<4 | v%10)
}

// fromBCD takes digits above 9 at their value, as the hardware's decades do
// until they wrap.
func fromBCD(v uint16) int64 {
	n := int64(v>>12)*1000 + int64(v>>8&15)*100 + int64(v>>4&15)*10 + int64(v&15)
	return min(n, 10000)
}
