package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringo/api/node"
)

// command is one command of the console.
type command struct {
	name     string // "vm start"
	args     []arg
	required int // so many of args must be given
	help     string
	// note is shown at once when a command starts that takes its time.
	note string
	run  func(context.Context, *Console, []string) (result, error)
}

// arg is an argument: how usage names it, and what it may be.
type arg struct {
	name string
	kind argKind
}

// argKind says what completes an argument.
type argKind uint8

const (
	argOther argKind = iota
	argVM
	argCommand
)

// result is what a command leaves behind.
type result struct {
	text   string   // shown as it is; ends with a line feed
	attach *node.VM // the VM whose console is to be shown, or nil
	lines  int      // how much of its scrollback
}

// errUsage says that a command got arguments that it does not take.
var errUsage = errors.New("wrong arguments")

// commands is every command in the order of help.
var commands []command

// Filled in here because help reads the list.
func init() {
	commands = slices.Concat([]command{helpCommand}, vmCommands, nodeCommands)
}

// usage is how the command is called.
func (c *command) usage() string {
	s := c.name
	for i, a := range c.args {
		if i < c.required {
			s += " " + a.name
		} else {
			s += " [" + a.name + "]"
		}
	}
	return s
}

// find gives the command that a line calls, and its arguments.
func find(words []string) (*command, []string, error) {
	for i := range commands {
		name := strings.Fields(commands[i].name)
		if len(words) >= len(name) && slices.Equal(words[:len(name)], name) {
			return &commands[i], words[len(name):], nil
		}
	}
	var family []string
	for i := range commands {
		if strings.HasPrefix(commands[i].name, words[0]+" ") {
			family = append(family, "  "+commands[i].usage())
		}
	}
	if len(family) > 0 {
		return nil, nil, fmt.Errorf("usage:\n%s", strings.Join(family, "\n"))
	}
	return nil, nil, fmt.Errorf("unknown command %q; help lists all commands", words[0])
}

// check says whether the number of arguments is right.
func (c *command) check(args []string) error {
	if len(args) < c.required || len(args) > len(c.args) {
		return c.misused()
	}
	return nil
}

// misused is the error for arguments that the command does not take.
func (c *command) misused() error {
	return fmt.Errorf("usage: %s\n       %s", c.usage(), c.help)
}

// call runs the command. A panic in it is the command's failure alone.
func (c *command) call(ctx context.Context, k *Console, args []string) (r result, err error) {
	defer func() {
		if p := recover(); p != nil {
			k.panicked(c.name, p)
			err = fmt.Errorf("%s failed inside Ringo: %v; see log", c.name, p)
		}
	}()
	r, err = c.run(ctx, k, args)
	if errors.Is(err, errUsage) {
		err = c.misused()
	}
	return r, err
}

var helpCommand = command{
	name: "help", args: []arg{{"COMMAND", argCommand}, {"SUBCOMMAND", argOther}},
	help: "lists the commands, or says what one does",
	run: func(_ context.Context, k *Console, args []string) (result, error) {
		if len(args) == 0 {
			return result{text: k.help()}, nil
		}
		c, _, err := find(args)
		if err != nil {
			return result{}, err
		}
		return result{text: c.usage() + "\n  " + c.help + "\n"}, nil
	},
}

// help lists every command.
func (k *Console) help() string {
	width := 0
	for i := range commands {
		width = max(width, len(commands[i].usage()))
	}
	var b strings.Builder
	for i := range commands {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, commands[i].usage(), commands[i].help)
	}
	fmt.Fprintf(&b, "Tab completes commands and VM names; Up and Down recall earlier lines.\n")
	fmt.Fprintf(&b, "While attached to a VM, %s returns to this prompt.\n", k.escapeName())
	return b.String()
}
