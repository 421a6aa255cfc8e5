package hv

import "sync"

// Console joins the VM's first serial port with whoever looks at it. It
// belongs to the VM and not to its hardware, so that an attached user stays
// attached over resets.
type Console struct {
	mu      sync.Mutex
	output  func([]byte)
	drained func()
	port    serialPort
}

// serialPort is what a Console needs of a serial port.
type serialPort interface {
	Input(p []byte) int
	SetDrained(f func())
}

// SetOutput names who gets what the guest prints; nil drops it. f is called
// from the vCPU that prints, so it must not wait, and must not keep p.
func (c *Console) SetOutput(f func(p []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.output = f
}

// SetDrained names what to call when there is room again after Input has
// refused something. f must not wait.
func (c *Console) SetDrained(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drained = f
}

// Input types p and gives the number of bytes that the serial port's buffer
// had room for; 0 while the VM is off.
func (c *Console) Input(p []byte) int {
	c.mu.Lock()
	port := c.port
	c.mu.Unlock()
	if port == nil {
		return 0
	}
	return port.Input(p)
}

// print takes the guest's output.
func (c *Console) print(p []byte) {
	c.mu.Lock()
	f := c.output
	c.mu.Unlock()
	if f != nil {
		f(p)
	}
}

// room passes on that the port has room again.
func (c *Console) room() {
	c.mu.Lock()
	f := c.drained
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

// connect gives the console a serial port, or none.
func (c *Console) connect(p serialPort) {
	c.mu.Lock()
	c.port = p
	c.mu.Unlock()
	if p != nil {
		p.SetDrained(c.room)
	}
}
