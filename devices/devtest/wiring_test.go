package devtest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/clock"
	"ringo/devices/devtest"
	"ringo/devices/ioapic"
	"ringo/devices/lapic"
	"ringo/devices/pic"
	"ringo/devices/pit"
	"ringo/devices/rtc"
	"ringo/devices/uart"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/hv/vcpu/apic/apictest"
)

// TestWiredTogether drives the interrupt path of a PC from several goroutines
// with a running clock: no deadlock, and no race under the race detector.
func TestWiredTogether(t *testing.T) {
	vm := apictest.New(2, 1_000_000_000)
	wake := func(*vcpu.Area) {}
	clk := clock.NewReal(nil)
	var io *ioapic.IOAPIC
	l := lapic.New(vm.Shared, vm.CPU[0], lapic.Host{
		TSC: func() uint64 { return uint64(clk.Now()) }, Wake: wake, EOI: func(v uint8) { io.EOI(v) },
	})
	apic.VirtualWire(vm.CPU[0])
	io = ioapic.New(0, func(m apic.Message) { apic.Deliver(vm.Shared, m, wake) })
	p := pic.New(l.LINT(apic.LINT0))
	isa := func(irq int) devices.Line { return devices.Lines{p.Pin(irq), io.Pin(irq)} }
	timer, rt := pit.New(clk, isa(0)), rtc.New(clk, isa(8), rtc.Memory{})
	com := uart.New("com1", isa(4))
	com.SetOutput(func(b []byte) { com.Input(b) })

	bus := devices.NewPortBus()
	for start, h := range map[uint64]devices.Handler{
		0x20: p.Master(), 0xA0: p.Slave(), 0x40: timer.Handler(), 0x70: rt.Handler(), 0x3F8: com.Handler(),
	} {
		size := map[uint64]uint64{0x40: 4, 0x3F8: 8}[start]
		require.NoError(t, bus.Add("x", start, max(size, 2), h))
	}
	out := func(port uint64, v ...byte) {
		for _, b := range v {
			bus.Write(port, []byte{b})
		}
	}
	out(0x43, 0x34)
	out(0x40, 2, 0) // as fast as it goes
	out(0x70, 0x0A)
	out(0x71, 0x23) // 8192 Hz
	out(0x70, 0x0B)
	out(0x71, 0x72)

	var wg sync.WaitGroup
	stop := time.Now().Add(200 * time.Millisecond)
	loop := func(f func(i int)) {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				f(i)
			}
		})
	}
	loop(func(i int) { // a vCPU: initializes, acknowledges, ends
		if i%100 == 0 {
			out(0x20, 0x11)
			out(0x21, 0x20, 4, 1, 0)
			out(0xA0, 0x11)
			out(0xA1, 0x28, 2, 1, 0)
		}
		if apic.ExtINT(vm.CPU[0]) {
			p.Ack()
			out(0x20, 0x20)
			out(0xA0, 0x20)
		}
		l.Write(0xB0, make([]byte, 4))
	})
	loop(func(i int) {
		out(0x3F9, byte(i))
		out(0x3FC, 0x0B)
		out(0x3F8, byte(i))
		bus.Read(0x3F8, make([]byte, 8))
	})
	loop(func(int) {
		out(0x70, 0x0C)
		bus.Read(0x71, make([]byte, 1))
		io.Write(0, []byte{byte(0x10), 0, 0, 0})
		io.Write(0x10, []byte{0x31, 0x80, 0, 0})
	})
	loop(func(i int) {
		devtest.State(t, timer)
		devtest.State(t, p)
		if i%10 == 0 {
			clk.Pause()
			clk.Resume()
		}
	})
	wg.Wait()
	require.NoError(t, timer.Close())
	require.NoError(t, rt.Close())
}
