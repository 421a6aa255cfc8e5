package uart

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "uart16550", Version: 1}

// Schema names the saved state.
func (u *UART) Schema() snapshot.Schema { return schema }

// Save writes the registers, which are the version 1 state, and the input that
// waits.
func (u *UART) Save(e *snapshot.Encoder) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := &u.regs
	e.Uint8("ier", r.ier)
	e.Uint8("lcr", r.lcr)
	e.Uint8("mcr", r.mcr)
	e.Uint8("msr", r.msr)
	e.Uint8("scr", r.scr)
	e.Uint8("dll", r.dll)
	e.Uint8("dlm", r.dlm)
	e.Uint8("errors", r.errors)
	e.Bool("fifo", r.fifo)
	e.Uint8("trigger", r.trigger)
	e.Bool("thre", r.thre)
	e.Bytes("queue", u.queue)
	return e.Err()
}

// Restore takes back a state and drives the interrupt line as it says.
func (u *UART) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	var r registers
	r.ier = d.Uint8("ier") & ierMask
	r.lcr = d.Uint8("lcr")
	r.mcr = d.Uint8("mcr") & mcrMask
	r.msr = d.Uint8("msr")
	r.scr = d.Uint8("scr")
	r.dll = d.Uint8("dll")
	r.dlm = d.Uint8("dlm")
	r.errors = d.Uint8("errors") & lsrErrors
	r.fifo = d.Bool("fifo")
	r.trigger = d.Uint8("trigger")
	r.thre = d.Bool("thre")
	queue := d.Bytes("queue", QueueSize)
	if int(r.trigger) >= len(triggers) {
		d.Refuse("trigger", "%d is not one of the %d levels", r.trigger, len(triggers))
	}
	if err := d.Done(); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.regs = r
	u.queue = append(u.queue[:0], queue...)
	u.irq.Force(u.interrupts())
	return nil
}
