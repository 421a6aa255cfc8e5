package rtc

import "ringo/devices"

// Handler serves the index port 70H and the data port 71H.
func (r *RTC) Handler() devices.Handler { return devices.Bytes(r) }

// ReadReg reads a port. The index port cannot be read on a PC.
func (r *RTC) ReadReg(off uint64) uint8 {
	if off&1 == 0 {
		return 0xFF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read(r.state.index & indexMask)
}

// WriteReg writes a port.
func (r *RTC) WriteReg(off uint64, v uint8) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if off&1 == 0 {
		r.state.index = v
		return
	}
	r.write(r.state.index&indexMask, v)
}

func (r *RTC) read(loc uint8) uint8 {
	s := &r.state
	switch loc {
	case locA:
		v := s.mem[locA]
		if !s.stopped && r.now().Nanosecond() >= secNanos-uipNanos {
			v |= aUIP
		}
		return v
	case locB:
		return s.b
	case locC:
		return r.readC()
	case locD:
		return dValid
	}
	cal := s.edit
	if !s.stopped {
		cal = newCalendar(r.now())
	}
	if v, ok := cal.get(s.b, loc); ok {
		return v
	}
	return s.mem[loc]
}

// readC gives the flags, clears them, and lowers the interrupt.
func (r *RTC) readC() uint8 {
	r.sync()
	s := &r.state
	v := s.c
	if s.b&s.c&cFlags != 0 {
		v |= cIRQF
	}
	s.c = 0
	r.update()
	return v
}

func (r *RTC) write(loc, v uint8) {
	s := &r.state
	r.sync()
	switch loc {
	case locA:
		r.writeA(v)
	case locB:
		r.writeB(v)
	case locC, locD: // read-only
	default:
		r.writeTime(loc, v)
	}
	if loc == locA {
		s.periods = r.period() // another rate starts a new count
	}
	r.update()
}

// held says whether registers A and B stop the clock.
func (r *RTC) held() bool {
	return r.state.b&bSet != 0 || r.state.mem[locA]&aDivider >= aStopped
}

// writeA lets the first update come half a second after the divider is let
// go, as the datasheet says.
func (r *RTC) writeA(v uint8) {
	s := &r.state
	wasReset := s.mem[locA]&aDivider >= aStopped
	s.mem[locA] = v &^ aUIP
	nanos := int64(r.now().Nanosecond())
	if wasReset && s.mem[locA]&aDivider < aStopped {
		nanos = halfASec
	}
	r.hold(nanos)
}

func (r *RTC) writeB(v uint8) {
	s := &r.state
	s.b = v
	if v&bSet != 0 {
		s.b &^= bUIE // SET clears it
	}
	r.hold(int64(r.now().Nanosecond()))
}

// hold stops the clock or lets it go on, nanos into the second, as registers A
// and B now say.
func (r *RTC) hold(nanos int64) {
	s := &r.state
	switch held := r.held(); {
	case held && !s.stopped:
		s.edit = newCalendar(r.now())
		s.stopped = true
	case !held && s.stopped:
		s.stopped = false
		r.setTime(s.edit.unix(), nanos)
	}
}

// writeTime writes a time location or plain memory.
func (r *RTC) writeTime(loc, v uint8) {
	s := &r.state
	if s.stopped {
		if !s.edit.set(s.b, loc, v) {
			s.mem[loc] = v
		}
		return
	}
	now := r.now()
	cal := newCalendar(now)
	if !cal.set(s.b, loc, v) {
		s.mem[loc] = v
		return
	}
	if loc != locWeekday { // the day of the week follows from the date
		r.setTime(cal.unix(), int64(now.Nanosecond()))
	}
}
