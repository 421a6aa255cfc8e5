package memory_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

// FuzzSpace takes a program of accesses at addresses and lengths that a guest
// chose, and compares the memory with a plain array. Each step is 18 bytes:
// what to do, how many bytes to move, address, length.
func FuzzSpace(f *testing.F) {
	step := func(op, n byte, g, length uint64) []byte {
		b := binary.LittleEndian.AppendUint64([]byte{op, n}, g)
		return binary.LittleEndian.AppendUint64(b, length)
	}
	const top = ^uint64(0)
	f.Add(slicesOf(step(0, 9, 2*mib-4, 0), step(1, 200, 3*mib-100, 0), step(2, 0, mib, 3*mib), step(5, 0, 4096, 4096)))
	f.Add(slicesOf(step(0, 9, top-3, 0), step(2, 1, top, top), step(3, 0, 1<<52, 0), step(4, 1, 0, top)))
	f.Add(slicesOf(step(2, 1, 0, 1<<52), step(2, 1, 4096, top-4095), step(5, 0, 0, 1<<63), step(6, 0, top-7, 8)))
	f.Add(slicesOf(step(0, 9, 5*mib-1, 0), step(0, 9, 4*mib-1, 0), step(7, 0, 0, 3), step(3, 0, 3*mib, 0)))
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newMachine(t, 16*mib, 0, ram(0, 3*mib), ram(3*mib, mib), rom(4*mib, mib))
		shadow := make([]byte, 5*mib)
		for steps := 0; len(program) >= 18 && steps < 64; steps++ {
			fuzzStep(t, m, shadow, program[:18])
			program = program[18:]
		}
		got := make([]byte, len(shadow))
		require.NoError(t, m.ReadAt(got, 0))
		require.True(t, bytes.Equal(shadow, got))
		m.end(t)
	})
}

func slicesOf(steps ...[]byte) []byte { return bytes.Join(steps, nil) }

// within tells whether [g, g+n) is inside the first size bytes.
func within(g, n, size uint64) bool { return g < size && n <= size-g }

func fuzzStep(t *testing.T, m *machine, shadow, step []byte) {
	op, n := step[0]%8, uint64(step[1])
	g, length := binary.LittleEndian.Uint64(step[2:]), binary.LittleEndian.Uint64(step[10:])
	a := memory.GPA(g)
	switch op {
	case 0: // a device writes
		data := bytes.Repeat(step[:1], int(n))
		err := m.WriteAt(data, a)
		require.Equal(t, n == 0 || within(g, n, 4*mib), err == nil)
		if g < 4*mib { // RAM before the bad address may have changed, and does
			copy(shadow[g:4*mib], data)
		}
	case 1: // a device reads
		data := make([]byte, n)
		err := m.ReadAt(data, a)
		require.Equal(t, n == 0 || within(g, n, 5*mib), err == nil)
		if err == nil && n > 0 {
			require.True(t, bytes.Equal(shadow[g:g+n], data))
		}
	case 2:
		fuzzPin(t, m, shadow, g, length, n&1 != 0)
	case 3:
		err := m.Fault(a, memory.Read)
		require.Equal(t, g < 5*mib, err == nil)
	case 4:
		section := m.Enter()
		view, ok := m.View(a, length)
		if ok {
			require.True(t, bytes.Equal(shadow[g:g+length], view))
		}
		m.Leave(section)
	case 5:
		err := m.Discard(a, length)
		if err == nil && length > 0 {
			clear(shadow[g : g+length])
		}
		require.Equal(t, (g|length)%4096 == 0 && within(g, length, 4*mib), err == nil)
	case 6:
		if v, ok := m.Load64(a); ok {
			require.Equal(t, binary.LittleEndian.Uint64(shadow[g:]), v)
		}
	case 7:
		if v, ok := m.Load64(a); ok {
			if swapped, ok := m.CompareAndSwap64(a, v, length); ok {
				require.True(t, swapped)
				binary.LittleEndian.PutUint64(shadow[g:], length)
			}
		}
	}
}

// fuzzPin writes through a pin, or reads.
func fuzzPin(t *testing.T, m *machine, shadow []byte, g, n uint64, write bool) {
	size := uint64(5 * mib)
	if write {
		size = 4 * mib
	}
	p, err := m.Pin(memory.GPA(g), n, write)
	require.Equal(t, within(g, n, size), err == nil)
	if err != nil {
		return
	}
	for _, piece := range p.Pieces() {
		if write {
			piece[0]++
			shadow[g]++
		}
		require.True(t, bytes.Equal(shadow[g:g+uint64(len(piece))], piece))
		g += uint64(len(piece))
		n -= uint64(len(piece))
	}
	require.Zero(t, n)
	p.Release()
}
