package acpipm

import (
	"encoding/binary"

	"ringo/devices"
)

// Read serves a load from the window of Size bytes.
func (p *PM) Read(off uint64, b []byte) {
	var w [Size]byte
	p.mu.Lock()
	p.update()
	binary.LittleEndian.PutUint16(w[regStatus:], p.status)
	binary.LittleEndian.PutUint16(w[regEnable:], p.enable)
	binary.LittleEndian.PutUint16(w[regControl:], p.control)
	binary.LittleEndian.PutUint32(w[regTimer:], uint32(p.ticks()&(2*p.half()-1)))
	p.mu.Unlock()
	copy(b, w[off%Size:])
}

// Write serves a store, byte by byte: each byte of a register acts alone.
func (p *PM) Write(off uint64, b []byte) {
	sleep := false
	p.mu.Lock()
	for i, v := range b {
		sleep = p.writeByte(off+uint64(i), v) || sleep
	}
	powerOff := sleep && uint8(p.control>>sleepTypeShift&7) == p.cfg.S5
	p.update()
	p.mu.Unlock()
	if powerOff {
		p.cfg.OnPowerOff()
	}
}

// writeByte says whether SLP_EN was written.
func (p *PM) writeByte(off uint64, v uint8) (sleep bool) {
	shift := 8 * (off & 1)
	value, lane := uint16(v)<<shift, uint16(0xFF)<<shift
	switch off &^ 1 {
	case regStatus:
		p.update() // what the timer has done so far is cleared too
		p.status &^= value
	case regEnable:
		p.enable = (p.enable&^lane | value) & enableMask
	case regControl:
		p.control = (p.control&^lane|value)&controlWritable | controlSCI
		return value&controlSlpEn != 0
	}
	return false
}

// Bits of the reset control register.
const (
	resetSystem = 1 << 1 // hard reset, rather than INIT
	resetCPU    = 1 << 2 // does it
)

// ResetPort serves port CF9H, which is also the FADT's reset register.
func (p *PM) ResetPort() devices.Handler { return devices.Bytes(resetPort{p}) }

type resetPort struct{ pm *PM }

func (h resetPort) ReadReg(uint64) uint8 {
	h.pm.mu.Lock()
	defer h.pm.mu.Unlock()
	return h.pm.resetReg
}

func (h resetPort) WriteReg(_ uint64, v uint8) {
	h.pm.mu.Lock()
	h.pm.resetReg = v & resetSystem
	h.pm.mu.Unlock()
	if v&resetCPU != 0 {
		h.pm.cfg.OnReset()
	}
}
