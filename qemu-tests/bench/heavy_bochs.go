package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/bench/internal/trace"
)

// traceSteps is how many instructions to trace: some dozens of the longest
// exits.
const traceSteps = 200_000

// traceBochs runs a loop in Bochs, whose debugger stops at the loop, traces it
// and ends the emulator, and counts what the host executes for one exit.
func traceBochs(ctx context.Context, l *lab, loop loop) (trace.Path, error) {
	log, err := os.CreateTemp("", "bench")
	if err != nil {
		return trace.Path{}, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	s := traceRun(loop)
	s.Args = []string{"magic_break: enabled=1"} // XCHG BX, BX stops
	s.Debugger = []string{"c", "trace on", fmt.Sprint("s ", traceSteps), "quit"}
	s.Screen = log
	s.Script = qemutests.Expect("Booting") // more may not have left the serial port
	_, failure := l.run(ctx, s)
	if _, err := log.Seek(0, 0); err != nil {
		return trace.Path{}, err
	}
	path, err := trace.CountBochs(log)
	if err != nil {
		err = errors.Join(err, failure)
	}
	return path, err
}
