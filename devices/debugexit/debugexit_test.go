package debugexit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/debugexit"
	"ringo/devices/devtest"
)

func TestExitAndCount(t *testing.T) {
	var codes []uint32
	d := debugexit.New(func(c uint32) { codes = append(codes, c) })
	port, win := d.Port(), d.Window()
	p := make([]byte, 4)
	port.Read(0, p)
	port.Read(0, p)
	require.Equal(t, uint64(2), devices.Value(p))
	win.Write(0, p)
	win.Read(16, p)
	require.Equal(t, uint64(4), devices.Value(p))
	require.Empty(t, codes, "a benchmark does not end the VM")
	port.Write(0, []byte{7})
	win.Write(debugexit.ExitOffset, []byte{9, 1, 0, 0})
	require.Equal(t, []uint32{7, 0x109}, codes)
	require.Equal(t, uint64(4), d.Count())
	to := debugexit.New(nil)
	devtest.RoundTrip(t, d, to)
	require.Equal(t, uint64(4), to.Count())
	to.Reset()
	require.Zero(t, to.Count())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x82, 0xFC, 0x0F, 1, 2, 3, 4, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := debugexit.New(func(uint32) {})
		regions := []devtest.Region{{Handler: d.Port(), Size: debugexit.Ports}, {Handler: d.Window(), Size: debugexit.WindowSize}}
		devtest.Hammer(data, regions, func(uint8) {})
		devtest.RoundTrip(t, d, debugexit.New(nil))
	})
}
