package qemutests

import (
	"fmt"
	"time"
)

// vmxGuests show VT-x, in Bochs: the same suite and guests as on AMD-V, and
// processors from which a control was taken away.
func vmxGuests() []Stanza {
	list := append(vmxImage(), vmxLinux()...)
	list = append(list, vmxTiny()...)
	return append(list, vmxWithout()...)
}

// vmxImage runs the groups of the test image that have guests. The ones that
// compare times with limits are left out: Bochs lets its processors run in
// turns, some thousand instructions each, which is what they would measure.
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
		run("conformance-bare", "the conformance suite on vmx, without what is optional",
			"test=conformance without=vpid,invpcid,rdtscp,pause-loop-exiting,wbinvd-exiting,2-mbyte-ept-pages,1-gbyte-ept-pages", 1),
		run("hostile", "guests that misbehave at random, on VT-x", "test=hostile limit=100ms", 2),
		run("wander", "vCPUs change CPUs all the time, with a VMCLEAR and a VMPTRLD", "test=wander", 2),
	}
}

// vmxLinux boots Debian's cloud kernel, with as many and with more vCPUs than
// CPUs. The kernel's own tests of its ciphers, half of its way to init, are
// left out, and so are most of the guest's checks: bochs-linux-2-on-2 has them.
func vmxLinux() []Stanza {
	var list []Stanza
	for _, n := range []struct{ vcpus, cpus int }{{1, 1}, {2, 1}, {2, 2}, {4, 2}} {
		list = append(list, Stanza{
			Name:     fmt.Sprintf("bochs-linux-%d-on-%d", n.vcpus, n.cpus),
			About:    fmt.Sprintf("Debian's cloud kernel in a VM with %d vCPUs on %d CPUs, VT-x", n.vcpus, n.cpus),
			Emulator: Bochs, SMP: n.cpus, Memory: "1G", Timeout: 6 * time.Minute,
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

// vmxWithout takes controls away that are needed: the node says which one it
// misses, comes up, and serves its console.
func vmxWithout() []Stanza {
	var list []Stanza
	for _, c := range []struct{ word, want string }{
		{"ept", `secondary processor-based VM-execution control "enable EPT"`},
		{"unknown-thing", `unknown VT-x feature "unknown-thing"; there are `},
	} {
		list = append(list, Stanza{
			Name: "bochs-without-" + c.word, About: "the node without " + c.word + " names what is wrong and stays up",
			Emulator: Bochs, SMP: 2, Timeout: 2 * time.Minute, Append: "without=" + c.word,
			Script: []Step{{Expect: c.want}, {Expect: "^ringo> ", Send: "version\n"}, {Expect: "(?i)ringo .*version"}},
			Exit:   Killed,
		})
	}
	return list
}
