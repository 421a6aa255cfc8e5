package hv

import (
	"fmt"

	"ringo/boot/layout"
	"ringo/devices"
	"ringo/devices/ioapic"
	"ringo/devices/pic"
	"ringo/devices/pit"
	"ringo/devices/uart"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/memory"
)

// parts are the devices of machine version ringo-1 that other code speaks to.
type parts struct {
	ioapic *ioapic.IOAPIC
	pic    *pic.PIC
	pit    *pit.PIT
	com1   *uart.UART
	clock  interface {
		ReadMSR(int, uint32) (uint64, bool)
		WriteMSR(int, uint32, uint64) bool
	}
	pm interface{ PressButton() }
}

// newBoard builds a machine: memory, vCPUs and devices, all in their state
// before power-on. On an error nothing is left behind.
func newBoard(vm *VM) (b *board, err error) {
	b = &board{vm: vm, gate: newGate(), pio: devices.NewPortBus(), mmio: devices.NewMMIOBus(), parts: &parts{}}
	b.waker = b.wake
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.clock = vm.host.newClock(b.timerPanicked)
	if b.policy, err = newPolicy(vm.host, &vm.cfg); err != nil {
		return nil, err
	}
	b.efer, b.cr4 = b.validEFER(), b.validCR4()
	if err = b.addMemory(); err != nil {
		return nil, err
	}
	if err = b.addCPUs(); err != nil {
		return nil, err
	}
	if err = b.addDevices(); err != nil {
		return nil, err
	}
	return b, nil
}

// addMemory lays out the RAM. Frames come as they are touched.
func (b *board) addMemory() (err error) {
	host := b.vm.host
	if b.layout, err = layout.New(b.vm.cfg.Memory); err != nil {
		return err
	}
	if b.stage2, err = host.Backend.NewStage2(host.Frames); err != nil {
		return fmt.Errorf("stage-2 tables: %w", err)
	}
	b.space, err = memory.NewSpace(host.Frames, b.stage2, b.layout.Slots(), 0)
	return err
}

// addCPUs makes the vCPUs with their local APICs.
func (b *board) addCPUs() (err error) {
	if b.backVM, err = b.vm.host.Backend.NewVM(b.stage2); err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	b.backVM.Area().TSCPerSec = b.vm.host.TSCHz
	for id := range b.vm.cfg.VCPUs {
		c, err := newCPU(b, id)
		if err != nil {
			return err
		}
		b.cpus = append(b.cpus, c)
		b.all = append(b.all, c.lapic)
	}
	return nil
}

// isa is where an ISA interrupt goes: to the PIC and to the I/O APIC.
func (b *board) isa(irq, gsi int) devices.Line {
	return devices.Lines{b.parts.pic.Pin(irq), b.parts.ioapic.Pin(gsi)}
}

// addDevices makes the devices and puts them on the buses.
func (b *board) addDevices() error {
	p := b.parts
	p.ioapic = ioapic.New(layout.IOAPICID, b.deliver)
	p.pic = pic.New(b.cpus[0].lapic.LINT(apic.LINT0))
	p.pit = pit.New(b.clock, b.isa(layout.PITIRQ, layout.PITGSI))
	p.com1 = uart.New("com1", b.isa(layout.COM1IRQ, layout.COM1IRQ))
	p.com1.SetOutput(b.vm.console.print)
	b.all = append(b.all, p.ioapic, p.pic, p.pit, p.com1)
	return b.mapDevices()
}

// mapDevices puts the devices at the addresses of machine version ringo-1.
func (b *board) mapDevices() error {
	p := b.parts
	for _, r := range []struct {
		bus         *devices.Bus
		name        string
		start, size uint64
		h           devices.Handler
	}{
		{b.pio, "pic-master", layout.PIC1Port, 2, p.pic.Master()},
		{b.pio, "pit", layout.PITPort, 4, devices.Bytes(p.pit)},
		{b.pio, "pic-slave", layout.PIC2Port, 2, p.pic.Slave()},
		{b.pio, "com1", layout.COM1Port, 8, devices.Bytes(p.com1)},
		{b.pio, "elcr", layout.ELCRPort, 2, p.pic.ELCR()},
		{b.mmio, "ioapic", uint64(layout.IOAPICBase), layout.IOAPICSize, p.ioapic},
	} {
		if err := r.bus.Add(r.name, r.start, r.size, r.h); err != nil {
			return err
		}
	}
	return nil
}

// deliver carries an interrupt message to the local APICs.
func (b *board) deliver(m apic.Message) { apic.Deliver(b.backVM.Area(), m, b.waker) }

// ioapicEOI tells the I/O APIC that a level-triggered interrupt has ended.
func (b *board) ioapicEOI(vector uint8) { b.parts.ioapic.EOI(vector) }

// acknowledge asks the PIC which interrupt it has.
func (b *board) acknowledge() uint8 { return b.parts.pic.Ack() }

// wake makes a vCPU look at its APIC page again. Device models and the APIC's
// own code call it from any goroutine.
func (b *board) wake(a *vcpu.Area) { b.cpus[a.ID].v.Kick() }
