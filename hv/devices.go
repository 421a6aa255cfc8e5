package hv

import (
	"ringo/boot/layout"
	"ringo/devices"
	"ringo/devices/acpipm"
	"ringo/devices/debugcon"
	"ringo/devices/debugexit"
	"ringo/devices/i8042"
	"ringo/devices/ioapic"
	"ringo/devices/kvmclock"
	"ringo/devices/pic"
	"ringo/devices/pit"
	"ringo/devices/rtc"
	"ringo/devices/uart"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
)

// parts are the devices of machine version ringo-1, besides the local APICs.
type parts struct {
	ioapic *ioapic.IOAPIC
	pic    *pic.PIC
	pit    *pit.PIT
	rtc    *rtc.RTC
	com1   *uart.UART
	pm     *acpipm.PM
	i8042  *i8042.Controller
	clock  *kvmclock.Clock
	exit   *debugexit.Device // nil unless the definition asks for it
	con    *debugcon.Console // the same
}

// Ports of a PC that no table tells the guest about.
const (
	keyboardDataPort    = 0x60
	systemControlBPort  = 0x61 // the PIT's gate and the speaker
	keyboardCommandPort = 0x64
	systemControlAPort  = 0x92
)

// addDevices makes the devices and puts them on the buses.
func (b *board) addDevices() error {
	p := b.parts
	p.ioapic = ioapic.New(layout.IOAPICID, b.deliver)
	p.pic = pic.New(b.cpus[0].lapic.LINT(apic.LINT0))
	p.pit = pit.New(b.clock, b.isa(layout.PITIRQ, layout.PITGSI))
	p.rtc = rtc.New(b.clock, b.isa(layout.RTCIRQ, layout.RTCIRQ), b.cmos())
	p.com1 = uart.New("com1", b.isa(layout.COM1IRQ, layout.COM1IRQ))
	p.com1.SetOutput(b.vm.console.print)
	p.pm = acpipm.New(acpipm.Config{
		Clock: b.clock, SCI: b.isa(layout.SCIIRQ, layout.SCIIRQ), S5: layout.S5SleepType,
		OnPowerOff: func() { b.end(Reason{Cause: CausePowerOff}) },
		OnReset:    b.restart,
	})
	p.i8042 = i8042.New(b.restart)
	p.clock = kvmclock.New(kvmclock.Config{
		Clock: b.clock, Memory: b.space, TSC: b.vm.host.TSC, Hz: b.tscHz, Areas: b.areas(),
	})
	b.all = append(b.all, p.ioapic, p.pic, p.pit, p.rtc, p.com1, p.pm, p.i8042, p.clock)
	if b.vm.cfg.DebugExit {
		p.exit = debugexit.New(func(code uint32) { b.end(Reason{Cause: CauseDebugExit, Code: code}) })
		p.con = debugcon.New()
		p.con.SetOutput(b.vm.console.print)
		b.all = append(b.all, p.exit, p.con)
	}
	return b.mapDevices()
}

// isa is where an ISA interrupt goes: to the PIC and to the I/O APIC.
func (b *board) isa(irq, gsi int) devices.Line {
	return devices.Lines{b.parts.pic.Pin(irq), b.parts.ioapic.Pin(gsi)}
}

// cmos is the memory size that the RTC's memory tells.
func (b *board) cmos() rtc.Memory {
	m := rtc.Memory{Low: b.layout.RAM[0].Size}
	for _, r := range b.layout.RAM[1:] {
		m.High += r.Size
	}
	return m
}

// areas are the vCPUs' shared memory by number.
func (b *board) areas() []*vcpu.Area {
	areas := make([]*vcpu.Area, len(b.cpus))
	for i, c := range b.cpus {
		areas[i] = c.area
	}
	return areas
}

// place is where a handler answers.
type place struct {
	bus         *devices.Bus
	name        string
	start, size uint64
	h           devices.Handler
}

// mapDevices puts the devices at the addresses of machine version ringo-1.
func (b *board) mapDevices() error {
	p := b.parts
	places := []place{
		{b.pio, "pic-master", layout.PIC1Port, 2, p.pic.Master()},
		{b.pio, "pit", layout.PITPort, 4, p.pit.Handler()},
		{b.pio, "i8042-data", keyboardDataPort, 1, p.i8042.Data()},
		{b.pio, "pit-gate", systemControlBPort, 1, p.pit.Port61()},
		{b.pio, "i8042-command", keyboardCommandPort, 1, p.i8042.Command()},
		{b.pio, "rtc", layout.RTCPort, 2, p.rtc.Handler()},
		{b.pio, "port-92", systemControlAPort, 1, p.i8042.Port92()},
		{b.pio, "pic-slave", layout.PIC2Port, 2, p.pic.Slave()},
		{b.pio, "com1", layout.COM1Port, 8, p.com1.Handler()},
		{b.pio, "elcr", layout.ELCRPort, 2, p.pic.ELCR()},
		{b.pio, "acpi-pm", layout.PMBase, layout.PMSize, p.pm},
		{b.pio, "reset", layout.ResetPort, 1, p.pm.ResetPort()},
		{b.mmio, "ioapic", uint64(layout.IOAPICBase), layout.IOAPICSize, p.ioapic},
	}
	if p.exit != nil {
		places = append(places,
			place{b.pio, "debug-console", layout.DebugConPort, 1, p.con},
			place{b.pio, "debug-exit", layout.DebugExitPort, debugexit.Ports, p.exit.Port()},
			place{b.mmio, "debug-window", uint64(layout.DebugWindowBase), layout.DebugWindowSize, p.exit.Window()})
	}
	for _, r := range places {
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
