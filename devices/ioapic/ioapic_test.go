package ioapic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/devices/ioapic"
	"ringo/hv/vcpu/apic"
	"ringo/snapshot"
)

type fixture struct {
	*ioapic.IOAPIC
	sent []apic.Message
}

func newFixture() *fixture {
	f := &fixture{}
	f.IOAPIC = ioapic.New(3, func(m apic.Message) { f.sent = append(f.sent, m) })
	return f
}

// take gives the messages sent since the last call.
func (f *fixture) take() []apic.Message {
	sent := f.sent
	f.sent = nil
	return sent
}

func (f *fixture) write32(off uint64, v uint32) {
	var p [4]byte
	devices.PutValue(p[:], uint64(v))
	f.Write(off, p[:])
}

func (f *fixture) read32(off uint64) uint32 {
	var p [4]byte
	f.Read(off, p[:])
	return uint32(devices.Value(p[:]))
}

func (f *fixture) set(index, v uint32) {
	f.write32(0x00, index)
	f.write32(0x10, v)
}

func (f *fixture) get(index uint32) uint32 {
	f.write32(0x00, index)
	return f.read32(0x10)
}

// entry programs an input.
func (f *fixture) entry(pin int, low, high uint32) {
	f.set(uint32(0x10+2*pin+1), high)
	f.set(uint32(0x10+2*pin), low)
}

const (
	level     = 1 << 15
	masked    = 1 << 16
	remoteIRR = 1 << 14
)

func TestRegisters(t *testing.T) {
	f := newFixture()
	require.Equal(t, uint32(0x170020), f.get(1))
	require.Equal(t, uint32(3<<24), f.get(0))
	f.set(0, 0xFFFFFFFF)
	require.Equal(t, uint32(0xF<<24), f.get(0))
	require.Equal(t, uint32(masked), f.get(0x10))
	f.entry(5, 0xFFFFFFFF, 0xFFFFFFFF)
	require.Equal(t, uint32(0x1AFFF), f.get(0x1A), "status and remote IRR cannot be written")
	require.Equal(t, uint32(0xFF000000), f.get(0x1B))
	require.Zero(t, f.get(0x40), "beyond the last entry")
	f.set(0x40, 1)
	f.set(0xFF, 1)
	require.Equal(t, uint32(0xFF), f.read32(0))
	require.Empty(t, f.take())
}

func TestEdge(t *testing.T) {
	f := newFixture()
	pin := f.Pin(4)
	pin.Set(true)
	require.Empty(t, f.take(), "masked: the edge is lost")
	f.entry(4, 0x34, 2<<24)
	require.Empty(t, f.take())
	pin.Set(true)
	require.Empty(t, f.take(), "no change")
	pin.Set(false)
	pin.Set(true)
	require.Equal(t, []apic.Message{{Dest: 2, Vector: 0x34}}, f.take())
	f.EOI(0x34)
	require.Empty(t, f.take())
}

func TestLevel(t *testing.T) {
	f := newFixture()
	pin := f.Pin(9)
	want := []apic.Message{{Dest: 1, Vector: 0x61, Level: true}}
	pin.Set(true)
	f.entry(9, level|0x61, 1<<24)
	require.Equal(t, want, f.take(), "asserted when it is unmasked")
	require.NotZero(t, f.get(0x22)&remoteIRR)
	pin.Set(false)
	pin.Set(true)
	require.Empty(t, f.take(), "waits for EOI")
	f.EOI(0x62)
	require.Empty(t, f.take(), "another vector")
	f.EOI(0x61)
	require.Equal(t, want, f.take(), "still asserted")
	pin.Set(false)
	f.EOI(0x61)
	require.Empty(t, f.take())
	require.Zero(t, f.get(0x22)&remoteIRR)

	pin.Set(true)
	require.Len(t, f.take(), 1)
	f.write32(0x40, 0x61)
	require.Len(t, f.take(), 1, "EOI register")
	f.set(0x22, masked|level|0x61)
	f.EOI(0x61)
	require.Empty(t, f.take(), "masked")
	f.set(0x22, level|0x61)
	require.Len(t, f.take(), 1)
	f.set(0x22, masked|0x61)
	require.Zero(t, f.get(0x22)&remoteIRR, "edge mode drops remote IRR")
}

func TestLevelNMIActsOnEdge(t *testing.T) {
	f := newFixture()
	f.entry(1, level|4<<8, 0)
	f.Pin(1).Set(true)
	require.Equal(t, []apic.Message{{Mode: apic.DeliveryNMI}}, f.take())
	f.Pin(1).Set(true)
	require.Empty(t, f.take())
	require.Zero(t, f.get(0x12)&remoteIRR)
}

func TestSnapshot(t *testing.T) {
	f, to := newFixture(), newFixture()
	f.entry(9, level|0x61, 1<<24)
	f.entry(4, 0x34, 0xFF<<24)
	f.Pin(9).Set(true)
	f.write32(0, 0x22)
	devtest.RoundTrip(t, f, to)
	require.Empty(t, to.take(), "the message is in a local APIC already")
	require.NotZero(t, to.read32(0x10)&remoteIRR)
	to.EOI(0x61)
	require.Len(t, to.take(), 1)
	to.Reset()
	require.Equal(t, uint32(masked), to.get(0x22))
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x82, 0, 0, 0x10, 0, 0, 0, 0x82, 0x10, 0, 0x31, 0x80, 0, 0, 0xC0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		devtest.Hammer(data, []devtest.Region{{Handler: x, Size: 0x44}}, func(n uint8) {
			x.Pin(int(n) % ioapic.Pins).Set(n&0x80 != 0)
			x.EOI(n)
			require.LessOrEqual(t, len(x.take()), 1+ioapic.Pins, "a bounded number of messages")
		})
		devtest.RoundTrip(t, x, newFixture())
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture()))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		s := x.Schema()
		if x.Restore(s, snapshot.NewDecoder(s, p)) != nil {
			return
		}
		for i := range uint32(256) {
			x.set(i, x.get(i))
		}
		x.EOI(0x31)
	})
}
