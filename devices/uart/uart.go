package uart

import (
	"sync"

	"ringo/devices"
)

// QueueSize bounds the input that waits for the guest, FIFO included.
const QueueSize = 4096

// UART is one serial port.
type UART struct {
	devices.Passive
	name string
	irq  devices.Output

	mu      sync.Mutex
	regs    registers
	queue   []byte // input in order; the FIFO is its start
	full    bool   // Input refused something
	drained func()

	// out serializes output; it is never held together with mu.
	out    sync.Mutex
	output func([]byte)
	tx     [1]byte
}

// registers are the state apart from the queue.
type registers struct {
	ier, lcr, mcr, msr, scr uint8
	dll, dlm                uint8
	errors                  uint8 // error bits of LSR
	fifo                    bool  // FIFOs are on
	trigger                 uint8 // FCR bits 7:6
	thre                    bool  // the THRE interrupt is pending
}

// connected: the other end is always ready.
const connected = msrCTS | msrDSR | msrDCD

// New makes a port; name is "com1" or the like.
func New(name string, irq devices.Line) *UART {
	u := &UART{name: name, irq: devices.NewOutput(irq)}
	u.Reset()
	return u
}

// Name is the name given to New.
func (u *UART) Name() string { return u.name }

// Reset puts the registers in their state after MR. Input that waits is lost.
func (u *UART) Reset() {
	u.mu.Lock()
	u.regs = registers{msr: connected, dll: 1}
	u.queue = u.queue[:0]
	u.update()
	f := u.takeDrained()
	u.mu.Unlock()
	f()
}

// SetOutput sets where the guest's output goes; nil drops it. f gets each
// piece in order and must not keep the slice.
func (u *UART) SetOutput(f func([]byte)) {
	u.out.Lock()
	defer u.out.Unlock()
	u.output = f
}

// SetDrained sets a function to call when there is room again after Input
// refused something.
func (u *UART) SetDrained(f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drained = f
}

// Input gives characters to the guest and returns how many were taken; the
// rest must be given again when the queue has drained. It never waits. In
// loopback the input pin is cut off: nothing is taken.
func (u *UART) Input(p []byte) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := min(len(p), QueueSize-len(u.queue))
	if u.regs.mcr&mcrLoop != 0 {
		n = 0
	}
	u.queue = append(u.queue, p[:n]...)
	u.full = u.full || n < len(p)
	u.update()
	return n
}

// Break gives the guest a break condition, which arrives at once.
func (u *UART) Break() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.regs.errors |= lsrBreak
	u.update()
}

// SetCarrier says whether the other end is there: CTS, DSR and DCD.
func (u *UART) SetCarrier(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.regs.mcr&mcrLoop != 0 {
		return // the pins are cut off; leaving loopback shows them connected
	}
	v := uint8(0)
	if on {
		v = connected
	}
	u.setModem(v)
	u.update()
}

// setModem changes the modem inputs and records the changes.
func (u *UART) setModem(levels uint8) {
	old := u.regs.msr & msrLevels
	deltas := (old ^ levels) >> 4 &^ msrTERI
	if old&msrRI != 0 && levels&msrRI == 0 {
		deltas |= msrTERI // RI counts when it ends
	}
	u.regs.msr = levels | u.regs.msr&msrDeltas | deltas
}

// avail is how many characters the guest could read from the FIFO now.
func (u *UART) avail() int {
	if u.regs.fifo {
		return min(len(u.queue), fifoSize)
	}
	return min(len(u.queue), 1)
}

// cause is the IIR's view of the pending interrupt of highest priority.
func (u *UART) cause() uint8 {
	r := &u.regs
	n := u.avail()
	switch {
	case r.ier&ierLine != 0 && r.errors != 0:
		return iirLine
	case r.ier&ierData != 0 && n > 0 && (!r.fifo || n >= triggers[r.trigger]):
		return iirData
	case r.ier&ierData != 0 && n > 0:
		return iirTimeout // characters take no time, so neither does the timeout
	case r.ier&ierTHRE != 0 && r.thre:
		return iirTHRE
	case r.ier&ierModem != 0 && r.msr&msrDeltas != 0:
		return iirModem
	}
	return iirNone
}

// update drives the interrupt line, which OUT2 gates.
func (u *UART) update() { u.irq.Set(u.interrupts()) }

func (u *UART) interrupts() bool {
	const gate = mcrOUT2 | mcrLoop
	return u.regs.mcr&gate == mcrOUT2 && u.cause() != iirNone
}

// takeDrained gives the function to call, with the lock released, when there
// is room again; it gives one that does nothing otherwise.
func (u *UART) takeDrained() func() {
	if !u.full || u.regs.mcr&mcrLoop != 0 || len(u.queue) > QueueSize/2 || u.drained == nil {
		return func() {}
	}
	u.full = false
	return u.drained
}
