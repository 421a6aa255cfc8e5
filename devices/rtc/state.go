package rtc

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "rtc146818", Version: 1}

// maxOffset bounds a restored time to what the locations can express.
const maxOffset = 1 << 40

// Schema names the saved state.
func (r *RTC) Schema() snapshot.Schema { return schema }

// Save writes the state. A running clock is saved as its distance from wall
// time, so it is right again after any time.
func (r *RTC) Save(e *snapshot.Encoder) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sync()
	s := &r.state
	e.Uint8("index", s.index)
	e.Uint8("b", s.b)
	e.Uint8("c", s.c)
	e.Bytes("memory", s.mem[:])
	e.Int64("offset-s", s.offset)
	e.Int64("offset-ns", s.nanos)
	e.Bool("stopped", s.stopped)
	for _, f := range s.edit.fields() {
		e.Uint16(f.name, uint16(*f.v))
	}
	return e.Err()
}

// Restore takes back a state.
func (r *RTC) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	s := state{index: d.Uint8("index"), b: d.Uint8("b"), c: d.Uint8("c") & cFlags}
	if n := copy(s.mem[:], d.Bytes("memory", numLocations)); d.Err() == nil && n != numLocations {
		d.Refuse("memory", "%d bytes, want %d", n, numLocations)
	}
	s.offset, s.nanos = d.Int64("offset-s"), d.Int64("offset-ns")
	if s.offset < -maxOffset || s.offset > maxOffset || s.nanos < 0 || s.nanos >= secNanos {
		d.Refuse("offset-s", "%d s %d ns are out of range", s.offset, s.nanos)
	}
	s.stopped = d.Bool("stopped")
	for _, f := range s.edit.fields() {
		*f.v = int(d.Uint16(f.name))
	}
	if err := d.Done(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
	r.state.second = r.now().Unix()
	r.state.periods = r.period()
	r.irq.Force(s.b&s.c&cFlags != 0)
	r.update()
	return nil
}

type namedField struct {
	name string
	v    *int
}

func (c *calendar) fields() []namedField {
	return []namedField{
		{"sec", &c.sec}, {"min", &c.min}, {"hour", &c.hour}, {"weekday", &c.weekday},
		{"day", &c.day}, {"month", &c.month}, {"year", &c.year}, {"century", &c.century},
	}
}
