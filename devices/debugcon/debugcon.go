package debugcon

import (
	"sync"

	"ringo/devices"
	"ringo/snapshot"
)

// Present is what the port reads as.
const Present = 0xE9

// Console is the device.
type Console struct {
	devices.Passive
	mu     sync.Mutex // serializes output; the device has no other state
	output func([]byte)
	tx     [8]byte
}

// New makes a console whose output is dropped.
func New() *Console { return &Console{} }

// Name is "debugcon".
func (c *Console) Name() string { return "debugcon" }

// Reset does nothing: there is no state.
func (c *Console) Reset() {}

// SetOutput sets where output goes; nil drops it. f must not keep the slice,
// nor write to the port.
func (c *Console) SetOutput(f func([]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.output = f
}

// Read gives Present in the first byte.
func (c *Console) Read(_ uint64, p []byte) { devices.PutValue(p, Present) }

// Write outputs the bytes.
func (c *Console) Write(_ uint64, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.output != nil {
		c.output(c.tx[:copy(c.tx[:], p)])
	}
}

var schema = snapshot.Schema{Name: "debugcon", Version: 1}

// Schema names the saved state, which is empty.
func (c *Console) Schema() snapshot.Schema { return schema }

// Save writes nothing.
func (c *Console) Save(e *snapshot.Encoder) error { return e.Err() }

// Restore checks that there is nothing.
func (c *Console) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	return d.Done()
}
