package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/bench/internal/trace"
)

// emulator is one of the two that play the machine, and what its rows are held
// against.
type emulator struct {
	program string   // as the runner calls it
	version []string // arguments that make it tell its version
	clock   string   // what makes a tick one instruction
	peer    string   // whose figures the column of the peer has
	budgets []budget
	// bareArgs choose the machine of the runs without Ringo.
	bareArgs []string
	// trace counts what the host executes for one exit.
	trace func(context.Context, *lab, loop) (trace.Path, error)
	// patience is how much longer than in QEMU a run may take.
	patience int
}

// emulators are those of the option -emulator.
var emulators = map[string]emulator{
	"qemu": {
		program: qemutests.QEMU, version: []string{"--version"}, clock: "-icount shift=0",
		peer: "KVM+QEMU", budgets: svmBudgets, bareArgs: []string{"-machine", "q35"}, trace: traceQEMU, patience: 1,
	},
	"bochs": {
		program: qemutests.Bochs, version: []string{"--help"}, clock: "clock: sync=none",
		peer: "KVM+kvmtool", budgets: vmxBudgets, trace: traceBochs, patience: 4,
	},
}

// name gives the emulator's name and version as it tells them: the first line
// that has the word version or, in Bochs, Emulator.
func (e emulator) name(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, e.program, e.version...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w (make install installs it)", e.program, e.version[0], err)
	}
	return versionLine(string(out)), nil
}

func versionLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.Contains(line, "version") || strings.Contains(line, "Emulator") {
			return line
		}
	}
	return "an emulator that does not tell its version"
}
