package uart_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/devices/uart"
	"ringo/snapshot"
)

const (
	rbr, ier, iir, lcr, mcr, lsr, msr, scr = 0, 1, 2, 3, 4, 5, 6, 7
)

type fixture struct {
	*uart.UART
	irq  devtest.Line
	h    devices.Handler
	sent bytes.Buffer
}

func newFixture() *fixture {
	f := &fixture{}
	f.UART = uart.New("com1", &f.irq)
	f.SetOutput(func(p []byte) { f.sent.Write(p) })
	f.h = f.Handler()
	return f
}

// driver is a port as an operating system sets it up: FIFOs on, trigger at 8,
// OUT2 set.
func driver(enable uint8) *fixture {
	f := newFixture()
	f.out(iir, 0x87)
	f.out(mcr, 0x0B)
	f.out(ier, enable)
	return f
}

func (f *fixture) out(reg uint64, v uint8) { f.h.Write(reg, []byte{v}) }

func (f *fixture) in(reg uint64) uint8 {
	var p [1]byte
	f.h.Read(reg, p[:])
	return p[0]
}

func TestRegisters(t *testing.T) {
	f := newFixture()
	require.Equal(t, "com1", f.Name())
	require.Equal(t, uint8(0x60), f.in(lsr))
	require.Equal(t, uint8(0x01), f.in(iir), "a 16450 until the FIFOs are on")
	f.out(iir, 1)
	require.Equal(t, uint8(0xC1), f.in(iir))
	f.out(scr, 0xA5)
	require.Equal(t, uint8(0xA5), f.in(scr))
	f.out(ier, 0xFF)
	require.Equal(t, uint8(0x0F), f.in(ier))
	f.out(lcr, 0x83)
	require.Equal(t, uint8(1), f.in(rbr))
	f.out(rbr, 0x0C)
	f.out(ier, 0x01)
	require.Equal(t, uint8(0x0C), f.in(rbr))
	require.Equal(t, uint8(0x01), f.in(ier))
	f.out(lcr, 0x03)
	require.Equal(t, uint8(0x0F), f.in(ier), "DLAB hides nothing for good")
	require.Zero(t, f.sent.Len(), "the divisor is not output")
}

func TestOutput(t *testing.T) {
	f := newFixture()
	for _, c := range []byte("hello") {
		f.out(rbr, c)
	}
	require.Equal(t, "hello", f.sent.String())
	f.SetOutput(nil)
	f.out(rbr, 'x')
	require.Equal(t, "hello", f.sent.String())
}

func TestInput(t *testing.T) {
	f := driver(1)
	require.Equal(t, 3, f.Input([]byte("abc")))
	require.True(t, f.irq.Level())
	require.Equal(t, uint8(0xCC), f.in(iir), "below the trigger: timeout")
	f.Input([]byte("defgh"))
	require.Equal(t, uint8(0xC4), f.in(iir), "trigger level reached")
	for _, want := range []byte("abcdefgh") {
		require.NotZero(t, f.in(lsr)&1)
		require.Equal(t, want, f.in(rbr))
	}
	require.Zero(t, f.in(lsr)&1)
	require.False(t, f.irq.Level())
	require.Zero(t, f.in(rbr))
}

func TestInputIsBounded(t *testing.T) {
	f := driver(1)
	drained := 0
	f.SetDrained(func() {
		drained++
		f.Input([]byte{'z'}) // a callback may call back
	})
	big := bytes.Repeat([]byte{'y'}, 3*uart.QueueSize)
	require.Equal(t, uart.QueueSize, f.Input(big))
	require.Zero(t, f.Input(big))
	for range uart.QueueSize / 2 {
		require.Zero(t, drained)
		require.Equal(t, uint8('y'), f.in(rbr))
	}
	require.Equal(t, 1, drained)
	require.Zero(t, f.in(lsr)&0x02, "nothing is lost to overrun")
}

