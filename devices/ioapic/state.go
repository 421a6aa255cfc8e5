package ioapic

import "ringo/snapshot"

var schema = snapshot.Schema{Name: "ioapic", Version: 1}

// state is version 1 of the saved state.
type state struct {
	id, index, lines uint32
	entries          [Pins]uint64
}

// Schema names the saved state.
func (x *IOAPIC) Schema() snapshot.Schema { return schema }

// Save writes the state.
func (x *IOAPIC) Save(e *snapshot.Encoder) error {
	x.mu.Lock()
	s := state{x.id, x.index, x.lines, x.entries}
	x.mu.Unlock()
	e.Uint32("id", s.id)
	e.Uint32("index", s.index)
	e.Uint32("lines", s.lines)
	e.Uint64s("entries", s.entries[:])
	return e.Err()
}

// Restore takes back a state. It delivers nothing: what was delivered is in
// the local APICs' state.
func (x *IOAPIC) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	s := state{id: d.Uint32("id"), index: d.Uint32("index"), lines: d.Uint32("lines")}
	d.Uint64s("entries", s.entries[:])
	if s.index > 0xFF {
		d.Refuse("index", "%#x has more than 8 bits", s.index)
	}
	if s.lines>>Pins != 0 {
		d.Refuse("lines", "%#x names inputs beyond the %d", s.lines, Pins)
	}
	if err := d.Done(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.id, x.index, x.lines = s.id&0x0F000000, s.index, s.lines
	for i, e := range s.entries {
		x.entries[i] = e & (entryMask | entryRemoteIRR)
	}
	return nil
}
