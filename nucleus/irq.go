package nucleus

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"ringo/nucleus/reg"
)

// Device interrupts. Each bound global system interrupt has a vector, comes to
// one CPU, and adds one to a counter (eventfd) that a driver in Go reads. A
// level-triggered interrupt stays masked until the driver says that it has
// served it.

// I/O APIC registers (Intel 82093AA data sheet, section 3.2).
const (
	ioapicVersion  = 1
	ioapicRedirect = 0x10

	redirectLevel  = 1 << 15
	redirectLow    = 1 << 13
	redirectMasked = 1 << 16
)

type irqBinding struct {
	used  uint32
	fd    uint32
	gsi   uint32
	low   uint32 // the low word of the redirection entry
	level uint32
	count atomic.Uint64
}

var (
	irqLock  spinlock
	bindings [256]irqBinding // by vector
)

func (a *ioapicInfo) read(r uint32) uint32 {
	reg.Store32(unsafe.Pointer(a.regs), r)
	return reg.Load32(unsafe.Pointer(a.regs + 16))
}

func (a *ioapicInfo) write(r, v uint32) {
	reg.Store32(unsafe.Pointer(a.regs), r)
	reg.Store32(unsafe.Pointer(a.regs+16), v)
}

// maskPICs silences both 8259s, which a boot loader may leave with the timer
// on. It comes before the local APIC's LINT0 is masked: a request that is
// under way is withdrawn only while LINT0 still passes it on, and QEMU would
// deliver it at the first STI, as a vector that no one asked for.
func maskPICs() {
	reg.Out8(0xa1, 0xff)
	reg.Out8(0x21, 0xff)
}

// initInterrupts reads the firmware's tables, finds the I/O APICs and
// masks every pin.
func initInterrupts() {
	readACPI()
	for i := uint32(0); i < acpi.nIOAPIC; i++ {
		a := &acpi.ioapics[i]
		a.regs = mapMMIO(a.addr, pageSize)
		if a.regs == 0 {
			continue
		}
		a.pins = a.read(ioapicVersion)>>16&0xff + 1
		for p := uint32(0); p < a.pins; p++ {
			a.write(ioapicRedirect+2*p, redirectMasked)
		}
	}
}

func ioapicFor(gsi uint32) (*ioapicInfo, uint32) {
	for i := uint32(0); i < acpi.nIOAPIC; i++ {
		a := &acpi.ioapics[i]
		if a.regs != 0 && gsi >= a.gsi && gsi-a.gsi < a.pins {
			return a, gsi - a.gsi
		}
	}
	return nil, 0
}

// routeISA gives the GSI and the polarity and trigger bits of an ISA interrupt
// (ACPI 6.5, section 5.2.12.5 "Interrupt Source Override Structure").
func routeISA(irq uint32) (gsi, bits uint32) {
	for i := uint32(0); i < acpi.nOverride; i++ {
		o := &acpi.overrides[i]
		if o.irq != irq {
			continue
		}
		if o.flags&3 == 3 {
			bits |= redirectLow
		}
		if o.flags>>2&3 == 3 {
			bits |= redirectLevel
		}
		return o.gsi, bits
	}
	return irq, 0
}

// bindISA connects an ISA interrupt with the counter fd.
func bindISA(irq, fd uint64) uint64 {
	if irq > 15 || fd >= maxFDs || fdTable[fd].kind != fdEvent {
		return errno(syscall.EINVAL)
	}
	gsi, bits := routeISA(uint32(irq))
	a, pin := ioapicFor(gsi)
	if a == nil {
		return errno(syscall.ENODEV)
	}
	irqLock.lock()
	v := uint32(vectorDevice)
	for v < vectorError && bindings[v].used != 0 {
		v++
	}
	if v == vectorError {
		irqLock.unlock()
		return errno(syscall.ENOSPC)
	}
	b := &bindings[v]
	b.used, b.fd, b.gsi, b.low = 1, uint32(fd), gsi, bits|v
	b.level = bits & redirectLevel
	a.write(ioapicRedirect+2*pin+1, cpus[0].apicID<<24)
	a.write(ioapicRedirect+2*pin, b.low)
	irqLock.unlock()
	return uint64(v)
}

// deviceInterrupt passes an interrupt on to its counter.
func deviceInterrupt(vector uint32) {
	b := &bindings[vector&255]
	if b.used == 0 {
		return
	}
	b.count.Add(1)
	if b.level != 0 {
		if a, pin := ioapicFor(b.gsi); a != nil {
			irqLock.lock()
			a.write(ioapicRedirect+2*pin, b.low|redirectMasked)
			irqLock.unlock()
		}
	}
	signalEvent(b.fd, 1)
}

// unmaskIRQ lets a level-triggered interrupt come again.
func unmaskIRQ(vector uint64) uint64 {
	if vector > 255 || bindings[vector].used == 0 {
		return errno(syscall.EINVAL)
	}
	b := &bindings[vector]
	if a, pin := ioapicFor(b.gsi); a != nil && b.level != 0 {
		irqLock.lock()
		a.write(ioapicRedirect+2*pin, b.low)
		irqLock.unlock()
	}
	return 0
}
