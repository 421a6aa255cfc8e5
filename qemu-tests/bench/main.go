package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	qemutests "ringo/qemu-tests"
)

// build is the folder of what was built, seen from the folder of go.mod.
const build = "build"

func main() {
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	quick := flag.Bool("quick", false, "leave out the boots of Linux and the mitigations")
	image := flag.String("image", filepath.Join(build, "ringo"), "Ringo's image")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unknown argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	report, err := measure(context.Background(), *image, *quick)
	if err == nil && *asJSON {
		err = report.json(os.Stdout)
	} else if err == nil {
		err = report.table(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if unmeasured, _ := report.problems(); unmeasured > 0 {
		os.Exit(1)
	}
}

// measure makes the whole report.
func measure(ctx context.Context, image string, quick bool) (*Report, error) {
	emulator, err := emulatorVersion(ctx)
	if err != nil {
		return nil, err
	}
	l, err := newLab(image)
	if err != nil {
		return nil, err
	}
	r := &Report{Date: time.Now().Format(time.DateOnly), Emulator: emulator}
	parts := []func(context.Context) []Row{l.exits, l.uart, l.heavy, l.mitigations, l.linux, l.footprint}
	if quick {
		parts = []func(context.Context) []Row{l.exits, l.uart, l.heavy, l.footprint}
	}
	for _, part := range parts {
		r.Rows = append(r.Rows, part(ctx)...)
	}
	return r, nil
}

// emulatorVersion is the first line that QEMU says of itself.
func emulatorVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, qemutests.QEMU, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w (make install installs it)", qemutests.QEMU, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line, nil
}

// lab runs stanzas with one image.
type lab struct {
	qemutests.Lab
	image string // seen from the build folder
	path  string // seen from here
}

func newLab(image string) (*lab, error) {
	from, err := filepath.Abs(build)
	if err != nil {
		return nil, err
	}
	to, err := filepath.Abs(image)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(from, to)
	return &lab{Lab: qemutests.Lab{Build: build}, image: name, path: image}, err
}

// run carries out a stanza and gives its console, as far as it came.
func (l *lab) run(ctx context.Context, s qemutests.Stanza) ([]byte, error) {
	s.Icount = true
	if s.Kernel == "" {
		s.Image = l.image
	}
	r := l.Lab.Run(ctx, s, 1)
	console, err := os.ReadFile(r.Log)
	if r.Verdict != qemutests.Pass {
		err = fmt.Errorf("%v", r)
	}
	return console, err
}
