package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/bench/internal/trace"
)

// traceBytes is how much log to make: some dozens of the longest exits.
const traceBytes = 32 << 20

// traceQEMU runs a loop in QEMU, whose monitor switches the log on and off and
// ends it, and counts what the host executes for one exit.
func traceQEMU(ctx context.Context, l *lab, loop loop) (trace.Path, error) {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return trace.Path{}, err
	}
	defer os.RemoveAll(folder)
	monitor, log := filepath.Join(folder, "qmp"), filepath.Join(folder, "log")
	s := traceRun(loop)
	s.Args = []string{"-qmp", "unix:" + monitor + ",server=on,wait=off", "-D", log}
	s.Script = qemutests.Expect(traceReady)
	console := filepath.Join(l.Build, "qemu-tests", s.Name+".log")
	_ = os.Remove(console) // an old one would look ready

	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	recorded := make(chan error, 1)
	go func() {
		recorded <- trace.Recording{
			Monitor: monitor, Log: log, Bytes: traceBytes,
			Ready: func() (bool, error) { return contains(console, traceReady) },
		}.Record(ctx)
	}()
	_, err = l.run(ctx, s)
	cancel() // without an emulator there is nothing to record
	if failure := <-recorded; failure != nil {
		return trace.Path{}, fmt.Errorf("%w (%w)", failure, err)
	}
	f, err := os.Open(log)
	if err != nil {
		return trace.Path{}, err
	}
	defer f.Close()
	return trace.CountQEMU(f)
}

// contains says whether a file exists and holds a text.
func contains(path, text string) (bool, error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	return bytes.Contains(data, []byte(text)), err
}
