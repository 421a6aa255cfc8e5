package pic

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "pic8259", Version: 1}

var chipNames = [2]string{"master", "slave"}

// Schema names the saved state.
func (p *PIC) Schema() snapshot.Schema { return schema }

// Save writes both chips; a chip's fields are its version 1 state.
func (p *PIC) Save(e *snapshot.Encoder) error {
	p.mu.Lock()
	chips := p.chips
	p.mu.Unlock()
	for i := range chips {
		e.Begin(chipNames[i])
		chips[i].save(e)
		e.End()
	}
	return e.Err()
}

// Restore takes back a state. INTR is set as it says.
func (p *PIC) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	var chips [2]chip
	for i := range chips {
		d.Begin(chipNames[i])
		chips[i].restore(d)
		d.End()
		chips[i].elcr &= elcrWritable[i]
	}
	if err := d.Done(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chips = chips
	_, intr := p.request()
	p.intr.Force(intr)
	p.update()
	return nil
}

func (c *chip) save(e *snapshot.Encoder) {
	e.Uint8("irr", c.irr)
	e.Uint8("isr", c.isr)
	e.Uint8("imr", c.imr)
	e.Uint8("lines", c.lines)
	e.Uint8("elcr", c.elcr)
	e.Uint8("base", c.base)
	e.Uint8("lowest", c.lowest)
	e.Uint8("step", c.step)
	e.Bool("ltim", c.ltim)
	e.Bool("icw4", c.icw4)
	e.Bool("single", c.single)
	e.Bool("auto-eoi", c.autoEOI)
	e.Bool("rotate", c.rotate)
	e.Bool("nested", c.nested)
	e.Bool("special-mask", c.specialMask)
	e.Bool("read-isr", c.readISR)
	e.Bool("poll", c.poll)
}

func (c *chip) restore(d *snapshot.Decoder) {
	c.irr = d.Uint8("irr")
	c.isr = d.Uint8("isr")
	c.imr = d.Uint8("imr")
	c.lines = d.Uint8("lines")
	c.elcr = d.Uint8("elcr")
	c.base = d.Uint8("base") &^ 7
	c.lowest = d.Uint8("lowest")
	c.step = d.Uint8("step")
	c.ltim = d.Bool("ltim")
	c.icw4 = d.Bool("icw4")
	c.single = d.Bool("single")
	c.autoEOI = d.Bool("auto-eoi")
	c.rotate = d.Bool("rotate")
	c.nested = d.Bool("nested")
	c.specialMask = d.Bool("special-mask")
	c.readISR = d.Bool("read-isr")
	c.poll = d.Bool("poll")
	if c.lowest > 7 || c.step > stepOff {
		d.Refuse("step", "lowest priority %d or step %d is out of range", c.lowest, c.step)
	}
}
