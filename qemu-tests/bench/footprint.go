package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/tiny"
)

// idleVMs is how many VMs the memory of one is an average of, and one more.
const idleVMs = 9

// hostRAM is the emulated machine's memory in MiB.
const hostRAM = 1024

// footprint measures what image, host and VMs take of the machine.
func (l *lab) footprint(ctx context.Context) []Row {
	var rows []Row
	if info, err := os.Stat(l.path); err != nil {
		rows = failed(err, "image")
	} else {
		rows = []Row{newRow("image", unitMiB, float64(info.Size())/(1<<20))}
	}
	console, err := l.run(ctx, idleRun())
	return append(rows, memoryRows(console, err)...)
}

// memoryRows reports the memory of the host without VMs and of one VM more.
func memoryRows(console []byte, failure error) []Row {
	all, err := metricsOf(console)
	var up metrics
	if err == nil {
		up, err = event(all, eventUp)
	}
	starts := events(all, eventStart)
	if err == nil && len(starts) != idleVMs {
		err = fmt.Errorf("%w: %d VMs of %d were started", ErrSilent, len(starts), idleVMs)
	}
	if err != nil {
		return failed(errors.Join(err, failure), "host-memory", "vm-memory")
	}
	return []Row{
		newRow("host-memory", unitMiB, hostRAM-float64(up.Free)/(1<<20)),
		newRow("vm-memory", unitKiB, perVM(starts)/(1<<10)),
	}
}

// perVM is what a VM takes beyond its RAM and its stage-2 tables, in bytes: the
// average over all but the first, which may fill pools that all use.
func perVM(starts []metrics) float64 {
	own := func(m metrics) float64 { return float64(m.Free) + float64(m.Memory) + float64(m.Tables) }
	first, last := starts[0], starts[len(starts)-1]
	return (own(first) - own(last)) / float64(len(starts)-1)
}

// idleRun starts VMs that halt at once. Each has time to come to rest before
// the next.
func idleRun() qemutests.Stanza {
	var vms strings.Builder
	vms.WriteString("vms:\n")
	for i := range idleVMs {
		fmt.Fprintf(&vms, "- name: idle%d\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n  start-delay: 100ms\n", i)
	}
	return qemutests.Stanza{
		Name: "bench-idle", About: "memory of idle VMs", Timeout: time.Minute,
		Append: "metrics", Memory: fmt.Sprintf("%dM", hostRAM),
		Config: vms.String(),
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Long(func(g *tiny.Guest) {
				g.Label("rest")
				g.Cli()
				g.Hlt()
				g.Jmp("rest")
			})
		}}},
		Script: qemutests.Expect(metricsPattern(fmt.Sprintf(`"vm":"idle%d"`, idleVMs-1))),
		Exit:   qemutests.Killed,
	}
}
