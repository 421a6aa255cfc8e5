package qemutests

import (
	"fmt"
	"strings"
	"time"

	"ringo/qemu-tests/tiny"
)

// Stanzas lists all tests on emulated machines.
func Stanzas() []Stanza {
	var all []Stanza
	all = append(all, baseline()...)
	all = append(all, nucleus()...)
	all = append(all, imageGuests()...)
	all = append(all, vmxGuests()...)
	all = append(all, moves()...)
	all = append(all, bundles()...)
	all = append(all, linuxGuests()...)
	all = append(all, discs()...)
	all = append(all, bochsNucleus()...)
	return append(all, tinyGuests()...)
}

// checks are what testinit verifies from inside a Linux guest.
const checks = "ringo.test=timer,clock,cpus,churn,memory,interrupts,input"

// guestScript is what a Linux guest with testinit shows, from its first line
// to its last.
func guestScript(cpus int) []Step {
	return []Step{
		{Expect: fmt.Sprintf(`RINGO-GUEST-UP cpus=%d mem=\d+kB clocksource=\w`, cpus)},
		{Expect: "RINGO-CHECK timer PASS"},
		{Expect: "RINGO-CHECK clock PASS"},
		{Expect: "RINGO-CHECK cpus PASS"},
		{Expect: "RINGO-CHECK churn PASS"},
		{Expect: "RINGO-CHECK memory PASS"},
		{Expect: "RINGO-CHECK interrupts PASS"},
		{Expect: `RINGO-INPUT\?`, Send: "seed {seed}\n"},
		{Expect: `RINGO-INPUT "seed {seed}"`},
		{Expect: "RINGO-GUEST-DONE failed=0"},
	}
}

// baseline boots the guests' kernels without Ringo: if one of these fails,
// the fault is not Ringo's.
func baseline() []Stanza {
	var list []Stanza
	for _, kernel := range []string{"cloud", "generic"} {
		list = append(list, Stanza{
			Name:   "bare-" + kernel,
			About:  "Debian's " + kernel + " kernel with the test guest, without Ringo",
			SMP:    2,
			Kernel: "cache/vmlinuz-" + kernel,
			Initrd: "cache/initramfs-test.cpio",
			Append: "console=ttyS0 quiet panic=-1 " + checks,
			Script: guestScript(2),
		})
	}
	return list
}

// nucleus runs the test image: the Go runtime at CPL0 under stress, on 1, 2
// and 4 CPUs.
func nucleus() []Stanza {
	var list []Stanza
	for _, cpus := range []int{1, 2, 4} {
		list = append(list, Stanza{
			Name:    fmt.Sprintf("nucleus-%d", cpus),
			About:   fmt.Sprintf("the runtime's stress tests at CPL0 on %d CPUs", cpus),
			SMP:     cpus,
			Timeout: 5 * time.Minute,
			Image:   "ringo-test",
			Append:  "ringo test=all seed={seed}",
			Script:  Expect("verdict: PASS"),
			Forbid:  []string{"^FAIL "},
			Soak:    true,
		})
	}
	return list
}

// bundles gives the node bundles that it must refuse with a clear message,
// and stay up.
func bundles() []Stanza {
	node := func(name, about string, s Stanza, want string) Stanza {
		s.Name, s.About, s.Exit = name, about, Killed
		s.Script = []Step{{Expect: want}}
		return s
	}
	return []Stanza{
		node("bundle-none", "no bundle", Stanza{}, `(?i)no bundle`),
		node("bundle-broken", "bytes that are no archive", Stanza{Broken: []byte("#!/bin/sh\nthis is no archive\n")}, "broken archive at byte 0"),
		node("bundle-unknown-key", "a key that does not exist", Stanza{Config: "node:\n  nmae: x\n"},
			`ringo\.yaml:2: node\.nmae: unknown key`),
		node("bundle-file-absent", "a file that is named but absent",
			Stanza{Config: "vms:\n- name: a\n  memory: 64M\n  kernel: vmlinuz\n"},
			`ringo\.yaml:4: vms\[0\]\.kernel: no such file`),
		node("bundle-too-much-memory", "more memory than the host has", Stanza{
			Config: "vms:\n- name: a\n  memory: 64G\n  kernel: hello\n",
			Files:  map[string]Source{"hello": {Bytes: tiny.Hello}},
		}, `ringo\.yaml:3: vms\[0\]\.memory: .*needs 65536 MiB`),
	}
}

// linuxGuests boot Debian's kernels to the test guest on 1, 2 and 4 vCPUs.
func linuxGuests() []Stanza {
	var list []Stanza
	for _, kernel := range []string{"cloud", "generic"} {
		for _, cpus := range []int{1, 2, 4} {
			list = append(list, Stanza{
				Name:    fmt.Sprintf("linux-%s-%d", kernel, cpus),
				About:   fmt.Sprintf("Debian's %s kernel in a VM with %d vCPUs", kernel, cpus),
				SMP:     cpus,
				Memory:  "2G",
				Timeout: 4 * time.Minute,
				Config: fmt.Sprintf("vms:\n- name: linux\n  memory: 256M\n  vcpus: %d\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: console=ttyS0 quiet panic=-1 %s\n",
					cpus, checks),
				Files: map[string]Source{
					"vmlinuz":   {Build: "cache/vmlinuz-" + kernel},
					"initramfs": {Build: "cache/initramfs-test.cpio"},
				},
				Script: guestScript(cpus),
				Exit:   Killed,
				Soak:   kernel == "cloud",
			})
		}
	}
	return list
}

