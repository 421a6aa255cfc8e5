package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/tiny"
)

// Ports and a register of device models that a read or write does not disturb:
// the debug-exit device's counter, the simplest model that there is; the UART's
// line status, which takes a lock; the I/O APIC's register select.
const (
	portCounter    = 0xf4
	portUARTStatus = 0x3fd
	mmioIOAPIC     = 0xfec00000
)

// exits measures the ticks of each kind of exit.
func (l *lab) exits(ctx context.Context) []Row {
	console, failure := l.run(ctx, exitsRun("bench-exits", "", portCounter))
	rows, err := exitRows(console)
	switch {
	case err != nil:
		return failed(errors.Join(err, failure), inMitigations...)
	case failure != nil: // and the last rows are missing or cut
		return append(rows, failed(failure, "all rows of exits")...)
	}
	return rows
}

// inMitigations are the exits that are also measured with all mitigations of
// processor bugs in place.
var inMitigations = []string{"cpuid", "port-read", "mmio-write", "self-ipi-x2apic"}

// mitigated names a row with them.
func mitigated(name string) string { return name + ", all mitigations" }

// mitigations measures some exits with all mitigations forced on.
func (l *lab) mitigations(ctx context.Context) []Row {
	console, failure := l.run(ctx, exitsRun("bench-mitigations", " mitigations=all", portCounter))
	return pickRows(console, failure, inMitigations, mitigated)
}

// uart measures the port read again, from a device model that takes a lock.
func (l *lab) uart(ctx context.Context) []Row {
	console, failure := l.run(ctx, exitsRun("bench-uart", "", portUARTStatus))
	return pickRows(console, failure, []string{"port-read"}, func(name string) string { return name + "-uart" })
}

// pickRows takes some rows from a console, under other names.
func pickRows(console []byte, failure error, names []string, rename func(string) string) []Row {
	rows, err := exitRows(console)
	var some []Row
	for _, name := range names {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
		if i < 0 {
			missing := fmt.Errorf("%w: no row %s", ErrSilent, name)
			some = append(some, failed(errors.Join(missing, err, failure), rename(name))...)
			continue
		}
		some = append(some, newRow(rename(name), unitTicks, rows[i].Value))
	}
	return some
}

// tinyConfig is the definition of a VM for a tiny guest.
const tinyConfig = "vms:\n- name: tiny\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n  debug-exit: true\n"

// exitsRun boots the tiny benchmark in a VM. The console tells of the VM's end
// after all that the guest has printed.
func exitsRun(name, options string, port uint16) qemutests.Stanza {
	return qemutests.Stanza{
		Name: name, About: "ticks per exit", Timeout: 2 * time.Minute,
		Append: "metrics" + options, Config: tinyConfig,
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Bench(tiny.BenchOptions{
				Iterations: 2000, Port: port, MMIO: mmioIOAPIC, Hypercalls: true, TimerCount: 10000,
			})
		}}},
		Script: qemutests.Expect(`\[tiny: `),
		Exit:   qemutests.Killed,
	}
}
