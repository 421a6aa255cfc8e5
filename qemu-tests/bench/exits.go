package main

import (
	"context"
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
	console, err := l.run(ctx, exitsRun())
	if err == nil {
		var rows []Row
		if rows, err = exitRows(console); err == nil {
			return rows
		}
	}
	return failed(err, "cpuid", "port-read", "mmio-write", "self-ipi-x2apic")
}

// tinyConfig is the definition of a VM for a tiny guest.
const tinyConfig = "vms:\n- name: tiny\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n  debug-exit: true\n"

// exitsRun boots the tiny benchmark in a VM. It ends with the benchmark's last
// line, after which the guest leaves by the debug-exit port.
func exitsRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-exits", About: "ticks per exit", Timeout: 3 * time.Minute,
		Config: tinyConfig,
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Bench(tiny.BenchOptions{
				Iterations: 10000, Port: portUARTStatus, MMIO: mmioIOAPIC, Hypercalls: true, TimerCount: 10000,
			})
		}}},
		Script: qemutests.Expect(`bench hlt-deadline-x2apic \d+`),
		Exit:   qemutests.Killed,
	}
}
