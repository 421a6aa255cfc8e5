package uart

import "ringo/devices"

// Handler serves the eight ports.
func (u *UART) Handler() devices.Handler { return devices.Bytes(u) }

// ReadReg reads one register.
func (u *UART) ReadReg(off uint64) uint8 {
	u.mu.Lock()
	v := u.read(off % numRegs)
	f := u.takeDrained()
	u.mu.Unlock()
	f()
	return v
}

func (u *UART) read(reg uint64) uint8 {
	r := &u.regs
	dlab := r.lcr&lcrDLAB != 0
	switch reg {
	case regData:
		if dlab {
			return r.dll
		}
		return u.receive()
	case regIER:
		if dlab {
			return r.dlm
		}
		return r.ier
	case regIIR:
		return u.readIIR()
	case regLCR:
		return r.lcr
	case regMCR:
		return r.mcr
	case regLSR:
		v := lsrTHRE | lsrTEMT | r.errors
		if u.avail() > 0 {
			v |= lsrData
		}
		r.errors = 0
		u.update()
		return v
	case regMSR:
		v := r.msr
		r.msr &^= msrDeltas
		u.update()
		return v
	}
	return r.scr
}

// receive takes a character from the FIFO; 0 if there is none.
func (u *UART) receive() uint8 {
	if len(u.queue) == 0 {
		return 0
	}
	v := u.queue[0]
	// The queue's array is used again, so it grows once at most.
	u.queue = u.queue[:copy(u.queue, u.queue[1:])]
	u.update()
	return v
}

// readIIR ends the THRE interrupt if that is what it shows.
func (u *UART) readIIR() uint8 {
	v := u.cause()
	if v == iirTHRE {
		u.regs.thre = false
		u.update()
	}
	if u.regs.fifo {
		v |= iirFIFO
	}
	return v
}

// WriteReg writes one register.
func (u *UART) WriteReg(off uint64, v uint8) {
	u.mu.Lock()
	send := u.write(off%numRegs, v)
	u.update()
	f := u.takeDrained()
	u.mu.Unlock()
	if send {
		u.transmit(v)
	}
	f()
}

// write changes a register and says whether v is to be sent.
func (u *UART) write(reg uint64, v uint8) (send bool) {
	r := &u.regs
	dlab := r.lcr&lcrDLAB != 0
	switch reg {
	case regData:
		if dlab {
			r.dll = v
			return false
		}
		r.thre = true // it was empty, and is again
		if r.mcr&mcrLoop != 0 {
			u.loop(v)
			return false
		}
		return true
	case regIER:
		if dlab {
			r.dlm = v
			return false
		}
		if v&^r.ier&ierTHRE != 0 {
			r.thre = true // the register is empty, and now somebody asks
		}
		r.ier = v & ierMask
	case regIIR:
		u.writeFCR(v)
	case regLCR:
		r.lcr = v
	case regMCR:
		u.writeMCR(v & mcrMask)
	case regSCR:
		r.scr = v
	}
	return false
}

// loop receives what was sent. There is no flow control inside the chip: a
// full FIFO overruns.
func (u *UART) loop(v uint8) {
	limit := 1
	if u.regs.fifo {
		limit = fifoSize
	}
	if len(u.queue) >= limit {
		u.regs.errors |= lsrOverrun
		return
	}
	u.queue = append(u.queue, v)
}

func (u *UART) writeFCR(v uint8) {
	r := &u.regs
	on := v&fcrEnable != 0
	if on != r.fifo || on && v&fcrClrRX != 0 {
		u.queue = u.queue[:copy(u.queue, u.queue[u.avail():])]
	}
	if on != r.fifo || on && v&fcrClrTX != 0 {
		r.thre = true
	}
	r.fifo = on
	r.trigger = 0
	if on {
		r.trigger = v >> 6
	}
}

// writeMCR connects the outputs to the modem inputs in loopback.
func (u *UART) writeMCR(v uint8) {
	old := u.regs.mcr
	u.regs.mcr = v
	switch {
	case v&mcrLoop != 0:
		levels := uint8(0)
		for _, w := range [4]struct{ out, in uint8 }{
			{mcrRTS, msrCTS}, {mcrDTR, msrDSR}, {mcrOUT1, msrRI}, {mcrOUT2, msrDCD},
		} {
			if v&w.out != 0 {
				levels |= w.in
			}
		}
		u.setModem(levels)
	case old&mcrLoop != 0:
		u.setModem(connected)
	}
}

func (u *UART) transmit(v uint8) {
	u.out.Lock()
	defer u.out.Unlock()
	if u.output != nil {
		u.tx[0] = v
		u.output(u.tx[:])
	}
}
