package kvmclock

import (
	"ringo/hv/vcpu"
	"ringo/snapshot"
)

var schema = snapshot.Schema{Name: "kvmclock", Version: 1}

// Schema names the saved state.
func (c *Clock) Schema() snapshot.Schema { return schema }

// Save writes the MSRs and the system time at this moment.
func (c *Clock) Save(e *snapshot.Encoder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.Uint64("wall", c.wall)
	e.Uint32("wall-version", c.wallVer)
	e.Int64("system-time", int64(c.cfg.Clock.Now())+c.bias)
	e.Uint32("vcpus", uint32(len(c.systems)))
	for i := range c.systems {
		e.Uint64("msr", c.systems[i].msr)
		e.Uint32("version", c.systems[i].version)
	}
	return e.Err()
}

// Restore takes back a state. The structures in guest memory are written by
// Resume, when the vCPUs have their TSC offsets.
func (c *Clock) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	wall, wallVer := d.Uint64("wall"), d.Uint32("wall-version")
	now := d.Int64("system-time")
	n := d.Uint32("vcpus")
	if now < 0 {
		d.Refuse("system-time", "%d ns is before the start", now)
	}
	if d.Err() == nil && (n > vcpu.MaxVCPUs || int(n) != len(c.cfg.Areas)) {
		d.Refuse("vcpus", "%d, this VM has %d", n, len(c.cfg.Areas))
	}
	systems := make([]system, len(c.cfg.Areas))
	for i := range systems {
		systems[i].msr = d.Uint64("msr")
		systems[i].version = d.Uint32("version")
	}
	if err := d.Done(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.wallVer, c.systems = wall, wallVer, systems
	c.bias = now - int64(c.cfg.Clock.Now())
	c.sample()
	return nil
}
