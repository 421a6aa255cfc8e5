package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"ringo/api/bundle"
)

// Exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// errUsage marks a wrong call: the usage is shown after the message.
var errUsage = errors.New("wrong call")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// command is one row of the help and what it does.
type command struct {
	name  string // words that select it
	args  string
	about string
	run   func(args []string, out io.Writer) error
}

func (c *command) usage() string { return strings.TrimSpace("ringoctl " + c.name + " " + c.args) }

// commands lists all but help, which needs the list itself.
var commands = []command{
	{"bundle make", "-o FILE [-files DIR] DIR|ringo.yaml", "make a bundle from ringo.yaml and the files that it names", bundleMake},
	{"bundle check", "FILE", "say whether a bundle is sound, and what it asks for", bundleCheck},
	{"bundle list", "FILE", "list the VMs and the files of a bundle", bundleList},
	{"version", "", "print the version", version},
}

// run executes one command line and gives the exit code.
func run(args []string, out, errOut io.Writer) int {
	if len(args) == 0 {
		help(errOut)
		return exitUsage
	}
	if isHelp(args[0]) {
		return runHelp(args[1:], out, errOut)
	}
	c, rest := find(args)
	if c == nil {
		fmt.Fprintf(errOut, "ringoctl: there is no command %q\n\n", strings.Join(args, " "))
		help(errOut)
		return exitUsage
	}
	if len(rest) > 0 && isHelp(rest[0]) {
		return runHelp(strings.Fields(c.name), out, errOut)
	}
	err := c.run(rest, out)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(errOut, "ringoctl %s: %v\nusage: %s\n", c.name, err, c.usage())
		return exitUsage
	case err != nil:
		fmt.Fprintf(errOut, "ringoctl %s: %v\n", c.name, err)
		return exitFailed
	}
	return exitOK
}

func isHelp(arg string) bool {
	return arg == "help" || arg == "-h" || arg == "-help" || arg == "--help"
}

// find selects the command that the first words name, and gives the rest.
func find(args []string) (*command, []string) {
	for i := range commands {
		words := strings.Fields(commands[i].name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == commands[i].name {
			return &commands[i], args[len(words):]
		}
	}
	return nil, nil
}

// runHelp shows the help for everything, or for what the words begin.
func runHelp(words []string, out, errOut io.Writer) int {
	prefix := strings.Join(words, " ")
	found := false
	for i := range commands {
		if prefix != "" && strings.HasPrefix(commands[i].name+" ", prefix+" ") {
			fmt.Fprintf(out, "usage: %s\n    %s\n", commands[i].usage(), commands[i].about)
			found = true
		}
	}
	switch {
	case found:
		return exitOK
	case prefix == "":
		help(out)
		return exitOK
	}
	fmt.Fprintf(errOut, "ringoctl help: there is no command %q\n\n", prefix)
	help(errOut)
	return exitUsage
}

func help(w io.Writer) {
	fmt.Fprint(w, "ringoctl: make and check what a Ringo node boots with\n\nusage:\n")
	for i := range commands {
		fmt.Fprintf(w, "  %-62s %s\n", commands[i].usage(), commands[i].about)
	}
	fmt.Fprintf(w, "  %-62s %s\n", "ringoctl help [COMMAND]", "print this, or the usage of one command")
}

// version prints the build's version and the machine versions it knows.
func version(args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: it takes no arguments", errUsage)
	}
	v := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
	}
	fmt.Fprintf(out, "ringoctl %s, machine versions: %s\n", v, strings.Join(bundle.Machines(), " "))
	return nil
}

// arguments parses flags that may stand anywhere and wants n other
// arguments.
func arguments(flags *flag.FlagSet, args []string, n int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if flags.NArg() == 0 {
			break
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
	if len(rest) != n {
		return nil, fmt.Errorf("%w: found %d arguments %q, expected %d", errUsage, len(rest), rest, n)
	}
	return rest, nil
}
