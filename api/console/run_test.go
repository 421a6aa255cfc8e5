package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/node"
	"ringo/api/node/nodetest"
)

// slowScreen is a serial line of about 100,000 baud.
type slowScreen struct{ screenBuffer }

func (s *slowScreen) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(len(p)) * 100 * time.Microsecond)
	return s.screenBuffer.Write(p)
}

// has tells whether the text was shown since the last reset.
func (s *screenBuffer) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.b.String(), text)
}

// TestFloodingGuest: the escape key and commands work while a guest prints
// faster than the line, and memory stays bounded.
func TestFloodingGuest(t *testing.T) {
	n, err := nodetest.NewMachine(t, memoryOfNode).NewNode(t,
		"vms: [{name: flood, memory: 8M, kernel: talk, console: {scrollback: 4K}}]")
	require.NoError(t, err)
	require.NoError(t, n.VMs()[0].Start())
	in, keys := io.Pipe()
	var screen slowScreen
	ended := make(chan error, 1)
	go func() { ended <- New(Config{In: in, Out: &screen, Node: n}).Run(context.Background()) }()
	await := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool { return screen.has(text) }, 10*time.Second, time.Millisecond, text)
	}
	enter := func(text string) {
		_, err := io.WriteString(keys, text)
		require.NoError(t, err)
	}
	enter("attach flood\r")
	await("[attached to flood;")
	enter("T")
	await("TTTTT")
	await("bytes of output are lost]")
	enter("\x1d")
	await("[left flood;")
	enter("vm stop flood\r")
	await("flood: turned off")
	keys.Close()
	require.NoError(t, <-ended)
}

// brokenWriter fails.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the cable is out") }

func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := nodetest.NewMachine(t, memoryOfNode).NewNode(t, "vms: []")
		require.NoError(t, err)

		c := New(Config{In: strings.NewReader("help\r"), Out: io.Discard, Node: n})
		require.NoError(t, c.Run(context.Background()), "at the end of the input")

		in, keys := io.Pipe()
		defer keys.Close()
		require.ErrorContains(t, New(Config{In: in, Out: brokenWriter{}, Node: n}).Run(context.Background()), "the cable is out")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, New(Config{In: in, Out: io.Discard, Node: n}).Run(ctx), context.DeadlineExceeded)

		in2, keys2 := io.Pipe()
		keys2.CloseWithError(io.ErrNoProgress)
		require.ErrorIs(t, New(Config{In: in2, Out: io.Discard, Node: n}).Run(context.Background()), io.ErrNoProgress)
	})
}

func TestEscapeKeyOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := nodetest.NewMachine(t, memoryOfNode).NewNode(t, "vms: [{name: demo, memory: 8M, kernel: talk}]")
		require.NoError(t, err)
		n.Autostart()
		synctest.Wait()
		in, keys := io.Pipe()
		var out screenBuffer
		ended := make(chan error)
		go func() {
			ended <- New(Config{In: in, Out: &out, Node: n, Escape: 0x01}).Run(context.Background())
		}()
		_, _ = io.WriteString(keys, "attach demo\r")
		synctest.Wait()
		_, _ = io.WriteString(keys, "x\x1dy")
		synctest.Wait()
		_, _ = io.WriteString(keys, "\x01")
		synctest.Wait()
		keys.Close()
		require.NoError(t, <-ended)
		require.Contains(t, out.b.String(), "[attached to demo; Ctrl-A returns to Ringo]")
		require.Contains(t, out.b.String(), "x\x1dy\r\n[left demo;", "Ctrl-] is the guest's")
	})
}

// TestPanicInACommand: a fault of ours in a command does not end the console.
func TestPanicInACommand(t *testing.T) {
	n, err := node.New(node.Host{PowerOff: func() {}})
	require.NoError(t, err)
	k := New(Config{Out: io.Discard, Node: n})
	c := command{name: "trip", run: func(context.Context, *Console, []string) (result, error) { panic("oops") }}
	_, err = c.call(context.Background(), k, nil)
	require.EqualError(t, err, "trip failed inside Ringo: oops; see log")
	require.Contains(t, n.Log().Since(0)[0].Text, "run_test.go")
}

// TestNews: the log may bring more at once than anybody can read.
func TestNews(t *testing.T) {
	n, err := node.New(node.Host{PowerOff: func() {}})
	require.NoError(t, err)
	k := New(Config{Out: io.Discard, Node: n})
	for i := range 60 {
		n.Log().Infof("line %d", i)
	}
	text := k.news(node.LevelInfo)
	require.True(t, strings.HasPrefix(text, "(10 earlier lines; see log)\n"), text)
	require.Equal(t, maxBurst+1, strings.Count(text, "\n"))
	require.Empty(t, k.news(node.LevelInfo))
	n.Log().Infof("not important")
	require.Empty(t, k.news(node.LevelWarn))
	require.Empty(t, k.news(node.LevelInfo), "nothing comes twice")
}

func TestScreenKeepsTheFirstError(t *testing.T) {
	s := screen{w: brokenWriter{}}
	s.text("a")
	first := s.err
	require.Error(t, first)
	s.w = &bytes.Buffer{}
	s.text("b")
	require.Equal(t, first, s.err)
}
