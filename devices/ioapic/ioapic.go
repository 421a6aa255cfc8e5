package ioapic

import (
	"sync"

	"ringo/devices"
	"ringo/hv/vcpu/apic"
)

// Pins is the number of interrupt inputs.
const Pins = 24

// version: 20H has the EOI register; bits 23:16 are the highest entry.
const version = 0x20 | (Pins-1)<<16

// Direct registers, by offset into the MMIO window.
const (
	regSelect = 0x00
	regWindow = 0x10
	regEOI    = 0x40
)

// Indirect registers, by the value of the select register.
const (
	indexID          = 0x00
	indexVersion     = 0x01
	indexArbitration = 0x02
	indexEntries     = 0x10 // two for each input
)

// Fields of a redirection table entry.
const (
	entryVector    = 0xFF
	entryModeShift = 8
	entryStatus    = 1 << 12 // read-only
	entryRemoteIRR = 1 << 14 // read-only
	entryLevel     = 1 << 15
	entryMasked    = 1 << 16
	entryMask      = 0xFF<<56 | 0x1AFFF
	entryReset     = entryMasked
)

// IOAPIC is one I/O APIC.
type IOAPIC struct {
	devices.Passive
	deliver func(apic.Message)

	mu      sync.Mutex
	id      uint32
	index   uint32
	lines   uint32 // levels of the inputs
	entries [Pins]uint64
}

// New makes an I/O APIC. deliver gets its messages and must not call back.
func New(id uint8, deliver func(apic.Message)) *IOAPIC {
	x := &IOAPIC{deliver: deliver, id: uint32(id&0xF) << 24}
	x.Reset()
	return x
}

// Name is "ioapic".
func (x *IOAPIC) Name() string { return "ioapic" }

// Reset masks all inputs. Their levels stay: they belong to the devices.
func (x *IOAPIC) Reset() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.index = 0
	for i := range x.entries {
		x.entries[i] = entryReset
	}
}

// Pin is input i, 0 to Pins-1. The level is that of the signal as asserted;
// the polarity bit of the entry is kept but means nothing.
func (x *IOAPIC) Pin(i int) devices.Line {
	_ = x.entries[i]
	return devices.LineFunc(func(level bool) { x.set(i, level) })
}

func (x *IOAPIC) set(i int, level bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	bit := uint32(1) << i
	was := x.lines&bit != 0
	if !level {
		x.lines &^= bit
		return
	}
	x.lines |= bit
	if x.followsLevel(i) {
		x.serveLevel(i)
	} else if !was && x.entries[i]&entryMasked == 0 {
		x.deliver(apic.IOAPIC(x.entries[i] &^ entryLevel))
	}
	// An edge on a masked input is lost, as the datasheet says.
}

// followsLevel says whether input i waits for an EOI. Only interrupts with a
// vector do; NMI and the like act on the edge.
func (x *IOAPIC) followsLevel(i int) bool {
	mode := x.entries[i] >> entryModeShift & 7
	return x.entries[i]&entryLevel != 0 && mode <= apic.DeliveryLowestPriority
}

// serveLevel delivers level-triggered input i unless it is masked, low, or
// waits for its EOI.
func (x *IOAPIC) serveLevel(i int) {
	e := x.entries[i]
	if x.lines>>i&1 == 0 || e&(entryMasked|entryRemoteIRR) != 0 || !x.followsLevel(i) {
		return
	}
	x.entries[i] |= entryRemoteIRR
	x.deliver(apic.IOAPIC(e))
}

// EOI tells that a local APIC has ended the level-triggered interrupt of that
// vector. An input that is still asserted interrupts again.
func (x *IOAPIC) EOI(vector uint8) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, e := range x.entries {
		if e&(entryVector|entryLevel|entryRemoteIRR) == uint64(vector)|entryLevel|entryRemoteIRR {
			x.entries[i] &^= entryRemoteIRR
			x.serveLevel(i)
		}
	}
}

// Read serves a load from the MMIO window.
func (x *IOAPIC) Read(off uint64, p []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var v uint32
	switch off &^ 3 {
	case regSelect:
		v = x.index
	case regWindow:
		v = x.readIndirect()
	}
	devices.PutValue(p, uint64(v)>>(8*(off&3)))
}

// Write serves a store to the MMIO window. Stores that do not start at a
// register have no effect; a narrow one is extended with zeros.
func (x *IOAPIC) Write(off uint64, p []byte) {
	v := uint32(devices.Value(p[:min(len(p), 4)]))
	if off == regEOI {
		x.EOI(uint8(v))
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch off {
	case regSelect:
		x.index = v & 0xFF
	case regWindow:
		x.writeIndirect(v)
	}
}

// entry is the input that an index names, and the shift of its half.
func (x *IOAPIC) entry() (i int, shift uint, ok bool) {
	n := x.index - indexEntries
	return int(n / 2), uint(n%2) * 32, x.index >= indexEntries && n < 2*Pins
}

func (x *IOAPIC) readIndirect() uint32 {
	switch x.index {
	case indexID, indexArbitration:
		return x.id
	case indexVersion:
		return version
	}
	if i, shift, ok := x.entry(); ok {
		return uint32(x.entries[i] >> shift)
	}
	return 0
}

func (x *IOAPIC) writeIndirect(v uint32) {
	if x.index == indexID {
		x.id = v & 0x0F000000
		return
	}
	i, shift, ok := x.entry()
	if !ok {
		return
	}
	const readOnly = entryStatus | entryRemoteIRR
	e := x.entries[i]&^(0xFFFFFFFF<<shift) | uint64(v)<<shift
	e = e&entryMask&^readOnly | x.entries[i]&readOnly
	if e&entryLevel == 0 {
		e &^= entryRemoteIRR // an edge-triggered interrupt has no EOI to wait for
	}
	x.entries[i] = e
	x.serveLevel(i)
}
