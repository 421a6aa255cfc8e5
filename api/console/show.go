package console

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"ringo/api/bundle"
	"ringo/api/node"
	"ringo/hv"
)

// listVMs is "vm list".
func listVMs(_ context.Context, k *Console, _ []string) (result, error) {
	vms := k.cfg.Node.VMs()
	if len(vms) == 0 {
		return result{text: "this node has no VMs\n"}, nil
	}
	text := table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "NAME\tSTATE\tVCPUS\tMEMORY\tUPTIME\tREMARK")
		for _, v := range vms {
			d, s := v.Definition(), v.Status()
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n",
				d.Name, s.State, d.VCPUs, size(d.Memory), uptime(s), remark(s))
		}
	})
	return result{text: text}, nil
}

// table lines up columns.
func table(f func(*tabwriter.Writer)) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	f(w)
	_ = w.Flush() // a strings.Builder takes everything
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// remark says why a VM is off, and whether it stays so.
func remark(s node.Status) string {
	if s.State == hv.StateRunning {
		return ""
	}
	r := s.Reason.String()
	if !s.RestartAt.IsZero() {
		r += "; starts again in " + seconds(time.Until(s.RestartAt))
	}
	return r
}

// uptime is how long a VM has been on.
func uptime(s node.Status) string {
	if !isOn(s) {
		return "-"
	}
	return seconds(s.Uptime)
}

// isOn says whether the VM is on, at work or paused.
func isOn(s node.Status) bool { return s.State == hv.StateRunning || s.State == hv.StatePaused }

// seconds is a duration in whole seconds.
func seconds(d time.Duration) string { return d.Round(time.Second).String() }

// size is a number of bytes for people.
func size(n uint64) string { return bundle.FormatSize(n) }

// showVM is "vm show".
func showVM(_ *Console, v *node.VM) string {
	d, s := v.Definition(), v.Status()
	text := table(func(w *tabwriter.Writer) {
		line := func(key, format string, args ...any) {
			fmt.Fprintf(w, "%s\t%s\n", key, fmt.Sprintf(format, args...))
		}
		line("name", "%s", d.Name)
		line("state", "%s", s.State)
		line("uptime", "%s", uptime(s))
		line("last end", "%s", orNone(remark(s)))
		line("starts", "%d", s.Starts)
		line("machine", "%s", d.Machine)
		line("memory", "%s", size(d.Memory))
		line("vcpus", "%d", d.VCPUs)
		line("cpu-weight", "%d", d.CPUWeight)
		line("cpu-cap", "%s", limit(d.CPUCap))
		line("kernel", "%s (boot-protocol %s)", d.Kernel, d.BootProtocol)
		line("initrd", "%s", orNone(d.Initrd))
		line("cmdline", "%s", orNone(d.Cmdline))
		line("autostart", "%s", autostart(d))
		line("on-crash", "%s", d.OnCrash)
		line("on-poweroff", "%s", d.OnPoweroff)
		line("scrollback", "%s", size(d.Console.Scrollback))
		line("clock", "%s", d.Clock)
		line("cpuid hidden", "%s", orNone(strings.Join(d.CPUID.Hide, ", ")))
		line("debug-exit", "%v", d.DebugExit)
	})
	if s.State == hv.StateCrashed && s.Reason.Report != nil {
		text += s.Reason.Report.String()
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// limit is the cap on CPU time.
func limit(percent int) string {
	if percent == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %% of one CPU", percent)
}

func autostart(d *bundle.VM) string {
	if !d.Autostart {
		return "no"
	}
	return fmt.Sprintf("yes, order %d, delay %s", d.StartOrder, d.StartDelay)
}
