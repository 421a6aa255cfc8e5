package qemutests

import (
	"fmt"
	"slices"
	"time"

	"ringo/qemu-tests/tiny"
)

// vmxGuests show VT-x, in Bochs: the same suite and guests as on AMD-V, and
// processors from which a control was taken away.
func vmxGuests() []Stanza {
	list := append(vmxImage(), vmxLinux()...)
	list = append(list, vmxTiny()...)
	return append(list, vmxWithout()...)
}

// vmxImage runs the groups of the test image that have guests. Those that
// compare times with limits find in Bochs a clock that counts instructions, of
// which a second has fewer than in QEMU: the limits are harder to keep.
func vmxImage() []Stanza {
	run := func(name, about, options string, smp int) Stanza {
		return Stanza{
			Name: "bochs-" + name, About: about, Emulator: Bochs, SMP: smp, Timeout: 5 * time.Minute,
			Image: "ringo-test", Append: "seed={seed} " + options,
			Script: Expect("verdict: PASS"), Forbid: []string{"^FAIL "},
		}
	}
	return []Stanza{
		run("conformance-1", "the conformance suite on vmx, 1 CPU", "test=conformance", 1),
		run("conformance-2", "the conformance suite on vmx, 2 CPUs", "test=conformance", 2),
		run("conformance-bare", "the conformance suite on vmx, without what is optional", "test=conformance without="+optional, 1),
		run("latency", "wake-up and stop-the-world beside guests that spin, on VT-x", "test=latency,pauses", 1),
		run("shares", "shares and weights of guests, on VT-x", "test=shares,weights", 1),
		run("hostile", "guests that misbehave at random, on VT-x", "test=hostile limit=100ms", 2),
		run("wander", "vCPUs change CPUs all the time, with a VMCLEAR and a VMPTRLD", "test=wander", 2),
	}
}

// optional are the features that vmx uses where they are there, but for the
// preemption timer, without which Bochs' processor does not leave a guest that
// has its interrupts disabled (docs/vmx.md).
const optional = "vpid,rdtscp,invpcid,wbinvd-exiting,pause-loop-exiting,pml,tsc-scaling," +
	"virtualize-x2apic-mode,apic-register-virtualization,virtual-interrupt-delivery," +
	"2-mbyte-ept-pages,1-gbyte-ept-pages,ept-accessed-and-dirty-flags,single-context-invept"

// unsteady is why Linux with several vCPUs on 2 CPUs is left out: it ends in a
// minute in most runs, and in a few is not through after six.
func unsteady(cpus int) string {
	if cpus == 1 {
		return ""
	}
	return "open fault: this guest sometimes boots at a crawl on 2 CPUs (docs/testing.md)"
}

// vmxLinux boots Debian's cloud kernel, with as many and with more vCPUs than
// CPUs. The kernel's own tests of its ciphers, half of its way to init, are
// left out, and so are the guest's checks that take long in Bochs.
func vmxLinux() []Stanza {
	var list []Stanza
	for _, n := range []struct{ vcpus, cpus int }{{1, 1}, {2, 1}, {2, 2}, {4, 2}} {
		list = append(list, Stanza{
			Name:     fmt.Sprintf("bochs-linux-%d-on-%d", n.vcpus, n.cpus),
			About:    fmt.Sprintf("Debian's cloud kernel in a VM with %d vCPUs on %d CPUs, VT-x", n.vcpus, n.cpus),
			Emulator: Bochs, SMP: n.cpus, Memory: "1G", Timeout: 6 * time.Minute, Unsteady: unsteady(n.cpus),
			Config: fmt.Sprintf("vms:\n- name: linux\n  memory: 256M\n  vcpus: %d\n  kernel: vmlinuz\n  initrd: initramfs\n"+
				"  cmdline: console=ttyS0 quiet panic=-1 cryptomgr.notests ringo.test=timer,interrupts\n", n.vcpus),
			Files: map[string]Source{
				"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
				"initramfs": {Build: "cache/initramfs-test.cpio"},
			},
			Script: Expect(fmt.Sprintf(`RINGO-GUEST-UP cpus=%d mem=\d+kB clocksource=\w`, n.vcpus),
				"RINGO-CHECK timer PASS", "RINGO-CHECK interrupts PASS", "RINGO-GUEST-DONE failed=0"),
			Exit: Killed,
		})
	}
	return list
}

// vmxTiny runs the small programs of tinyGuests, but for those that disturb the
// emulator, which is done by QEMU's monitor.
func vmxTiny() []Stanza {
	list := slices.DeleteFunc(tinyGuests(), func(s Stanza) bool { return s.Disturbed })
	for i := range list {
		s := &list[i]
		s.Name, s.About = "bochs-"+s.Name, s.About+", on VT-x"
		s.Emulator, s.SMP, s.Timeout = Bochs, min(s.SMP, 2), 2*time.Minute
	}
	return list
}

// vmxWithout takes a control away that is needed, and names one that is none:
// the node says what is wrong, stays up, and serves its console.
func vmxWithout() []Stanza {
	without := func(name, about, word string, want ...string) Stanza {
		s := Stanza{
			Name: "bochs-without-" + name, About: about, Emulator: Bochs, SMP: 1, Timeout: 2 * time.Minute,
			Append: "attach=no without=" + word,
			Config: "vms:\n- name: tiny\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n",
			Files:  map[string]Source{"guest": {Bytes: tiny.Hello}},
			Script: Expect(want...), Exit: Killed,
		}
		s.Script = append(s.Script, Step{Expect: "ringo> ", Send: "stats\r"}, Step{Expect: "^up for .* memory for VMs"})
		return s
	}
	return []Stanza{
		without("ept", "without EPT no VM runs; the node says so and stays up", "ept",
			`VMs cannot run on this machine: VT-x: secondary processor-based VM-execution control "enable EPT" .*lacks a feature`),
		without("nonsense", "a feature that does not exist is refused with the list of those that do", "ept,warp-drive",
			`unknown VT-x feature "warp-drive"; there are .*unrestricted-guest`),
	}
}
