package trace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// ErrMonitor says that QEMU's monitor refused a command or went away.
var ErrMonitor = errors.New("QEMU's monitor")

// Monitor is a connection to a QEMU by its machine protocol.
type Monitor struct {
	conn net.Conn
	in   *json.Decoder
}

// Dial connects to the socket of "-qmp unix:PATH,server=on,wait=off". The
// emulator may not have made it yet: Dial tries until ctx ends.
func Dial(ctx context.Context, path string) (*Monitor, error) {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil {
			return start(ctx, conn)
		}
		if wait(ctx, retry) != nil {
			return nil, fmt.Errorf("%w: no connection: %w", ErrMonitor, err)
		}
	}
}

// retry is how long to wait before looking again for what is not there yet.
const retry = 20 * time.Millisecond

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// start reads the greeting and leaves the negotiation of capabilities.
func start(ctx context.Context, conn net.Conn) (*Monitor, error) {
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	m := &Monitor{conn: conn, in: json.NewDecoder(conn)}
	var greeting struct{ QMP json.RawMessage }
	err := m.in.Decode(&greeting)
	if err == nil && greeting.QMP == nil {
		err = errors.New("no greeting")
	}
	if err == nil {
		_, err = m.execute("qmp_capabilities", nil)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w: %w", ErrMonitor, err)
	}
	return m, nil
}

// Close ends the connection; the emulator runs on.
func (m *Monitor) Close() error { return m.conn.Close() }

// LogOn makes QEMU log each instruction that it executes.
func (m *Monitor) LogOn() error {
	// The log first: an instruction that is translated without it would later be
	// executed without its bytes being known.
	if err := m.human("log in_asm,exec,nochain"); err != nil {
		return err
	}
	// The command was renamed in QEMU 8.1.
	if m.human("one-insn-per-tb on") == nil {
		return nil
	}
	return m.human("singlestep on")
}

// LogOff ends what LogOn began.
func (m *Monitor) LogOff() error { return m.human("log none") }

// Quit ends the emulator with code 0.
func (m *Monitor) Quit() error {
	_, err := m.execute("quit", nil)
	return err
}

// human carries out a command of the monitor for people. It answers nothing
// unless it complains.
func (m *Monitor) human(line string) error {
	answer, err := m.execute("human-monitor-command", map[string]string{"command-line": line})
	if err != nil {
		return err
	}
	var text string
	if err := json.Unmarshal(answer, &text); err != nil || text != "" {
		return fmt.Errorf("%w: %q: %s", ErrMonitor, line, strings.TrimSpace(text))
	}
	return nil
}

// execute sends a command and waits for its answer; events in between are of
// no interest.
func (m *Monitor) execute(command string, arguments any) (json.RawMessage, error) {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	if err := json.NewEncoder(m.conn).Encode(request); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMonitor, command, err)
	}
	for {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Class, Desc string }
		}
		if err := m.in.Decode(&answer); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrMonitor, command, err)
		}
		switch {
		case answer.Error != nil:
			return nil, fmt.Errorf("%w: %s: %s", ErrMonitor, command, answer.Error.Desc)
		case answer.Return != nil:
			return answer.Return, nil
		}
	}
}
