package console

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/node"
	"ringo/api/node/nodetest"
)

var update = flag.Bool("update", false, "write the outputs of the sessions in testdata anew")

// A session file is a ringo.yaml, a line "---", and steps, each with the
// output that comes up to the next:
//
//	type TEXT     types TEXT, in Go's notation without the quotes
//	sleep TIME    lets time pass
//	autostart     starts what starts by itself
//	log TEXT      an error in the node's log, in Go's notation
//	start         starts the console; "start attach" with Config.Attach
//	| TEXT        a line of output that ends with \r\n
//	~ TEXT        the rest of the output, without a line end
const memoryOfNode = 64 << 20

// TestSessions replays every file in testdata.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.session")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".session"), func(t *testing.T) {
			want, err := os.ReadFile(f)
			require.NoError(t, err)
			var got string
			synctest.Test(t, func(t *testing.T) { got = replay(t, string(want)) })
			if *update {
				require.NoError(t, os.WriteFile(f, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(want), got)
		})
	}
}

// replay gives the session with the outputs that come now.
func replay(t *testing.T, text string) string {
	config, steps, ok := strings.Cut(text, "---\n")
	require.True(t, ok, "a session needs a line ---")
	m := nodetest.NewMachine(t, memoryOfNode)
	n, err := m.NewNode(t, config)
	if err != nil {
		n.Log().Errorf("bundle: %v", err)
	}
	r := newRig(t, n)
	out := config + "---\n"
	for line := range strings.Lines(steps) {
		switch line[0] {
		case '|', '~':
			continue
		case '#', '\n':
			out += line
			continue
		}
		r.step(strings.TrimSuffix(line, "\n"))
		out += line + transcript(r.take())
	}
	return out
}

// rig is a console with a test at the other end.
type rig struct {
	t      *testing.T
	node   *node.Node
	keys   *io.PipeWriter
	in     *io.PipeReader
	ended  chan error
	screen screenBuffer
}

// screenBuffer is a terminal that only remembers.
type screenBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screenBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func newRig(t *testing.T, n *node.Node) *rig {
	r := &rig{t: t, node: n}
	r.in, r.keys = io.Pipe()
	return r
}

// start runs the console until the test ends.
func (r *rig) start(attach bool) {
	c := New(Config{In: r.in, Out: &r.screen, Node: r.node, Banner: "Ringo\n", Attach: attach})
	r.ended = make(chan error, 1)
	go func() { r.ended <- c.Run(context.Background()) }()
	r.t.Cleanup(func() {
		r.keys.Close()
		require.NoError(r.t, <-r.ended)
	})
}

// step does one step and waits until nothing is left to be done.
func (r *rig) step(line string) {
	r.t.Helper()
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "start":
		r.start(rest == "attach")
	case "type":
		_, err := io.WriteString(r.keys, r.unquote(rest))
		require.NoError(r.t, err)
	case "sleep":
		d, err := time.ParseDuration(rest)
		require.NoError(r.t, err)
		time.Sleep(d)
	case "autostart":
		r.node.Autostart()
	case "log":
		r.node.Log().Errorf("%s", r.unquote(rest))
	default:
		r.t.Fatalf("no such step: %q", line)
	}
	synctest.Wait()
}

func (r *rig) unquote(s string) string {
	r.t.Helper()
	text, err := strconv.Unquote(`"` + s + `"`)
	require.NoError(r.t, err, s)
	return text
}

// take gives what was shown since the last call. A prompt that was taken away
// again at once does not count: whether it comes at all depends on whether the
// log or the command is faster.
func (r *rig) take() string {
	r.screen.mu.Lock()
	defer r.screen.mu.Unlock()
	s := r.screen.b.String()
	r.screen.b.Reset()
	s = strings.ReplaceAll(s, "\r"+prompt+eraseRight+"\r"+eraseRight, "")
	return report.ReplaceAllString(s, "(report)")
}

// report is what hv tells about a vCPU. Its form is hv's affair.
var report = regexp.MustCompile(`(?s)vCPU \d+: shutdown exit.*?stack [0-9a-f ]*`)

// transcript is an output as session files have it.
func transcript(s string) (text string) {
	for s != "" {
		line, rest, ok := strings.Cut(s, "\r\n")
		mark := "|"
		if !ok {
			mark = "~"
		}
		quoted := strconv.Quote(line)
		quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		text += strings.TrimRight(fmt.Sprintf("%s %s", mark, quoted), " ") + "\n"
		s = rest
	}
	return text
}
