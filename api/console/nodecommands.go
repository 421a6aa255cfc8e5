package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"ringo/api/node"
)

// logLines is how much log shows by itself.
const logLines = 100

// nodeCommands are the commands about the node.
var nodeCommands = []command{
	{name: "stats", args: vmName, help: "counts exits and time of all VMs, or of one by reason", run: stats},
	{name: "log", args: []arg{{"LINES", argOther}}, help: "shows the newest LINES of the node's log (100)", run: showLog},
	{name: "poweroff", help: "shuts the VMs down, then turns the machine off",
		note: fmt.Sprintf("the VMs have %s to shut down; Ctrl-C gives up\n", node.ShutdownTimeout), run: powerOff},
}

// showLog is "log".
func showLog(_ context.Context, k *Console, args []string) (result, error) {
	lines := logLines
	if len(args) > 0 {
		n, err := strconv.ParseUint(args[0], 10, 24)
		if err != nil {
			return result{}, errUsage
		}
		lines = int(n)
	}
	entries := k.cfg.Node.Log().Since(0)
	text := ""
	for _, e := range entries[max(0, len(entries)-lines):] {
		text += logLine(&e, "2006-01-02 15:04:05.000")
	}
	if text == "" {
		text = "the log is empty\n"
	}
	return result{text: text}, nil
}

// powerOff is "poweroff". It comes back only if the machine stays on.
func powerOff(ctx context.Context, k *Console, _ []string) (result, error) {
	err := k.cfg.Node.PowerOff(ctx)
	if errors.Is(err, context.Canceled) {
		return result{}, errors.New("interrupted; the machine stays on, and so do the VMs that are not off yet")
	}
	return result{}, err
}
