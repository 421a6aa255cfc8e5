package debugcon_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices/debugcon"
	"ringo/devices/devtest"
)

func TestConsole(t *testing.T) {
	c := debugcon.New()
	c.Write(0, []byte("dropped")[:4])
	var got bytes.Buffer
	c.SetOutput(func(p []byte) { got.Write(p) })
	c.Write(0, []byte{'o'})
	c.Write(0, []byte{'k', '!'})
	require.Equal(t, "ok!", got.String())
	p := []byte{0}
	c.Read(0, p)
	require.Equal(t, byte(debugcon.Present), p[0])
	devtest.RoundTrip(t, c, debugcon.New())
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 'x', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := debugcon.New()
		n := 0
		c.SetOutput(func(p []byte) { n += len(p) })
		devtest.Hammer(data, []devtest.Region{{Handler: c, Size: 8}}, func(uint8) {})
		require.LessOrEqual(t, n, 2*len(data)+8)
	})
}
