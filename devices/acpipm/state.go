package acpipm

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "acpipm", Version: 1}

// Schema names the saved state.
func (p *PM) Schema() snapshot.Schema { return schema }

// Save writes the registers. The PM timer follows the VM's clock, which the
// VM saves.
func (p *PM) Save(e *snapshot.Encoder) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.update()
	e.Uint16("status", p.status)
	e.Uint16("enable", p.enable)
	e.Uint16("control", p.control)
	e.Uint8("reset", p.resetReg)
	return e.Err()
}

// Restore takes back a state and drives SCI as it says.
func (p *PM) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	status, enable := d.Uint16("status"), d.Uint16("enable")
	control, reset := d.Uint16("control"), d.Uint8("reset")
	if err := d.Done(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halves = p.ticks() / p.half()
	p.status = status & statusMask
	p.enable = enable & enableMask
	p.control = control&controlWritable | controlSCI
	p.resetReg = reset & resetSystem
	p.sci.Force(p.status&p.enable != 0)
	p.update()
	return nil
}
