package qemutests

import (
	"fmt"
	"time"
)

// vmxGuests show VT-x: the conformance suite, and Linux in a VM, in Bochs.
func vmxGuests() []Stanza {
	var list []Stanza
	for _, cpus := range []int{1, 2} {
		list = append(list, Stanza{
			Name:     fmt.Sprintf("bochs-conformance-%d", cpus),
			About:    fmt.Sprintf("the conformance suite on vmx, %d CPUs", cpus),
			Emulator: Bochs, SMP: cpus, Timeout: 5 * time.Minute,
			Image: "ringo-test", Append: "seed={seed} test=conformance",
			Script: Expect("verdict: PASS"), Forbid: []string{"^FAIL "},
		})
	}
	return append(list, Stanza{
		Name: "bochs-linux-1", About: "Debian's cloud kernel in a VM with 1 vCPU on VT-x",
		Emulator: Bochs, SMP: 1, Memory: "1G", Timeout: 6 * time.Minute,
		Config: "vms:\n- name: linux\n  memory: 256M\n  vcpus: 1\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: console=ttyS0 quiet panic=-1\n",
		Files: map[string]Source{
			"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
			"initramfs": {Build: "cache/initramfs-test.cpio"},
		},
		Script: Expect(`RINGO-GUEST-UP cpus=1 mem=\d+kB clocksource=\w`, "RINGO-GUEST-DONE failed=0"),
		Exit:   Killed,
	})
}
