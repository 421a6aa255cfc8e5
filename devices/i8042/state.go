package i8042

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "i8042", Version: 1}

// Schema names the saved state.
func (c *Controller) Schema() snapshot.Schema { return schema }

// Save writes the state.
func (c *Controller) Save(e *snapshot.Encoder) error {
	c.mu.Lock()
	s := c.state
	c.mu.Unlock()
	e.Uint8("status", s.status)
	e.Uint8("output", s.output)
	e.Uint8("pending", s.pending)
	e.Bool("a20", s.a20)
	e.Bytes("ram", s.ram[:])
	return e.Err()
}

// Restore takes back a state.
func (c *Controller) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	s := state{status: d.Uint8("status"), output: d.Uint8("output"), pending: d.Uint8("pending"), a20: d.Bool("a20")}
	if n := copy(s.ram[:], d.Bytes("ram", len(s.ram))); d.Err() == nil && n != len(s.ram) {
		d.Refuse("ram", "%d bytes, want %d", n, len(s.ram))
	}
	if err := d.Done(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
	return nil
}
