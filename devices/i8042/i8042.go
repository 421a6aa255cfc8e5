package i8042

import (
	"sync"

	"ringo/devices"
)

// Bits of the status register (port 64H).
const (
	statusOutput = 1 << 0 // a byte waits in port 60H
	statusSystem = 1 << 2 // the self-test has passed
	statusLast   = 1 << 3 // the last write was a command
	statusUnlock = 1 << 4
)

// Bits of the output port.
const (
	outNoReset = 1 << 0
	outA20     = 1 << 1
	outIdle    = 0xCC // clock and data lines are high
)

// Bits of port 92H.
const (
	fastReset = 1 << 0
	fastA20   = 1 << 1
)

// Commands (written to port 64H).
const (
	cmdReadRAM      = 0x20 // to 3FH; 20H is the command byte
	cmdWriteRAM     = 0x60 // to 7FH
	cmdSelfTest     = 0xAA
	cmdTestMouse    = 0xA9
	cmdTestKeyboard = 0xAB
	cmdReadInput    = 0xC0
	cmdReadOutput   = 0xD0
	cmdWriteOutput  = 0xD1
	cmdA20Off       = 0xDD
	cmdA20On        = 0xDF
	cmdPulse        = 0xF0 // to FFH; a clear bit pulses that output low
)

// Answers to tests.
const (
	selfTestPassed = 0x55
	portAbsent     = 0x04 // data line stuck high: nothing is plugged in
)

// Controller is the device.
type Controller struct {
	devices.Passive
	onReset func()

	mu    sync.Mutex
	state state
}

// state is version 1 of the saved state.
type state struct {
	status  uint8
	output  uint8 // byte in port 60H
	pending uint8 // command whose data byte is to come; 0 for none
	a20     bool
	ram     [32]uint8
}

// New makes a controller; onReset runs without a lock when the guest pulses
// the reset line.
func New(onReset func()) *Controller {
	c := &Controller{onReset: onReset}
	c.Reset()
	return c
}

// Name is "i8042".
func (c *Controller) Name() string { return "i8042" }

// Reset leaves A20 open, as firmware does.
func (c *Controller) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = state{status: statusSystem | statusUnlock, a20: true}
}

// A20 says whether the guest has the gate open.
func (c *Controller) A20() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.a20
}

// Data serves port 60H, Command port 64H.
func (c *Controller) Data() devices.Handler { return devices.Bytes(data{c}) }

// Command serves port 64H.
func (c *Controller) Command() devices.Handler { return devices.Bytes(command{c}) }

// Port92 serves port 92H.
func (c *Controller) Port92() devices.Handler { return devices.Bytes(port92{c}) }

// with runs f under the lock and resets the machine if f says so.
func (c *Controller) with(f func(*state) (reset bool)) {
	c.mu.Lock()
	reset := f(&c.state)
	c.mu.Unlock()
	if reset {
		c.onReset()
	}
}

type data struct{ c *Controller }

func (h data) ReadReg(uint64) (v uint8) {
	h.c.with(func(s *state) bool {
		v = s.output
		s.status &^= statusOutput
		return false
	})
	return v
}

func (h data) WriteReg(_ uint64, v uint8) {
	h.c.with(func(s *state) bool { return s.data(v) })
}

type command struct{ c *Controller }

func (h command) ReadReg(uint64) (v uint8) {
	h.c.with(func(s *state) bool {
		v = s.status
		return false
	})
	return v
}

func (h command) WriteReg(_ uint64, v uint8) {
	h.c.with(func(s *state) bool { return s.command(v) })
}

type port92 struct{ c *Controller }

func (h port92) ReadReg(uint64) (v uint8) {
	h.c.with(func(s *state) bool {
		if s.a20 {
			v = fastA20
		}
		return false
	})
	return v
}

func (h port92) WriteReg(_ uint64, v uint8) {
	h.c.with(func(s *state) bool {
		s.a20 = v&fastA20 != 0
		return v&fastReset != 0
	})
}

func (s *state) answer(v uint8) {
	s.output = v
	s.status |= statusOutput
}

// outputPort is the output port as command D0H reads it.
func (s *state) outputPort() uint8 {
	v := uint8(outNoReset | outIdle)
	if s.a20 {
		v |= outA20
	}
	return v
}

func (s *state) command(v uint8) (reset bool) {
	s.status |= statusLast
	s.pending = 0
	switch {
	case v >= cmdPulse:
		return v&outNoReset == 0
	case v&0xE0 == cmdReadRAM:
		s.answer(s.ram[v&31])
	case v&0xE0 == cmdWriteRAM, v == cmdWriteOutput:
		s.pending = v
	case v == cmdSelfTest:
		s.answer(selfTestPassed)
	case v == cmdTestMouse, v == cmdTestKeyboard:
		s.answer(portAbsent)
	case v == cmdReadInput:
		s.answer(0)
	case v == cmdReadOutput:
		s.answer(s.outputPort())
	case v == cmdA20Off, v == cmdA20On:
		s.a20 = v == cmdA20On
	}
	return false
}

// data is a write of port 60H: the data byte of a command, or a byte for a
// keyboard that is not there.
func (s *state) data(v uint8) (reset bool) {
	s.status &^= statusLast
	cmd := s.pending
	s.pending = 0
	switch {
	case cmd == cmdWriteOutput:
		s.a20 = v&outA20 != 0
		return v&outNoReset == 0
	case cmd&0xE0 == cmdWriteRAM:
		s.ram[cmd&31] = v
	}
	return false
}
