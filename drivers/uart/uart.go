package uart

import (
	"fmt"
	"io"
	"sync"

	"ringo/nucleus"
	"ringo/nucleus/reg"
)

// Registers, relative to the port's base.
const (
	rbr = 0 // receive (read), transmit (write)
	ier = 1
	iir = 2
	lsr = 5
	msr = 6

	ierReceive  = 1 << 0
	ierTransmit = 1 << 1

	lsrData  = 1 << 0
	lsrEmpty = 1 << 5

	iirNone  = 1
	iirMask  = 0x0f
	fifoSize = 16
	// inputLimit bounds what nobody has read yet, in bytes.
	inputLimit = 64 << 10
)

// Port is an open serial port. Read waits for input; Write returns when all
// bytes are in the transmitter.
type Port struct {
	base uint16
	irq  *nucleus.Interrupt

	mu    sync.Mutex
	space *sync.Cond // the transmitter has become empty
	data  *sync.Cond // input has come
	input []byte
	lost  uint64
	err   error
	// writing is held by the one writer whose bytes are going out.
	writing sync.Mutex
}

var _ io.ReadWriter = (*Port)(nil)

// Open takes over the port at I/O address base with ISA interrupt irq: 0x3f8
// and 4 for COM1. The nucleus has set its speed already.
func Open(base uint16, irq int) (*Port, error) {
	i, err := nucleus.ISAInterrupt(irq)
	if err != nil {
		return nil, fmt.Errorf("serial port at %#x: %w", base, err)
	}
	p := &Port{base: base, irq: i}
	p.space = sync.NewCond(&p.mu)
	p.data = sync.NewCond(&p.mu)
	go p.serve()
	p.out(ier, ierReceive)
	return p, nil
}

func (p *Port) in(r uint16) uint8     { return reg.In8(p.base + r) }
func (p *Port) out(r uint16, v uint8) { reg.Out8(p.base+r, v) }

// serve handles the port's interrupts.
func (p *Port) serve() {
	for {
		p.mu.Lock()
		p.poll()
		p.mu.Unlock()
		p.irq.Done()
		if err := p.irq.Wait(); err != nil {
			p.mu.Lock()
			p.err = fmt.Errorf("serial port at %#x: %w", p.base, err)
			p.data.Broadcast()
			p.space.Broadcast()
			p.mu.Unlock()
			return
		}
	}
}

// poll serves every cause that the port shows. The ISA line is edge-triggered:
// it comes again only after all causes were gone.
func (p *Port) poll() {
	for i := 0; i < 1000; i++ {
		for p.in(lsr)&lsrData != 0 {
			p.receive(p.in(rbr))
		}
		if p.in(iir)&iirNone != 0 {
			return
		}
		p.in(msr)
		if p.in(lsr)&lsrEmpty != 0 {
			p.out(ier, ierReceive)
			p.space.Broadcast()
		}
	}
}

func (p *Port) receive(b byte) {
	if len(p.input) >= inputLimit {
		p.lost++
		return
	}
	p.input = append(p.input, b)
	p.data.Broadcast()
}

// Read waits until at least one byte has come.
func (p *Port) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.input) == 0 && p.err == nil {
		p.data.Wait()
	}
	n := copy(b, p.input)
	p.input = p.input[n:]
	if len(p.input) == 0 {
		p.input = nil
	}
	if n == 0 {
		return 0, p.err
	}
	return n, nil
}

// Write sends b, in pieces of the transmitter's FIFO.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	sent := 0
	for sent < len(b) {
		if err := p.waitEmpty(); err != nil {
			return sent, err
		}
		n := min(fifoSize, len(b)-sent)
		for _, ch := range b[sent : sent+n] {
			p.out(rbr, ch)
		}
		sent += n
	}
	return sent, nil
}

// waitEmpty waits for the transmitter's interrupt unless it is empty already.
func (p *Port) waitEmpty() error {
	if p.in(lsr)&lsrEmpty != 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.in(lsr)&lsrEmpty == 0 && p.err == nil {
		p.out(ier, ierReceive|ierTransmit)
		p.space.Wait()
	}
	return p.err
}

// Lost is how many bytes of input were dropped because nobody read them.
func (p *Port) Lost() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}
