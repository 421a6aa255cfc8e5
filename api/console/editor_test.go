package console

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHistoryIsBounded(t *testing.T) {
	var h history
	for i := range 3 * historySize {
		h.add(fmt.Sprint(i))
	}
	require.Len(t, h.lines, historySize)
	line, ok := h.older("draft")
	require.True(t, ok)
	require.Equal(t, fmt.Sprint(3*historySize-1), line)
	for ok {
		_, ok = h.older("draft")
	}
	for range historySize {
		line, ok = h.newer()
		require.True(t, ok)
	}
	require.Equal(t, "draft", line)
}

func TestLineIsBounded(t *testing.T) {
	e := editor{}
	for range 2 * maxLine {
		e.press('x')
	}
	require.Len(t, e.line, maxLine)
	require.Contains(t, e.flush(), bell)
}

func TestKeyboard(t *testing.T) {
	for _, c := range []struct {
		bytes string
		want  []key
	}{
		{"a", []key{'a'}},
		{"\x1b[A", []key{keyUp}},
		{"\x1bOB", []key{keyDown}},
		{"\x1b[H\x1b[F", []key{keyHome, keyEnd}},
		{"\x1b[1~\x1b[4~\x1b[3~\x1b[7~\x1b[8~", []key{keyHome, keyEnd, keyDelete, keyHome, keyEnd}},
		{"\x1b[99999999999999999999~x", []key{'x'}},
		{"\x1b[200;1$~x", []key{'x'}},
		{"\x1b[1;5D", []key{keyLeft}},
		{"\x1bx", nil},
		{"\x1b\r", []key{keyReturn}},
		{"\x1b\x1b[C", []key{keyRight}},
		{"\x1b[Zx\x1bOx", []key{'x'}},
	} {
		var k keyboard
		var got []key
		for i := range len(c.bytes) {
			if pressed := k.press(c.bytes[i]); pressed != keyNone {
				got = append(got, pressed)
			}
		}
		require.Equal(t, c.want, got, "%q", c.bytes)
	}
}

// FuzzEditor: whatever is typed, the line stays bounded and printable, and so
// does what the terminal is told.
func FuzzEditor(f *testing.F) {
	f.Add([]byte("vm list\r\x1b[A\x1b[D\x7f\t\x0b"))
	f.Add([]byte("\x1b[3~\x1b[1;1;1;1H\x01\x02\x04\x17\x15"))
	f.Add([]byte("\xff\x00\x1b\x1b[\x1bO\x10\x0e"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		e := editor{complete: func(line string) (string, []string) {
			if len(line)%2 == 0 {
				return "more ", nil
			}
			return "", []string{"a", "b"}
		}}
		for _, b := range keys {
			line, _ := e.press(b)
			for _, l := range [][]byte{e.line, []byte(line)} {
				if len(l) > maxLine {
					t.Fatalf("%d bytes in the line", len(l))
				}
				for _, c := range l {
					if c < ' ' || c > '~' {
						t.Fatalf("%q in the line", c)
					}
				}
			}
			if e.at < 0 || e.at > len(e.line) || len(e.history.lines) > historySize {
				t.Fatalf("cursor %d of %d, %d lines of history", e.at, len(e.line), len(e.history.lines))
			}
			for _, c := range []byte(e.flush()) {
				if c > '~' {
					t.Fatalf("%q to the terminal", c)
				}
			}
		}
	})
}
