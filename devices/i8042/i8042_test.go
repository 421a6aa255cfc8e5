package i8042_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/devices/i8042"
	"ringo/snapshot"
)

type fixture struct {
	*i8042.Controller
	data, cmd, p92 devices.Handler
	resets         int
}

func newFixture() *fixture {
	f := &fixture{}
	f.Controller = i8042.New(func() {
		f.resets++
		f.Controller.Reset() // a callback may call back
	})
	f.data, f.cmd, f.p92 = f.Data(), f.Command(), f.Port92()
	return f
}

func out(h devices.Handler, v byte) { h.Write(0, []byte{v}) }

func in(h devices.Handler) byte {
	var p [1]byte
	h.Read(0, p[:])
	return p[0]
}

func TestReset(t *testing.T) {
	f := newFixture()
	require.Zero(t, in(f.cmd)&3, "ready for a command, nothing to read")
	out(f.cmd, 0xFE)
	require.Equal(t, 1, f.resets)
	out(f.cmd, 0xFF)
	require.Equal(t, 1, f.resets, "a pulse of nothing")
	out(f.cmd, 0xD1)
	out(f.data, 0xDE)
	require.Equal(t, 2, f.resets)
	out(f.p92, 3)
	require.Equal(t, 3, f.resets)
}

func TestA20(t *testing.T) {
	f := newFixture()
	require.True(t, f.A20())
	out(f.p92, 0)
	require.False(t, f.A20())
	require.Zero(t, in(f.p92))
	out(f.cmd, 0xD1)
	out(f.data, 0xDF)
	require.True(t, f.A20())
	require.Equal(t, byte(2), in(f.p92))
	out(f.cmd, 0xD0)
	require.Equal(t, byte(0xCF), in(f.data))
	out(f.cmd, 0xDD)
	require.False(t, f.A20())
	out(f.cmd, 0xDF)
	require.True(t, f.A20())
	require.Zero(t, f.resets)
}

func TestCommands(t *testing.T) {
	f := newFixture()
	for cmd, answer := range map[byte]byte{0xAA: 0x55, 0xAB: 4, 0xA9: 4, 0xC0: 0} {
		out(f.cmd, cmd)
		require.NotZero(t, in(f.cmd)&1)
		require.Equal(t, answer, in(f.data))
		require.Zero(t, in(f.cmd)&1)
	}
	out(f.cmd, 0x60)
	require.NotZero(t, in(f.cmd)&8)
	out(f.data, 0x41)
	require.Zero(t, in(f.cmd)&8)
	out(f.cmd, 0x20)
	require.Equal(t, byte(0x41), in(f.data))
	out(f.data, 0xED) // to a keyboard that is not there
	require.Zero(t, in(f.cmd)&1, "no answer")
}

func TestSnapshot(t *testing.T) {
	f, to := newFixture(), newFixture()
	out(f.p92, 0)
	out(f.cmd, 0xAA)
	out(f.cmd, 0xD1) // its data byte is to come
	devtest.RoundTrip(t, f, to)
	require.False(t, to.A20())
	out(to.data, 0xDF)
	require.True(t, to.A20())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x84, 0, 0, 0xD1, 0x80, 0, 0, 2, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture()
		regions := []devtest.Region{{Handler: x.data, Size: 1}, {Handler: x.cmd, Size: 1}, {Handler: x.p92, Size: 1}}
		devtest.Hammer(data, regions, func(uint8) {})
		devtest.RoundTrip(t, x, newFixture())
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture()))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture()
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) == nil {
			out(x.data, 0xFF)
			require.Zero(t, x.resets)
		}
	})
}
