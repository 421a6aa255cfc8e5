package console

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"ringo/api/node"
)

const (
	// pauseTimeout is how long a VM may take to come to rest.
	pauseTimeout = 10 * time.Second
	// attachLines is how much of the scrollback attach shows by itself.
	attachLines = 100
)

// vmName is the argument of most commands.
var vmName = []arg{{"NAME", argVM}}

// vmCommands are the commands about VMs.
var vmCommands = []command{
	{name: "vm list", help: "lists the VMs", run: listVMs},
	{name: "vm show", args: vmName, required: 1, help: "shows a VM's definition and state", run: forVM(showVM)},
	{name: "vm start", args: vmName, required: 1, help: "turns a VM on", run: act((*node.VM).Start, "started")},
	{name: "vm shutdown", args: vmName, required: 1, help: "presses the power button: the guest turns itself off",
		run: act((*node.VM).Shutdown, "the power button was pressed")},
	{name: "vm stop", args: vmName, required: 1, help: "turns a VM off at once; the guest may lose data",
		run: act((*node.VM).Stop, "turned off")},
	{name: "vm reset", args: vmName, required: 1, help: "presses the reset button; the guest may lose data",
		run: act((*node.VM).Reset, "reset")},
	{name: "vm pause", args: vmName, required: 1, help: "lets a VM stand still", run: act(pause, "paused")},
	{name: "vm resume", args: vmName, required: 1, help: "lets a paused VM run on", run: act((*node.VM).Resume, "resumed")},
	{name: "vm nmi", args: vmName, required: 1, help: "sends a non-maskable interrupt to every vCPU",
		run: act((*node.VM).NMI, "an NMI was sent to every vCPU")},
	{name: "attach", args: []arg{{"NAME", argVM}, {"LINES", argOther}}, required: 1,
		help: "shows a VM's console, with up to LINES of its scrollback (100)", run: attachVM},
}

// forVM makes a command of a function that says something about one VM.
func forVM(f func(*Console, *node.VM) string) func(context.Context, *Console, []string) (result, error) {
	return func(_ context.Context, k *Console, args []string) (result, error) {
		v, err := k.cfg.Node.VM(args[0])
		if err != nil {
			return result{}, err
		}
		return result{text: f(k, v)}, nil
	}
}

// act makes a command of an operation on one VM.
func act(f func(*node.VM) error, done string) func(context.Context, *Console, []string) (result, error) {
	return func(_ context.Context, k *Console, args []string) (result, error) {
		v, err := k.cfg.Node.VM(args[0])
		if err != nil {
			return result{}, err
		}
		if err := f(v); err != nil {
			return result{}, err
		}
		return result{text: fmt.Sprintf("%s: %s\n", v.Name(), done)}, nil
	}
}

// pause does not heed an interrupt of the command: the VM is at rest or runs
// on within pauseTimeout.
func pause(v *node.VM) error {
	ctx, cancel := context.WithTimeout(context.Background(), pauseTimeout)
	defer cancel()
	return v.Pause(ctx)
}

func attachVM(_ context.Context, k *Console, args []string) (result, error) {
	lines := attachLines
	if len(args) > 1 {
		n, err := strconv.ParseUint(args[1], 10, 24)
		if err != nil {
			return result{}, errUsage
		}
		lines = int(n)
	}
	v, err := k.cfg.Node.VM(args[0])
	if err != nil {
		return result{}, err
	}
	return result{attach: v, lines: lines}, nil
}
