package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	qemutests "ringo/qemu-tests"
)

func main() {
	bundle := flag.String("bundle", "", "`file` that Ringo gets as its bundle")
	options := flag.String("options", "", "Ringo's command line")
	smp := flag.Int("smp", 1, "processors; they share one of this machine's")
	memory := flag.String("memory", "1G", "the machine's memory")
	flag.Parse()
	if err := run(*bundle, qemutests.Stanza{Name: "terminal", Append: *options, SMP: *smp, Memory: *memory}); err != nil {
		fmt.Fprintln(os.Stderr, "terminal:", err)
		os.Exit(1)
	}
}

func run(bundle string, s qemutests.Stanza) error {
	if bundle != "" {
		data, err := os.ReadFile(bundle)
		if err != nil {
			return err
		}
		s.Broken = data // as it is: the node says what is wrong with it
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	defer raw()()
	return qemutests.Lab{Build: "build"}.Attach(ctx, s, os.Stdin, os.Stdout)
}

// raw makes the terminal pass on every key, and returns what restores it. If
// standard input is no terminal there is nothing to do.
func raw() (restore func()) {
	old, err := stty("-g")
	if err != nil {
		return func() {}
	}
	_, _ = stty("raw", "-echo")
	return func() { _, _ = stty(strings.TrimSpace(old)) }
}

func stty(args ...string) (string, error) {
	cmd := exec.Command("stty", args...)
	cmd.Stdin = os.Stdin
	out, err := cmd.Output()
	return string(out), err
}
