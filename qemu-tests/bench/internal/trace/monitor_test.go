package trace

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeQEMU answers as QEMU's machine protocol does.
type fakeQEMU struct {
	socket   string
	greeting string
	answers  map[string]string // by a part of the command; others succeed
	onLog    func()

	mu   sync.Mutex
	seen []string
}

const success = `{"return": {}}`

func startFake(t *testing.T, f *fakeQEMU) {
	f.socket = filepath.Join(t.TempDir(), "qmp")
	if f.greeting == "" {
		f.greeting = `{"QMP": {"version": {}, "capabilities": []}}`
	}
	l, err := net.Listen("unix", f.socket)
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.serve(conn)
		}
	}()
}

func (f *fakeQEMU) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprintln(conn, f.greeting)
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		f.mu.Lock()
		f.seen = append(f.seen, lines.Text())
		f.mu.Unlock()
		if strings.Contains(lines.Text(), "log in_asm") && f.onLog != nil {
			f.onLog()
		}
		fmt.Fprintln(conn, `{"event": "RTC_CHANGE"}`)
		fmt.Fprintln(conn, f.answer(lines.Text()))
	}
}

func (f *fakeQEMU) answer(command string) string {
	for part, answer := range f.answers {
		if strings.Contains(command, part) {
			return answer
		}
	}
	if strings.Contains(command, "human-monitor-command") {
		return `{"return": ""}`
	}
	return success
}

func (f *fakeQEMU) asked(part string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Contains(strings.Join(f.seen, "\n"), part)
}

func limit(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestRecord(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	f := &fakeQEMU{
		answers: map[string]string{"one-insn-per-tb": `{"return": "unknown command: 'one-insn-per-tb'\r\n"}`},
		onLog:   func() { _ = os.WriteFile(log, make([]byte, 100), 0o600) },
	}
	startFake(t, f)
	looks := 0
	r := Recording{Monitor: f.socket, Log: log, Bytes: 100, Ready: func() (bool, error) {
		looks++
		return looks > 2, nil
	}}
	require.NoError(t, r.Record(limit(t, 5*time.Second)))
	require.Equal(t, 3, looks)
	for _, command := range []string{"qmp_capabilities", "log in_asm,exec,nochain", "singlestep on", "log none", `"quit"`} {
		require.True(t, f.asked(command), command)
	}
}

func TestRecordGivesUp(t *testing.T) {
	f := &fakeQEMU{}
	startFake(t, f)
	never := func() (bool, error) { return false, nil }
	r := Recording{Monitor: f.socket, Log: filepath.Join(t.TempDir(), "log"), Bytes: 1, Ready: never}
	require.ErrorIs(t, r.Record(limit(t, 100*time.Millisecond)), context.DeadlineExceeded)
	r.Ready = func() (bool, error) { return true, nil } // and no log ever comes
	require.ErrorIs(t, r.Record(limit(t, 100*time.Millisecond)), context.DeadlineExceeded)
	broken := errors.New("broken")
	r.Ready = func() (bool, error) { return false, broken }
	require.ErrorIs(t, r.Record(limit(t, time.Second)), broken)
	r.Monitor += "-absent"
	require.ErrorIs(t, r.Record(limit(t, 50*time.Millisecond)), ErrMonitor)
}

func TestMonitorSaysWhatQEMURefuses(t *testing.T) {
	for name, f := range map[string]*fakeQEMU{
		"no QEMU":          {greeting: `{"hello": 1}`},
		"not JSON":         {greeting: `hello`},
		"no capabilities":  {answers: map[string]string{"qmp_capabilities": `{"error": {"class": "GenericError", "desc": "no"}}`}},
		"log refused":      {answers: map[string]string{"log in_asm": `{"return": "Invalid parameter"}`}},
		"no stepping":      {answers: map[string]string{"on\"": `{"return": "unknown command"}`}},
		"answer of a kind": {answers: map[string]string{"log in_asm": `{"return": 7}`}},
	} {
		t.Run(name, func(t *testing.T) {
			startFake(t, f)
			m, err := Dial(limit(t, 5*time.Second), f.socket)
			if err == nil {
				err = m.LogOn()
				require.NoError(t, m.Close())
			}
			require.ErrorIs(t, err, ErrMonitor)
		})
	}
}
