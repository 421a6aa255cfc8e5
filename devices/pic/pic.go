package pic

import (
	"sync"

	"ringo/devices"
)

// cascadeInput is the master's input that the slave's output is wired to.
const cascadeInput = 2

// elcrWritable: inputs that may be level-triggered. The timer, keyboard,
// cascade, RTC and coprocessor inputs are always edge-triggered.
var elcrWritable = [2]uint8{0xF8, 0xDE}

// PIC is the pair. Inputs 0 to 7 are the master's, 8 to 15 the slave's; input
// 2 is taken by the slave.
type PIC struct {
	devices.Passive
	intr devices.Output

	mu    sync.Mutex
	chips [2]chip // master, slave
}

// New makes a pair that has not been initialized and asks for nothing. intr is
// its INTR output.
func New(intr devices.Line) *PIC {
	p := &PIC{intr: devices.NewOutput(intr)}
	p.Reset()
	return p
}

// Name is "pic".
func (p *PIC) Name() string { return "pic" }

// Reset is a power-up reset; the levels of the inputs stay.
func (p *PIC) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chips[0].reset()
	p.chips[1].reset()
	p.update()
}

// Pin is interrupt input i, 0 to 15.
func (p *PIC) Pin(i int) devices.Line {
	c := &p.chips[i>>3]
	return devices.LineFunc(func(level bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.set(uint8(i&7), level)
		p.update()
	})
}

// update carries the slave's output to the master and the master's to INTR.
func (p *PIC) update() {
	_, slave := p.slaveRequest()
	m := &p.chips[0]
	m.lines &^= 1 << cascadeInput
	m.irr &^= 1 << cascadeInput
	if slave {
		m.lines |= 1 << cascadeInput
		m.irr |= 1 << cascadeInput
	}
	_, intr := p.request()
	p.intr.Set(intr)
}

// request is what the master asks for.
func (p *PIC) request() (i uint8, ok bool) { return p.chips[0].request(1 << cascadeInput) }

func (p *PIC) slaveRequest() (i uint8, ok bool) { return p.chips[1].request(0) }

// Ack is the processor's interrupt acknowledge: the vector of the interrupt of
// highest priority, or the spurious one if the request has gone.
func (p *PIC) Ack() (vector uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.update()
	m := &p.chips[0]
	i, ok := p.request()
	if !ok {
		return m.base + spurious
	}
	m.acknowledge(i)
	if i != cascadeInput {
		return m.base + i
	}
	s := &p.chips[1]
	i, ok = p.slaveRequest()
	if !ok {
		return s.base + spurious
	}
	s.acknowledge(i)
	return s.base + i
}

// Master serves the master's two ports, Slave the slave's.
func (p *PIC) Master() devices.Handler { return devices.Bytes(&ports{p, 0}) }

// Slave serves the slave's two ports.
func (p *PIC) Slave() devices.Handler { return devices.Bytes(&ports{p, 1}) }

// ELCR serves the two edge/level control ports.
func (p *PIC) ELCR() devices.Handler { return devices.Bytes(elcr{p}) }

// ports are the command and data port of one chip.
type ports struct {
	pic *PIC
	n   int
}

func (h *ports) ReadReg(off uint64) uint8 {
	p := h.pic
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.chips[h.n]
	switch {
	case c.poll:
		return p.pollRead(h.n)
	case off&1 != 0:
		return c.imr
	case c.readISR:
		return c.isr
	}
	return c.irr
}

// pollRead is the read after OCW3's poll command: an acknowledge by software.
func (p *PIC) pollRead(n int) uint8 {
	c := &p.chips[n]
	c.poll = false
	i, ok := p.request()
	if n == 1 {
		i, ok = p.slaveRequest()
	}
	if !ok {
		return 0
	}
	c.acknowledge(i)
	p.update()
	return pollValid | i
}

func (h *ports) WriteReg(off uint64, v uint8) {
	p := h.pic
	p.mu.Lock()
	defer p.mu.Unlock()
	if off&1 == 0 {
		p.chips[h.n].command(v)
	} else {
		p.chips[h.n].data(v)
	}
	p.update()
}

// elcr are the registers ELCR1 and ELCR2.
type elcr struct{ pic *PIC }

func (h elcr) ReadReg(off uint64) uint8 {
	h.pic.mu.Lock()
	defer h.pic.mu.Unlock()
	return h.pic.chips[off&1].elcr
}

func (h elcr) WriteReg(off uint64, v uint8) {
	p := h.pic
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.chips[off&1]
	c.elcr = v & elcrWritable[off&1]
	c.sample()
	p.update()
}
