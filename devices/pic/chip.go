package pic

import "math/bits"

// Bits of the command words.
const (
	icw1      = 1 << 4 // marks ICW1 on the command port
	icw1IC4   = 1 << 0 // ICW4 follows
	icw1SNGL  = 1 << 1 // no ICW3
	icw1LTIM  = 1 << 3 // all inputs are level-triggered
	icw4AEOI  = 1 << 1
	icw4SFNM  = 1 << 4
	ocw3      = 1 << 3 // marks OCW3 on the command port
	ocw3Read  = 2      // read IRR; with bit 0 set, ISR
	ocw3Poll  = 1 << 2
	ocw3ESMM  = 1 << 6
	ocw3SMM   = 1 << 5
	spurious  = 7 // what an acknowledge without a request gives
	pollValid = 1 << 7
)

// Commands of OCW2, bits 7:5.
const (
	ocw2RotateAEOIOff = iota
	ocw2EOI
	ocw2Nop
	ocw2SpecificEOI
	ocw2RotateAEOIOn
	ocw2RotateEOI
	ocw2SetPriority
	ocw2RotateSpecific
)

// Steps of the initialization.
const (
	stepReady = iota // initialized
	stepICW2
	stepICW3
	stepICW4
	stepOff // never initialized since reset
)

// chip is one 8259A. Its fields are its saved state.
type chip struct {
	irr, isr, imr uint8
	lines         uint8 // levels of the inputs
	elcr          uint8 // inputs that are level-triggered
	ltim          bool  // all are
	base          uint8 // vector of input 0
	lowest        uint8 // input of lowest priority
	step          uint8
	icw4          bool // ICW4 is to come
	single        bool
	autoEOI       bool
	rotate        bool // on automatic EOI
	nested        bool // special fully nested mode
	specialMask   bool
	readISR       bool
	poll          bool // the next read is a poll
}

func (c *chip) reset() {
	*c = chip{lines: c.lines, lowest: 7, step: stepOff}
	c.sample()
}

func (c *chip) level(i uint8) bool { return c.ltim || c.elcr>>i&1 != 0 }

// sample makes IRR follow the level-triggered inputs.
func (c *chip) sample() {
	mask := c.elcr
	if c.ltim {
		mask = 0xFF
	}
	c.irr = c.irr&^mask | c.lines&mask
}

// set drives input i. An edge is latched until it is acknowledged, even if the
// input falls before.
func (c *chip) set(i uint8, level bool) {
	bit := uint8(1) << i
	if !level {
		c.lines &^= bit
	} else if c.lines&bit == 0 {
		c.lines |= bit
		c.irr |= bit
	}
	c.sample()
}

// first is the input of highest priority in mask; ok is false if mask is 0.
func (c *chip) first(mask uint8) (i uint8, ok bool) {
	top := (c.lowest + 1) & 7
	n := bits.TrailingZeros8(bits.RotateLeft8(mask, -int(top)))
	return (uint8(n) + top) & 7, mask != 0
}

// request is the input whose interrupt the chip asks for now. cascade is the
// input of the slave, whose service does not block it in special fully nested
// mode.
func (c *chip) request(cascade uint8) (i uint8, ok bool) {
	if c.step != stepReady {
		return 0, false
	}
	i, ok = c.first(c.irr &^ c.imr)
	if !ok {
		return 0, false
	}
	served := c.isr
	if c.specialMask {
		served &^= c.imr
	}
	if c.nested {
		served &^= cascade
	}
	if s, busy := c.first(served); busy && c.rank(s) <= c.rank(i) {
		return 0, false
	}
	return i, true
}

// rank is an input's priority, 0 the highest.
func (c *chip) rank(i uint8) uint8 { return (i - c.lowest - 1) & 7 }

// acknowledge puts input i in service.
func (c *chip) acknowledge(i uint8) {
	bit := uint8(1) << i
	if !c.level(i) {
		c.irr &^= bit
	}
	if !c.autoEOI {
		c.isr |= bit
	} else if c.rotate {
		c.lowest = i
	}
}

func (c *chip) command(v uint8) {
	switch {
	case v&icw1 != 0:
		c.startInit(v)
	case v&ocw3 != 0:
		c.writeOCW3(v)
	default:
		c.writeOCW2(v>>5, v&7)
	}
}

// startInit is ICW1: it clears the mask, the edge latches and all modes.
func (c *chip) startInit(v uint8) {
	*c = chip{
		lines: c.lines, elcr: c.elcr, base: c.base, isr: 0, lowest: 7, step: stepICW2,
		ltim: v&icw1LTIM != 0, single: v&icw1SNGL != 0, icw4: v&icw1IC4 != 0,
	}
	c.sample()
}

func (c *chip) writeOCW3(v uint8) {
	if v&ocw3Poll != 0 {
		c.poll = true
	} else if v&ocw3Read != 0 {
		c.readISR = v&1 != 0
	}
	if v&ocw3ESMM != 0 {
		c.specialMask = v&ocw3SMM != 0
	}
}

func (c *chip) writeOCW2(cmd, i uint8) {
	switch cmd {
	case ocw2RotateAEOIOff, ocw2RotateAEOIOn:
		c.rotate = cmd == ocw2RotateAEOIOn
	case ocw2SetPriority:
		c.lowest = i
	case ocw2EOI, ocw2RotateEOI:
		served := c.isr
		if c.specialMask {
			served &^= c.imr
		}
		i, ok := c.first(served)
		if !ok {
			return
		}
		c.isr &^= 1 << i
		if cmd == ocw2RotateEOI {
			c.lowest = i
		}
	case ocw2SpecificEOI, ocw2RotateSpecific:
		c.isr &^= 1 << i
		if cmd == ocw2RotateSpecific {
			c.lowest = i
		}
	}
}

// data is a write of the data port: the next ICW, or OCW1.
func (c *chip) data(v uint8) {
	switch c.step {
	case stepICW2:
		c.base = v &^ 7
		c.step = stepICW3
		if c.single {
			c.afterICW3()
		}
	case stepICW3:
		c.afterICW3() // the wiring of the cascade is fixed
	case stepICW4:
		c.autoEOI = v&icw4AEOI != 0
		c.nested = v&icw4SFNM != 0
		c.step = stepReady
	default:
		c.imr = v
	}
}

func (c *chip) afterICW3() {
	c.step = stepReady
	if c.icw4 {
		c.step = stepICW4
	}
}