// discs boots Ringo as a PC with a BIOS does: from a CD, by GRUB.
func discs() []Stanza {
	return []Stanza{{
		Name:    "cd-linux",
		About:   "GRUB loads the image and a bundle from a CD, and a Linux guest runs",
		SMP:     2,
		Memory:  "2G",
		CD:      true,
		Timeout: 4 * time.Minute,
		Append:  "panic=reboot metrics",
		Config: "vms:\n- name: linux\n  memory: 256M\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: console=ttyS0 quiet panic=-1 " +
			checks + "\n",
		Files: map[string]Source{
			"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
			"initramfs": {Build: "cache/initramfs-test.cpio"},
		},
		// The metrics show that the options arrived.
		Script: append([]Step{{Expect: "^ringo-metrics"}}, guestScript(1)...),
		Exit:   Killed,
	}}
}

// bochsNucleus runs the test image on an Intel processor, where x2APIC, the
// TSC-deadline timer, RDRAND and AVX-512's state are used.
//
// On two CPUs canary has a machine of its own. To stop a goroutine the runtime
// sends it a signal every 5 us until one comes where it can stop, and canary's
// loops have no such place. A signal costs about 2,400 instructions, which are
// as many ticks in Bochs: at 400 million ticks a second they take 6 us, and the
// loops stand still. With a clock four times as fast they go on; the other
// groups, which wait for the clock, would take four times as long.
func bochsNucleus() []Stanza {
	run := func(name, groups string, cpus, ips int) Stanza {
		return Stanza{
			Name:     "bochs-" + name,
			About:    fmt.Sprintf("the runtime's stress tests at CPL0 on an Intel model with %d CPUs: %s", cpus, groups),
			Emulator: Bochs,
			SMP:      cpus,
			IPS:      ips,
			Timeout:  5 * time.Minute,
			Image:    "ringo-test",
			Append:   "test=" + groups + " seed={seed}",
			Script:   Expect("verdict: PASS"),
			Forbid:   []string{"^FAIL "},
		}
	}
	return []Stanza{
		run("nucleus-1", "all", 1, 0),
		run("nucleus-2", "gc,preempt,syscalls,futex,timer,clone,faults,stack,random,clock", 2, 0),
		run("canary-2", "memory,canary", 2, 4*bochsIPS),
	}
}

// tinyGuests run small programs that test one thing each. What they print is
// in their package; the node reports how a VM ended.
func tinyGuests() []Stanza {
	guest := func(name, about string, cpus int, program func() []byte, want ...string) Stanza {
		return Stanza{
			Name: "tiny-" + name, About: about, SMP: min(cpus, 4), Timeout: time.Minute,
			Config: fmt.Sprintf("vms:\n- name: tiny\n  memory: 16M\n  vcpus: %d\n  kernel: guest\n  boot-protocol: pvh\n  debug-exit: true\n", cpus),
			Files:  map[string]Source{"guest": {Bytes: program}},
			Script: Expect(want...),
			Forbid: []string{"^FAIL "},
			Exit:   Killed,
		}
	}
	return []Stanza{
		guest("hello", "a PVH kernel prints a line", 1, tiny.Hello, "hello from a tiny guest"),
		guest("smp", "four vCPUs start and interrupt each other", 4, func() []byte { return tiny.SMP(4, 200) }, "processors: 4", `rounds: [2-9]\d\d`),
		guest("ticks", "timer interrupts arrive, computing and halted", 1, func() []byte { return tiny.TickCheck(50) }, "ticks while busy", "ticks while halted"),
		counted(guest("canary", "no register changes over exits and interrupts", 1, func() []byte {
			return tiny.Canary(tiny.CanaryOptions{Rounds: 200, Seed: 7, Port: 0x61})
		}, `canaries alive after \d+ interrupts`)),
		multiboot(guest("multiboot", "a Multiboot 1 kernel starts and is told the memory", 1, tiny.Multiboot, `multiboot: 1[45]\d{3} KiB above 1 MiB`)),
		disturbed(guest("closed", "interrupts come only where IF is set", 1, func() []byte { return tiny.Closed(1000) }, "interrupts only where IF was set")),
		failing(guest("triplefault", "a triple fault stops the VM with a report", 1, tiny.TripleFault, `(?i)triple fault`)),
	}
}

// multiboot lets the node find out by itself how the kernel boots.
func multiboot(s Stanza) Stanza {
	s.Config = strings.Replace(s.Config, "boot-protocol: pvh", "boot-protocol: auto", 1)
	return s
}

// counted lets the machine's clock count instructions. The timer of such a
// stanza is so fast that a slow machine would do nothing else than serve it.
func counted(s Stanza) Stanza {
	s.Icount = true
	return s
}

// disturbed marks a stanza in which QEMU's processors are disturbed.
func disturbed(s Stanza) Stanza {
	s.Disturbed = true
	return s
}

// failing marks a stanza whose machine fails on purpose.
func failing(s Stanza) Stanza {
	s.Failing = true
	return s
}
