package node

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestScrollback compares with a scrollback that keeps everything.
func TestScrollback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		s := scrollback{limit: limit}
		var all []byte
		for range rapid.IntRange(0, 20).Draw(t, "writes") {
			p := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n")), 0, 60).Draw(t, "p")
			s.write(p)
			all = append(all, p...)
			require.EqualValues(t, len(all), s.end)
			start := max(0, len(all)-limit)
			require.EqualValues(t, start, s.start())

			at := rapid.IntRange(0, len(all)+3).Draw(t, "at")
			buf := make([]byte, rapid.IntRange(0, 50).Draw(t, "n"))
			n, first := s.read(buf, uint64(at))
			from := min(max(at, start), len(all))
			require.EqualValues(t, from, first)
			require.Equal(t, string(all[from:min(len(all), from+len(buf))]), string(buf[:n]))

			require.EqualValues(t, max(start, bytes.LastIndexByte(all, '\n')+1), s.line())
			lines := rapid.IntRange(0, 5).Draw(t, "lines")
			require.EqualValues(t, max(start, tailOf(all, lines)), s.tail(lines))
		}
	})
}

// tailOf is where the last lines of a text start.
func tailOf(all []byte, lines int) int {
	parts := strings.SplitAfter(string(all), "\n")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	n := 0
	for _, p := range parts[max(0, len(parts)-lines):] {
		n += len(p)
	}
	return len(all) - n
}

// slowPort takes a few bytes at a time.
type slowPort struct {
	room    int
	got     []byte
	output  func([]byte)
	drained func()
}

func (p *slowPort) SetOutput(f func([]byte)) { p.output = f }
func (p *slowPort) SetDrained(f func())      { p.drained = f }
func (p *slowPort) Input(b []byte) int {
	n := min(p.room, len(b))
	p.room -= n
	p.got = append(p.got, b[:n]...)
	return n
}

func TestTypingWaitsForRoom(t *testing.T) {
	p := &slowPort{room: 3}
	term := newTerminal(p, 100)
	require.Equal(t, 5, term.Type([]byte("hello")))
	require.Equal(t, 6, term.Type([]byte(" world")))
	require.Equal(t, "hel", string(p.got))
	p.room = 4
	p.drained()
	require.Equal(t, "hello w", string(p.got))
	p.room = 100
	p.drained()
	require.Equal(t, "hello world", string(p.got))

	p.room = 0
	require.Equal(t, maxTyped, term.Type(make([]byte, maxTyped+10)), "what waits is bounded")
	require.Zero(t, term.Type([]byte("x")))
	term.forget()
	p.room = 100
	p.drained()
	require.Equal(t, "hello world", string(p.got))
}

func TestTerminalWatch(t *testing.T) {
	p := &slowPort{}
	term := newTerminal(p, 10)
	w := term.Watch()
	p.output([]byte("0123456789"))
	p.output([]byte("abc"))
	require.Len(t, w.C, 1)
	<-w.C
	buf := make([]byte, 20)
	n, first := term.Read(buf, 0)
	require.EqualValues(t, 3, first, "the oldest bytes are gone")
	require.Equal(t, "3456789abc", string(buf[:n]))
	require.EqualValues(t, 13, term.End())
	w.Close()
	p.output([]byte("x"))
	require.Empty(t, w.C)
}

func TestPerVCPU(t *testing.T) {
	for _, c := range []struct{ percent, vcpus, want int }{
		{0, 4, 0}, {50, 1, 50}, {50, 2, 25}, {1, 4, 1}, {100, 1, 0}, {150, 2, 75}, {400, 2, 0}, {101, 2, 51},
	} {
		require.EqualValues(t, c.want, perVCPU(c.percent, c.vcpus), "%+v", c)
	}
}
