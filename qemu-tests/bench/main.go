package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	qemutests "ringo/qemu-tests"
)

// build is the folder of what was built, seen from the folder of go.mod.
const build = "build"

func main() {
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unknown argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	rows, err := measure(context.Background())
	print := printTable
	if *asJSON {
		print = printJSON
	}
	if err == nil {
		err = print(os.Stdout, rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure makes all rows.
func measure(ctx context.Context) ([]Row, error) {
	console, err := run(ctx, exitsRun())
	if err != nil {
		return nil, err
	}
	rows, err := exitRows(console)
	if err != nil {
		return nil, err
	}
	if console, err = run(ctx, bootRun()); err != nil {
		return nil, err
	}
	boot, err := number(console, initLine, 16)
	if err != nil {
		return nil, err
	}
	bare, err := measureBare(ctx)
	if err != nil {
		return nil, err
	}
	return append(rows, row("linux-boot", boot), row("linux-boot-bare", bare)), nil
}

// measureBare gives the ticks of a bare boot from the kernel's entry: the
// counter runs since power-on, so what the firmware takes is measured with a
// kernel that does nothing, and subtracted.
func measureBare(ctx context.Context) (uint64, error) {
	const name = "cache/firmware"
	if err := os.WriteFile(filepath.Join(build, name), firmwareKernel(), 0o644); err != nil {
		return 0, err
	}
	console, err := run(ctx, firmwareRun(name))
	if err != nil {
		return 0, err
	}
	firmware, err := number(console, firmwareLine, 10)
	if err != nil {
		return 0, err
	}
	if console, err = run(ctx, bareRun()); err != nil {
		return 0, err
	}
	all, err := number(console, initLine, 16)
	if err != nil || all < firmware {
		return 0, fmt.Errorf("init at %d ticks, firmware %d: %w", all, firmware, err)
	}
	return all - firmware, nil
}

// run carries out a stanza and gives its console.
func run(ctx context.Context, s qemutests.Stanza) ([]byte, error) {
	r := qemutests.Lab{Build: build}.Run(ctx, s, 1)
	if r.Verdict != qemutests.Pass {
		return nil, fmt.Errorf("%v", r)
	}
	return os.ReadFile(r.Log)
}
