package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	qemutests "ringo/qemu-tests"
)

func main() {
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	quick := flag.Bool("quick", false, "leave out the boots of Linux and the mitigations")
	name := flag.String("emulator", "qemu", "qemu: AMD-V; bochs: VT-x")
	build := flag.String("build", "build", "folder of what was built; logs go there too")
	image := flag.String("image", "", "Ringo's image (default: ringo in the build folder)")
	saved := flag.Bool("compare", false, "measure nothing, print reports saved as JSON side by side: --compare FILE...")
	flag.Parse()
	e, ok := emulators[*name]
	switch {
	case *saved && flag.NArg() > 0:
		end(compare(os.Stdout, flag.Args()))
		return
	case *saved:
		usage("--compare needs files")
	case flag.NArg() > 0:
		usage(fmt.Sprintf("unknown argument %q", flag.Arg(0)))
	case !ok:
		usage(fmt.Sprintf("unknown emulator %q; there are qemu and bochs", *name))
	}
	report, err := measure(context.Background(), e, *build, *image, *quick)
	end(err)
	print := report.table
	if *asJSON {
		print = report.json
	}
	end(print(os.Stdout))
	if unmeasured, _ := report.problems(); unmeasured > 0 {
		os.Exit(1)
	}
}

// usage ends the command for what it was called with.
func usage(problem string) {
	fmt.Fprintln(os.Stderr, "bench:", problem)
	flag.Usage()
	os.Exit(2)
}

// end ends the command if there is an error.
func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure makes the whole report.
func measure(ctx context.Context, e emulator, build, image string, quick bool) (*Report, error) {
	name, err := e.name(ctx)
	if err != nil {
		return nil, err
	}
	l, err := newLab(e, build, image)
	if err != nil {
		return nil, err
	}
	r := &Report{Date: time.Now().Format(time.DateOnly), Emulator: name, Clock: e.clock, Peer: e.peer}
	for _, part := range l.parts(quick) {
		r.Rows = append(r.Rows, part(ctx)...)
	}
	hold(r.Rows, e.budgets)
	return r, nil
}

// parts are the groups of rows, in the report's order.
func (l *lab) parts(quick bool) []func(context.Context) []Row {
	if quick {
		return []func(context.Context) []Row{l.exits, l.uart, l.heavy, l.footprint}
	}
	return []func(context.Context) []Row{l.exits, l.uart, l.heavy, l.mitigations, l.linux, l.footprint}
}

// lab runs stanzas with one image in one emulator.
type lab struct {
	qemutests.Lab
	emulator
	image string // seen from the build folder
	path  string // seen from here
}

func newLab(e emulator, build, image string) (*lab, error) {
	if image == "" {
		image = filepath.Join(build, "ringo")
	}
	from, err := filepath.Abs(build)
	if err != nil {
		return nil, err
	}
	to, err := filepath.Abs(image)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(from, to)
	return &lab{Lab: qemutests.Lab{Build: build}, emulator: e, image: name, path: image}, err
}

// run carries out a stanza and gives its console, as far as it came.
func (l *lab) run(ctx context.Context, s qemutests.Stanza) ([]byte, error) {
	s.Emulator, s.Icount = l.program, true
	s.Timeout *= time.Duration(l.patience)
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
