package devices

// Cursor is one user's way to a Bus. It remembers the region of the last
// access, since a driver mostly comes back to the same device. A vCPU has one
// for each bus; it is used by one goroutine at a time.
type Cursor struct {
	bus *Bus
	// list is the bus's list that hit is in, which a change of the bus
	// replaces.
	list *[]Region
	hit  *Region
}

// Cursor makes a new way to the bus.
func (b *Bus) Cursor() Cursor { return Cursor{bus: b} }

// Lookup is Bus.Lookup.
func (c *Cursor) Lookup(addr uint64) *Region {
	if r := c.hit; r != nil && addr-r.Start <= r.Last-r.Start && c.list == c.bus.regions.Load() {
		return r
	}
	return c.search(addr)
}

// search looks in the bus, and remembers what it finds.
func (c *Cursor) search(addr uint64) *Region {
	list := c.bus.regions.Load()
	r := find(*list, addr)
	if r != nil {
		c.list, c.hit = list, r
	}
	return r
}

// Read is Bus.Read.
func (c *Cursor) Read(addr uint64, p []byte) {
	if r := c.Lookup(addr); r != nil && uint64(len(p))-1 <= r.Last-addr {
		r.Handler.Read(addr-r.Start, p)
		return
	}
	c.bus.Read(addr, p)
}

// Write is Bus.Write.
func (c *Cursor) Write(addr uint64, p []byte) {
	if r := c.Lookup(addr); r != nil && uint64(len(p))-1 <= r.Last-addr {
		r.Handler.Write(addr-r.Start, p)
		return
	}
	c.bus.Write(addr, p)
}
