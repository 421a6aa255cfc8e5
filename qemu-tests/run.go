package qemutests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Verdict is how a test ended.
type Verdict string

// Verdicts. A test that is skipped has not passed.
const (
	Pass Verdict = "PASS"
	Fail Verdict = "FAIL"
	Skip Verdict = "SKIP"
)

// Result is a verdict with what a person needs to look into it.
type Result struct {
	Name    string
	Verdict Verdict
	Reason  string // "" for Pass
	Log     string // file with the whole console
	Tail    string // the console's last lines, of a failure
	Seed    uint64
	Took    time.Duration
}

// String gives the result in a line.
func (r Result) String() string {
	s := fmt.Sprintf("%s %s (%.1fs, seed %d)", r.Verdict, r.Name, r.Took.Seconds(), r.Seed)
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	if r.Log != "" {
		s += "\n    log: " + r.Log
	}
	if r.Tail != "" {
		s += "\n    the console's last lines:\n" + r.Tail
	}
	return s
}

// slots bounds the emulators that run at once: each keeps several threads
// busy.
var slots = make(chan struct{}, 2)

// Run carries out one stanza, and before it the one that it needs. A cancelled
// context ends it early.
func (l Lab) Run(ctx context.Context, s Stanza, seed uint64) Result {
	var first Result
	if s.First != nil {
		s.Disk = l.diskOf(s.Name)
		if err := makeDisk(s.Disk); err != nil {
			return Result{Name: s.Name, Seed: seed, Verdict: Fail, Reason: err.Error()}
		}
		before := *s.First
		before.Name, before.Disk = s.firstName(), s.Disk
		if first = l.Run(ctx, before, seed); first.Verdict != Pass {
			return first
		}
	}
	r := l.run(ctx, s, seed)
	r.Took += first.Took
	return r
}

// run carries out the stanza itself.
func (l Lab) run(ctx context.Context, s Stanza, seed uint64) Result {
	s = s.normal(seed)
	r := Result{Name: s.Name, Seed: seed, Verdict: Fail}
	rules, err := s.compile()
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	m, err := l.prepare(s)
	if err != nil {
		if errors.Is(err, ErrAbsent) {
			r.Verdict = Skip
		}
		r.Reason = err.Error()
		return r
	}
	slots <- struct{}{}
	defer func() { <-slots }()
	start := time.Now()
	r.Log = filepath.Join(l.folder(), s.Name+".log")
	k := &console{c: rules}
	if err := m.emulate(ctx, k, r.Log); err != nil {
		r.Reason = err.Error()
		r.Tail = "    | " + strings.Join(append(k.recent, clip(string(k.line))), "\n    | ")
	} else {
		r.Verdict = Pass
	}
	r.Took = time.Since(start)
	return r
}

// ending is how an emulator ended. Code is 0 if the guest switched it off.
type ending struct {
	exited bool // by itself; else the runner ended it
	code   int
	text   string
	stuck  string // where the processors stood when time was up
}

// emulate runs the emulator until it ends, the script is through, something
// forbidden appears, or time is up.
func (m *machine) emulate(ctx context.Context, k *console, logName string) error {
	log, err := os.Create(logName)
	if err != nil {
		return err
	}
	defer log.Close()

	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	k.log = log
	watch := &watcher{k: k, stop: cancel, stopAtEnd: m.Exit == Killed}
	start := m.emulateQEMU
	if m.isBochs() {
		start = m.emulateBochs
	}
	end, err := start(ctx, watch)
	if err != nil {
		return err
	}
	return m.judge(k, end, ctx)
}

// emulateQEMU runs QEMU, or what takes its arguments, with the serial port on
// its standard input and output.
func (m *machine) emulateQEMU(ctx context.Context, watch *watcher) (ending, error) {
	q, err := newMonitor()
	if err != nil {
		return ending{}, err
	}
	defer q.close()
	args := append(m.command(), q.args()...)
	fmt.Fprintf(watch.k.log, "%q\n", args)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	input, err := cmd.StdinPipe()
	if err != nil {
		return ending{}, err
	}
	watch.k.input = input
	cmd.Stdout, cmd.Stderr = watch, watch
	if m.Disturbed {
		quiet, calm := context.WithCancel(ctx)
		defer calm()
		go q.disturb(quiet)
	}
	stuck := ""
	state, err := runGroup(cmd, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			stuck = m.whereStuck(q, watch.k.log)
		}
	})
	if err != nil {
		return ending{}, err
	}
	return ending{exited: state.Exited(), code: state.ExitCode(), text: state.String(), stuck: stuck}, nil
}

// emulateBochs runs Bochs with the serial port on its connection. What Bochs
// itself says is the end of the log.
func (m *machine) emulateBochs(ctx context.Context, watch *watcher) (ending, error) {
	b, err := m.newBochs(ctx)
	if err != nil {
		return ending{}, err
	}
	fmt.Fprintf(watch.k.log, "%q\n", b.cmd.Args)
	end, err := b.run(func(line net.Conn) {
		watch.k.input = line
		_, _ = io.Copy(watch, line) // ends with Bochs
	})
	fmt.Fprintf(watch.k.log, "\n[Bochs: %s]\n%s", end.text, b.screen.bytes)
	return end, err
}

// judge turns what was seen into a verdict. A time limit explains a missing
// step and so is part of the message.
func (m *machine) judge(k *console, end ending, ctx context.Context) error {
	err := k.finish()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("not finished within %v", m.Timeout), err)
		if end.stuck != "" {
			err = fmt.Errorf("%w\n%s", err, end.stuck)
		}
		return err
	}
	switch {
	case err != nil && end.exited:
		return fmt.Errorf("%w; the emulator ended with code %d", err, end.code)
	case err != nil:
		return err
	case m.Exit != Killed && end.code != m.Exit:
		return fmt.Errorf("the emulator ended with %s, expected code %d", end.text, m.Exit)
	}
	return nil
}

// linger is how long a run goes on after a line that fails it: the report of a
// crash, or a panic's trace, comes after its first line.
const linger = 2 * time.Second

// watcher ends the run when the console decides it.
type watcher struct {
	k         *console
	stop      func()
	stopAtEnd bool
	failed    bool
}

func (w *watcher) Write(p []byte) (int, error) {
	n, err := w.k.Write(p)
	switch {
	case w.failed:
	case w.k.err != nil:
		w.failed = true
		time.AfterFunc(linger, w.stop)
	case w.k.done && w.stopAtEnd:
		w.stop()
	}
	return n, err
}

// runGroup runs a command in a process group of its own and ends the whole
// group with it: what it started must not stay either. The group also ends if
// this program dies; Linux ties that to the thread, which is why it is kept.
// Before a run is cut off, beforeEnd is called.
func runGroup(cmd *exec.Cmd, beforeEnd func()) (*os.ProcessState, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	killGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = func() error {
		beforeEnd()
		return killGroup()
	}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err := cmd.Wait()
	_ = killGroup() // what is left of the group; usually nothing
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && cmd.ProcessState == nil {
		return nil, err
	}
	return cmd.ProcessState, nil
}
