package qemutests

import (
	"fmt"
	"time"

	"ringo/qemu-tests/tiny"
)

// vmxGuests show VT-x, in Bochs: the conformance suite, the same guests as on
// AMD-V, and controls of the processor that were taken away.
func vmxGuests() []Stanza {
	list := append(vmxImage(), vmxLinux()...)
	return append(list, vmxTiny()...)
}

// vmxImage runs groups of the test image that need guests.
func vmxImage() []Stanza {
	run := func(name, about, groups string, smp int) Stanza {
		return Stanza{
			Name: "bochs-" + name, About: about, Emulator: Bochs, SMP: smp, Timeout: 5 * time.Minute,
			Image: "ringo-test", Append: "seed={seed} test=" + groups,
			Script: Expect("verdict: PASS"), Forbid: []string{"^FAIL "},
		}
	}
	return []Stanza{
		run("conformance-1", "the conformance suite on vmx, 1 CPU", "conformance", 1),
		run("conformance-2", "the conformance suite on vmx, 2 CPUs", "conformance", 2),
		run("hostile", "guests that misbehave at random, on VT-x", "hostile limit=100ms", 2),
		run("moves", "vCPUs change CPUs, a VMCLEAR and a VMPTRLD each time", "moves", 2),
	}
}

// vmxLinux boots Debian's cloud kernel.
func vmxLinux() []Stanza {
	var list []Stanza
	for _, n := range []struct{ vcpus, cpus int }{{1, 1}, {2, 1}, {2, 2}, {4, 2}} {
		list = append(list, Stanza{
			Name:     fmt.Sprintf("bochs-linux-%d-on-%d", n.vcpus, n.cpus),
			About:    fmt.Sprintf("Debian's cloud kernel in a VM with %d vCPUs on %d CPUs, VT-x", n.vcpus, n.cpus),
			Emulator: Bochs, SMP: n.cpus, Memory: "1G", Timeout: 6 * time.Minute,
			Config: fmt.Sprintf("vms:\n- name: linux\n  memory: 256M\n  vcpus: %d\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: console=ttyS0 quiet panic=-1\n", n.vcpus),
			Files: map[string]Source{
				"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
				"initramfs": {Build: "cache/initramfs-test.cpio"},
			},
			Script: Expect(fmt.Sprintf(`RINGO-GUEST-UP cpus=%d mem=\d+kB clocksource=\w`, n.vcpus), "RINGO-GUEST-DONE failed=0"),
			Exit:   Killed,
		})
	}
	return list
}

// vmxTiny runs the small programs of tinyGuests.
func vmxTiny() []Stanza {
	list := tinyGuests()
	for i := range list {
		s := &list[i]
		s.Name, s.About = "bochs-"+s.Name, s.About+", on VT-x"
		s.Emulator, s.SMP, s.Timeout = Bochs, min(s.SMP, 2), 2*time.Minute
	}
	return list
}

var _ = tiny.Hello
