package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

func TestPinGivesTheGuestsBytes(t *testing.T) {
	m := newMachine(t, 16*mib, 0, ram(0, mib), ram(mib, 7*mib))
	defer m.end(t)
	p, err := m.Pin(mib-6, 3*mib, true)
	require.NoError(t, err)
	n := 0
	for _, piece := range p.Pieces() {
		for i := range piece {
			piece[i] = byte(n + i)
		}
		n += len(piece)
	}
	require.Equal(t, 3*mib, n)
	p.Release()
	got := make([]byte, 3*mib)
	require.NoError(t, m.ReadAt(got, mib-6))
	for i := range got {
		if got[i] != byte(i) {
			require.Fail(t, "wrong byte", "%d", i)
		}
	}
}

func TestPinnedFramesStay(t *testing.T) {
	m := newMachine(t, 16*mib, 0, ram(0, 8*mib), ram(9*mib, mib))
	defer m.end(t)
	for _, g := range []memory.GPA{2*mib + 4096, 9 * mib} { // in a large frame, and in a small one
		p, err := m.Pin(g, 4096, true)
		require.NoError(t, err)
		before := m.touch(t, g, true)
		require.ErrorIs(t, m.Discard(g, 4096), memory.ErrPinned)
		require.ErrorIs(t, m.Discard(g&^(mib-1), mib), memory.ErrPinned)
		require.Equal(t, before, m.touch(t, g, true))
		p.Release()
		require.NoError(t, m.Discard(g, 4096))
		state, _ := m.State(g)
		require.Equal(t, memory.Zero, state)
	}
}

func TestPinsAreCounted(t *testing.T) {
	m := newMachine(t, 4*mib, 0, ram(mib, mib))
	defer m.end(t)
	var pins []memory.Pinned
	for range 65536 {
		p, err := m.Pin(mib, 8192, false)
		if err != nil {
			require.ErrorIs(t, err, memory.ErrPinned)
			break
		}
		pins = append(pins, p)
	}
	require.Len(t, pins, 65535)
	for _, p := range pins {
		p.Release()
	}
	require.NoError(t, m.Discard(mib, 8192), "a refused Pin left none behind")
}
