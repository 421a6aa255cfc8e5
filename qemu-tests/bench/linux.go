package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	qemutests "ringo/qemu-tests"
)

// guestCmdline is the same in a VM and bare.
const guestCmdline = "console=ttyS0 quiet"

// noAPICTimer spares a bare kernel the calibration of the local APIC's timer,
// which a guest of KVM or Ringo skips as well.
const noAPICTimer = " noapictimer"

// million makes M ticks of ticks, and milliseconds of nanoseconds.
const million = 1e6

// linux measures the boot of a Linux kernel to its init's first instruction.
func (l *lab) linux(ctx context.Context) []Row {
	bare, bareErr := l.bare(ctx, "")
	quiet, quietErr := l.bare(ctx, noAPICTimer)
	console, err := l.run(ctx, bootRun())
	rows := bootRows(console, err)
	for i := range rows {
		if rows[i].Name == "linux-boot" && quietErr == nil {
			rows[i] = rows[i].withAim(quiet * 1.02 / million)
		}
	}
	rows = append(rows, bareRow("linux-boot-bare", bare, bareErr), bareRow("linux-boot-bare-noapictimer", quiet, quietErr))
	return append(rows, metricRows(console, err)...)
}

func bareRow(name string, ticks float64, err error) Row {
	if err != nil {
		return failed(err, name)[0]
	}
	return newRow(name, unitMTicks, ticks/million)
}

// bootRows reports the ticks that init found in the guest's counter, which is 0
// when the VM is turned on.
func bootRows(console []byte, failure error) []Row {
	ticks, err := counter(console, initLine)
	if err != nil {
		return failed(errors.Join(err, failure), "linux-boot")
	}
	return []Row{newRow("linux-boot", unitMTicks, float64(ticks)/million)}
}

// metricRows reports what the host says of the boot: from the VM's start to its
// end, which is init's power-off a few thousand ticks after its first
// instruction.
func metricRows(console []byte, failure error) []Row {
	all, err := metricsOf(console)
	var start, end metrics
	if err == nil {
		start, err = event(all, eventStart)
	}
	if err == nil {
		end, err = event(all, eventEnd)
	}
	if err != nil {
		return failed(errors.Join(err, failure), "linux-boot-exits", "linux-boot-host", "entry-to-guest")
	}
	total := uint64(0)
	for _, n := range end.Exits {
		total += n
	}
	rows := []Row{newRow("linux-boot-exits", unitCount, float64(total))}
	for _, kind := range byCount(end.Exits) {
		rows = append(rows, newRow("linux-boot-exits: "+kind, unitCount, float64(end.Exits[kind])))
	}
	return append(rows,
		newRow("linux-boot-host", unitPercent, hostShare(start, end)),
		newRow("entry-to-guest", unitMillis, float64(start.Ticks)/million))
}

// byCount are the kinds that occurred, the most frequent first.
func byCount(exits map[string]uint64) []string {
	var kinds []string
	for kind, n := range exits {
		if n > 0 {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b string) int {
		return cmp.Or(cmp.Compare(exits[b], exits[a]), cmp.Compare(a, b))
	})
	return kinds
}

// hostShare is what the host took of the ticks that were not idle, in percent.
// All of the host counts: the nucleus, device models, the Go runtime.
func hostShare(start, end metrics) float64 {
	busy := float64(end.Ticks-start.Ticks) - float64(end.Idle-start.Idle)
	if busy <= 0 {
		return 0
	}
	return 100 * max(0, busy-float64(end.Guest)) / busy
}

// bare gives the ticks of a boot without Ringo from the kernel's entry: the
// counter runs since power-on, so what comes before the kernel is subtracted.
func (l *lab) bare(ctx context.Context, options string) (float64, error) {
	before, err := l.firmware(ctx, options)
	if err != nil {
		return 0, err
	}
	console, err := l.run(ctx, l.bareRun("bench-bare", kernelFile, options, initLine))
	if err != nil {
		return 0, err
	}
	all, err := counter(console, initLine)
	if err == nil && all < before {
		err = fmt.Errorf("init ran at tick %d, but what comes before the kernel takes %d", all, before)
	}
	return float64(all) - float64(before), err
}

// The kernel and its first process, in the build folder.
const (
	kernelFile = "cache/vmlinuz-cloud"
	initrdFile = "cache/initramfs-bench.cpio"
)

// bootRun boots the Debian kernel in a VM, to a program that prints the time
// stamp counter and turns the VM off.
func bootRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-boot", About: "ticks of a Linux boot in a VM", Timeout: 3 * time.Minute,
		Append: "metrics",
		Config: "vms:\n- name: linux\n  memory: 256M\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: " + guestCmdline + "\n",
		Files:  map[string]qemutests.Source{"vmlinuz": {Build: kernelFile}, "initramfs": {Build: initrdFile}},
		Script: qemutests.Expect(initLine.String(), metricsPattern(`"event":"end"`)),
		Exit:   qemutests.Killed,
	}
}

// bareRun boots a kernel without Ringo until it has printed the counter. The
// kernel's name is the file's in the build folder.
func (l *lab) bareRun(name, kernel, options string, line *regexp.Regexp) qemutests.Stanza {
	return qemutests.Stanza{
		Name: name, About: "ticks without Ringo", Memory: "256M", Timeout: 3 * time.Minute,
		Kernel: kernel, Initrd: initrdFile, Append: guestCmdline + options, Args: l.bareArgs,
		Script: qemutests.Expect(line.String()),
		Exit:   qemutests.Killed,
	}
}
