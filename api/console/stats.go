package console

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"ringo/api/node"
	"ringo/hv"
	"ringo/hv/vcpu"
)

// stats is "stats": the node, or one VM.
func stats(ctx context.Context, k *Console, args []string) (result, error) {
	if len(args) > 0 {
		return forVM(vmStats)(ctx, k, args)
	}
	n := k.cfg.Node
	m := n.Memory()
	text := fmt.Sprintf("up for %s; memory for VMs %s, %s free", seconds(n.Uptime()), size(m.Total), size(m.Free))
	if m.Lost > 0 {
		text += fmt.Sprintf(", %s lost until the next boot", size(m.Lost))
	}
	text += "\n"
	if vms := n.VMs(); len(vms) > 0 {
		text += nodeStats(n, vms)
	}
	return result{text: text}, nil
}

// nodeStats has a line for each VM.
func nodeStats(n *node.Node, vms []*node.VM) string {
	return table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "NAME\tSTATE\tEXITS\tFAST\tIN GUEST\tIN HOST")
		for _, v := range vms {
			s := v.Stats()
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", v.Name(), v.Status().State, s.Total(), fast(&s),
				ticks(s.GuestTicks, n.TSCHz()), ticks(s.HostTicks, n.TSCHz()))
		}
	})
}

// vmStats counts a VM's exits by reason, and its time.
func vmStats(k *Console, v *node.VM) string {
	s, state := v.Stats(), v.Status()
	hz := k.cfg.Node.TSCHz()
	text := fmt.Sprintf("%s: %s, up for %s; counted since the last start\n", v.Name(), state.State, uptime(state))
	text += table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "EXIT\tCOUNT\tFAST")
		for kind := range vcpu.NumKinds {
			if s.Exits[kind] > 0 {
				fmt.Fprintf(w, "%s\t%d\t%d\n", kind, s.Exits[kind], s.Fast[kind])
			}
		}
		fmt.Fprintf(w, "all\t%d\t%d\n", s.Total(), fast(&s))
	})
	text += "FAST exits are finished in the nucleus, without Go.\n"
	text += fmt.Sprintf("time in guest %s, in host %s%s\n",
		ticks(s.GuestTicks, hz), ticks(s.HostTicks, hz), share(s.HostTicks, s.GuestTicks))
	for i, c := range v.CPUStats() {
		text += fmt.Sprintf("  vCPU %d: %d exits, in guest %s, in host %s, changed CPUs %d times\n",
			i, c.Total(), ticks(c.GuestTicks, hz), ticks(c.HostTicks, hz), c.Moves)
	}
	text += fmt.Sprintf("unknown MSRs %d; accesses to nothing: ports %d, memory %d; stage-2 tables %s\n",
		s.UnknownMSRs, s.UnclaimedPIO, s.UnclaimedMMIO, size(s.Tables))
	return text
}

// fast is the number of exits that needed no Go.
func fast(s *hv.Stats) (n uint64) {
	for _, e := range s.Fast {
		n += e
	}
	return n
}

// ticks is a number of ticks of the TSC as a time.
func ticks(n, hz uint64) string {
	if hz == 0 {
		return fmt.Sprintf("%d ticks", n)
	}
	return time.Duration(float64(n) / float64(hz) * float64(time.Second)).Round(time.Millisecond).String()
}

// share is how much of the time for a VM was the host's.
func share(host, guest uint64) string {
	if host+guest == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f %%)", 100*float64(host)/(float64(host)+float64(guest)))
}