func TestTHRE(t *testing.T) {
	f := driver(2)
	require.True(t, f.irq.Level(), "enabling it with an empty register interrupts")
	require.Equal(t, uint8(0xC2), f.in(iir))
	require.False(t, f.irq.Level(), "reading IIR ends it")
	require.Equal(t, uint8(0xC1), f.in(iir))
	f.out(rbr, 'a')
	require.True(t, f.irq.Level())
	f.in(iir)
	f.out(ier, 0)
	f.out(ier, 2)
	require.True(t, f.irq.Level(), "again when it is enabled anew")
}

func TestPriorities(t *testing.T) {
	f := driver(0x0F)
	f.out(rbr, 'a')
	f.Input([]byte("12345678"))
	f.Break()
	f.SetCarrier(false)
	require.Equal(t, uint8(0xC6), f.in(iir), "line status")
	require.NotZero(t, f.in(lsr)&0x10)
	require.Equal(t, uint8(0xC4), f.in(iir), "data")
	for range 8 {
		f.in(rbr)
	}
	require.Equal(t, uint8(0xC2), f.in(iir), "THRE")
	require.Equal(t, uint8(0xC0), f.in(iir), "modem")
	require.Equal(t, uint8(0x0B), f.in(msr))
	require.Equal(t, uint8(0xC1), f.in(iir))
	require.False(t, f.irq.Level())
}

func TestOUT2GatesTheInterrupt(t *testing.T) {
	f := driver(1)
	f.Input([]byte("a"))
	require.True(t, f.irq.Level())
	f.out(mcr, 0x03)
	require.False(t, f.irq.Level())
	f.out(mcr, 0x0B)
	require.True(t, f.irq.Level())
}

func TestLoopback(t *testing.T) {
	f := driver(1)
	f.out(mcr, 0x1F)
	require.False(t, f.irq.Level())
	require.Equal(t, uint8(0xF0), f.in(msr)&0xF0)
	f.out(mcr, 0x1A)
	require.Equal(t, uint8(0x90), f.in(msr)&0xF0, "RTS to CTS, OUT2 to DCD")
	for i := range 17 {
		f.out(rbr, byte('a'+i))
	}
	require.Zero(t, f.sent.Len())
	require.NotZero(t, f.in(lsr)&2, "overrun")
	require.Equal(t, uint8('a'), f.in(rbr))
	require.Zero(t, f.Input([]byte("x")), "the input pin is cut off")
	f.out(mcr, 0x0B)
	require.Equal(t, uint8(0xB0), f.in(msr)&0xF0)
}

func TestFCRClears(t *testing.T) {
	f := driver(1)
	f.Input(bytes.Repeat([]byte{'q'}, 20))
	f.out(iir, 0x03)
	require.True(t, f.irq.Level(), "the FIFO is cleared, what waits behind it is not")
	for range 4 {
		require.Equal(t, uint8('q'), f.in(rbr))
	}
	require.False(t, f.irq.Level())
}

func TestSnapshot(t *testing.T) {
	f, to := driver(0x0F), newFixture()
	f.out(lcr, 0x83)
	f.out(rbr, 3)
	f.out(lcr, 0x03)
	f.out(rbr, 'a')
	f.Input([]byte("waiting"))
	f.in(rbr)
	f.Break()
	devtest.RoundTrip(t, f, to)
	require.True(t, to.irq.Level())
	require.Equal(t, uint8(0xC6), to.in(iir))
	to.in(lsr)
	for _, c := range []byte("aiting") {
		require.Equal(t, c, to.in(rbr))
	}
	require.Equal(t, uint8(0xC2), to.in(iir))
	to.Reset()
	require.False(t, to.irq.Level())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x80, 2, 0, 0x87, 0x80, 1, 0, 0x0F, 0xC0, 3, 0, 0, 0, 0, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		x.SetDrained(func() {})
		devtest.Hammer(data, []devtest.Region{{Handler: x.h, Size: 8}}, func(n uint8) {
			x.Input(bytes.Repeat([]byte{n}, int(n)*8))
			x.SetCarrier(n&1 != 0)
		})
		devtest.RoundTrip(t, x, newFixture())
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, driver(0x0F)))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) == nil {
			for reg := range uint64(8) {
				x.in(reg)
				x.out(reg, 0xFF)
			}
		}
	})
}
