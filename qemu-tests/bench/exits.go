package main

import (
	"context"
	"errors"
	"time"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/tiny"
)

// A port and a register of device models that a read or write does not
// disturb: the UART's line status, the I/O APIC's register select.
const (
	portUARTStatus = 0x3fd
	mmioIOAPIC     = 0xfec00000
)

// exits measures the ticks of each kind of exit.
func (l *lab) exits(ctx context.Context) []Row {
	console, failure := l.run(ctx, exitsRun())
	rows, err := exitRows(console)
	switch {
	case err != nil:
		return failed(errors.Join(err, failure), "cpuid", "port-read", "mmio-write", "self-ipi-x2apic")
	case failure != nil: // and the last rows are missing or cut
		return append(rows, failed(failure, "all rows of exits")...)
	}
	return rows
}

// tinyConfig is the definition of a VM for a tiny guest.
const tinyConfig = "vms:\n- name: tiny\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n  debug-exit: true\n"

// exitsRun boots the tiny benchmark in a VM. The last row is complete when the
// VM has ended.
func exitsRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-exits", About: "ticks per exit", Timeout: 2 * time.Minute,
		Append: "metrics", Config: tinyConfig,
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Bench(tiny.BenchOptions{
				Iterations: 4000, Port: portUARTStatus, MMIO: mmioIOAPIC, Hypercalls: true, TimerCount: 10000,
			})
		}}},
		Script: qemutests.Expect(`bench hlt-deadline-x2apic \d+`, metricsPattern(`"event":"end"`)),
		Exit:   qemutests.Killed,
	}
}
