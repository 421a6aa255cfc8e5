package devices_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/devices"
)

// logging is a handler that says who it is, and counts.
type logging struct {
	id       byte
	accesses int
}

func (l *logging) Read(_ uint64, p []byte) {
	l.accesses++
	for i := range p {
		p[i] = l.id
	}
}

func (l *logging) Write(uint64, []byte) { l.accesses++ }

// TestCursorIsTheBus: a cursor that has been anywhere gives what the bus
// gives, also after the bus has changed.
func TestCursorIsTheBus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := devices.NewPortBus()
		c := b.Cursor()
		address := rapid.Uint64Range(0, 40)
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			at := address.Draw(t, "at")
			switch rapid.IntRange(0, 5).Draw(t, "do") {
			case 0:
				_ = b.Add("r", at, rapid.Uint64Range(1, 8).Draw(t, "size"), &logging{id: byte(at)})
			case 1:
				_ = b.Remove(at)
			default:
				n := 1 << rapid.IntRange(0, 3).Draw(t, "width")
				want, got := make([]byte, n), make([]byte, n)
				b.Read(at, want)
				c.Read(at, got)
				require.Equal(t, want, got)
				require.Equal(t, b.Lookup(at), c.Lookup(at))
			}
		}
	})
}

func TestCursorWrites(t *testing.T) {
	b := devices.NewPortBus()
	c := b.Cursor()
	one, two := make(ram, 4), make(ram, 4)
	require.NoError(t, b.Add("one", 0x10, 4, one))
	require.NoError(t, b.Add("two", 0x14, 4, two))
	for range 2 {
		c.Write(0x10, []byte{1, 2})
		c.Write(0x13, []byte{3, 4}) // over the end
		c.Write(0x16, []byte{5})
		c.Write(0x20, []byte{6}) // nobody's
	}
	require.Equal(t, ram{1, 2, 0, 3}, one)
	require.Equal(t, ram{4, 0, 5, 0}, two)
	require.EqualValues(t, 2, b.Unclaimed())
}

// TestCursorOfARemovedRegion: what is gone is not accessed.
func TestCursorOfARemovedRegion(t *testing.T) {
	b := devices.NewMMIOBus()
	c := b.Cursor()
	l := &logging{}
	require.NoError(t, b.Add("l", 0x1000, 16, l))
	c.Write(0x1000, []byte{1})
	require.NoError(t, b.Remove(0x1000))
	c.Write(0x1000, []byte{1})
	require.Equal(t, 1, l.accesses)
	require.Nil(t, c.Lookup(0x1000))
}
