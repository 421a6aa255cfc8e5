package pic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/devices/pic"
	"ringo/snapshot"
)

type fixture struct {
	*pic.PIC
	intr                devtest.Line
	master, slave, elcr devices.Handler
}

func newFixture() *fixture {
	f := &fixture{}
	f.PIC = pic.New(&f.intr)
	f.master, f.slave, f.elcr = f.Master(), f.Slave(), f.ELCR()
	return f
}

// ready initializes both chips as a PC does: vectors 20H and 28H. icw1 and icw4
// are the master's and slave's.
func ready(icw1, icw4 uint8) *fixture {
	f := newFixture()
	for i, h := range []devices.Handler{f.master, f.slave} {
		out(h, 0, icw1)
		out(h, 1, uint8(0x20+8*i))
		out(h, 1, uint8(4>>i))
		out(h, 1, icw4)
	}
	return f
}

func out(h devices.Handler, port uint64, v uint8) { h.Write(port, []byte{v}) }

func in(h devices.Handler, port uint64) uint8 {
	var p [1]byte
	h.Read(port, p[:])
	return p[0]
}

func (f *fixture) pulse(i int) { devices.Pulse(f.Pin(i)) }

func TestSilentUntilInitialized(t *testing.T) {
	f := newFixture()
	f.pulse(0)
	require.False(t, f.intr.Level())
	out(f.master, 0, 0x11)
	out(f.master, 1, 0x20)
	out(f.master, 1, 4)
	require.False(t, f.intr.Level())
	out(f.master, 1, 1)
	f.pulse(0)
	require.True(t, f.intr.Level())
}

func TestPriority(t *testing.T) {
	f := ready(0x11, 1)
	f.pulse(4)
	f.pulse(1)
	f.pulse(12)
	require.Equal(t, uint8(0x21), f.Ack())
	require.False(t, f.intr.Level(), "lower priorities wait")
	f.pulse(0)
	require.True(t, f.intr.Level())
	require.Equal(t, uint8(0x20), f.Ack())
	out(f.master, 0, 0x20)
	require.False(t, f.intr.Level(), "IRQ 1 is still in service")
	out(f.master, 0, 0x20)
	require.Equal(t, uint8(0x2C), f.Ack(), "the slave is at input 2")
	out(f.slave, 0, 0x0B)
	out(f.master, 0, 0x0B)
	require.Equal(t, uint8(0x10), in(f.slave, 0), "ISR")
	require.Equal(t, uint8(0x04), in(f.master, 0))
	out(f.slave, 0, 0x20)
	require.False(t, f.intr.Level())
	out(f.master, 0, 0x20)
	out(f.master, 0, 0x0A)
	require.Equal(t, uint8(0x10), in(f.master, 0), "IRR")
	require.Equal(t, uint8(0x24), f.Ack())
	out(f.master, 0, 0x64) // specific EOI
	require.Zero(t, in(f.master, 0))
	require.Equal(t, uint8(0x27), f.Ack(), "spurious")
	out(f.master, 0, 0x0B)
	require.Zero(t, in(f.master, 0), "a spurious interrupt is not in service")
}

func TestMask(t *testing.T) {
	f := ready(0x11, 1)
	out(f.master, 1, 0x10)
	require.Equal(t, uint8(0x10), in(f.master, 1))
	f.pulse(4)
	require.False(t, f.intr.Level())
	out(f.master, 1, 0)
	require.True(t, f.intr.Level(), "the edge was kept")
	require.Equal(t, uint8(0x24), f.Ack())
}

func TestLevelTriggered(t *testing.T) {
	f := ready(0x11, 1)
	out(f.elcr, 0, 0xFF)
	out(f.elcr, 1, 0xFF)
	require.Equal(t, uint8(0xF8), in(f.elcr, 0), "timer, keyboard and cascade stay edge-triggered")
	require.Equal(t, uint8(0xDE), in(f.elcr, 1))
	f.Pin(9).Set(true)
	require.Equal(t, uint8(0x29), f.Ack())
	out(f.slave, 0, 0x20)
	out(f.master, 0, 0x20)
	require.True(t, f.intr.Level(), "asserted still")
	require.Equal(t, uint8(0x29), f.Ack())
	f.Pin(9).Set(false)
	out(f.slave, 0, 0x20)
	out(f.master, 0, 0x20)
	require.False(t, f.intr.Level())
	f.Pin(10).Set(true)
	f.Pin(10).Set(false)
	require.False(t, f.intr.Level(), "a level is not latched")
}

func TestLTIM(t *testing.T) {
	f := ready(0x19, 1)
	f.Pin(0).Set(true)
	require.Equal(t, uint8(0x20), f.Ack())
	out(f.master, 0, 0x20)
	require.True(t, f.intr.Level())
}

func TestAutoEOIAndRotation(t *testing.T) {
	f := ready(0x11, 3)
	out(f.master, 0, 0x80) // rotate in automatic EOI mode
	f.pulse(0)
	require.Equal(t, uint8(0x20), f.Ack())
	f.pulse(0)
	f.pulse(1)
	require.Equal(t, uint8(0x21), f.Ack(), "input 0 is the lowest now")
	require.Equal(t, uint8(0x20), f.Ack())

	f = ready(0x11, 1)
	out(f.master, 0, 0xC4) // set priority: 4 is the lowest
	f.pulse(4)
	f.pulse(6)
	require.Equal(t, uint8(0x26), f.Ack())
	out(f.master, 0, 0xA0) // rotate on non-specific EOI
	f.pulse(6)
	f.pulse(5)
	require.Equal(t, uint8(0x24), f.Ack(), "order 7 0 1 2 3 4 5 6")
	out(f.master, 0, 0xE4) // rotate on specific EOI
	require.Equal(t, uint8(0x25), f.Ack())
}

func TestSpecialMaskMode(t *testing.T) {
	f := ready(0x11, 1)
	f.pulse(1)
	require.Equal(t, uint8(0x21), f.Ack())
	f.pulse(4)
	require.False(t, f.intr.Level())
	out(f.master, 1, 0x02)
	out(f.master, 0, 0x68)
	require.True(t, f.intr.Level(), "a masked input in service blocks nobody")
	out(f.master, 0, 0x48)
	require.False(t, f.intr.Level())
}

func TestSpecialFullyNested(t *testing.T) {
	f := ready(0x11, 0x11)
	f.pulse(12)
	require.Equal(t, uint8(0x2C), f.Ack())
	f.pulse(8)
	require.True(t, f.intr.Level(), "a higher one of the slave interrupts a lower one")
	require.Equal(t, uint8(0x28), f.Ack())
}

func TestPoll(t *testing.T) {
	f := ready(0x11, 1)
	out(f.master, 0, 0x0C)
	require.Zero(t, in(f.master, 0))
	f.pulse(3)
	out(f.master, 0, 0x0C)
	require.Equal(t, uint8(0x83), in(f.master, 0))
	require.False(t, f.intr.Level(), "it acknowledged")
}

func TestSlaveSpurious(t *testing.T) {
	f := ready(0x11, 1)
	out(f.elcr, 1, 0x02)
	f.Pin(9).Set(true)
	out(f.slave, 1, 0xFF)
	require.False(t, f.intr.Level())
	require.Equal(t, uint8(0x27), f.Ack())
}

func TestSnapshot(t *testing.T) {
	f, to := ready(0x11, 1), newFixture()
	f.pulse(1)
	f.Ack()
	f.pulse(0)
	f.Pin(9).Set(true)
	out(f.slave, 0, 0x11)
	out(f.slave, 1, 0x70) // in the middle of the initialization
	devtest.RoundTrip(t, f, to)
	require.True(t, to.intr.Level())
	require.Equal(t, uint8(0x20), to.Ack())
	out(to.slave, 1, 2)
	out(to.slave, 1, 1)
	to.Pin(14).Set(true)
	out(to.master, 0, 0x20)
	out(to.master, 0, 0x20)
	require.Equal(t, uint8(0x76), to.Ack())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 0x11, 0x80, 1, 0, 0x20, 0x80, 1, 0, 4, 0x80, 1, 0, 1, 0xC0, 0x83, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		regions := []devtest.Region{{Handler: x.master, Size: 2}, {Handler: x.slave, Size: 2}, {Handler: x.elcr, Size: 2}}
		devtest.Hammer(data, regions, func(n uint8) {
			x.Pin(int(n & 15)).Set(n&0x80 != 0)
			if n&0x40 != 0 {
				x.Ack()
			}
		})
		devtest.RoundTrip(t, x, newFixture())
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture()))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) == nil {
			for range 20 {
				x.Ack()
				out(x.master, 0, 0x20)
				out(x.slave, 0, 0x20)
			}
		}
	})
}
