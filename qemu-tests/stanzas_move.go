package qemutests

import (
	"fmt"
	"time"
)

// moves carry guests from one vendor's processor to the other's: the first
// machine saves a guest under way, and the second one continues it.
func moves() []Stanza {
	var list []Stanza
	for _, way := range []struct {
		name     string
		from, to string // emulators
		vendor   string // that the guest is told: the one where it starts
	}{
		{"svm-vmx", QEMU, Bochs, "amd"},
		{"vmx-svm", Bochs, QEMU, "intel"},
	} {
		for _, guest := range []string{"tiny", "linux"} {
			list = append(list, move(way.name, guest, way.from, way.to, way.vendor))
		}
	}
	list[0].Unsteady = "open fault: the guest's clock looks slow at its first look on VT-x (docs/testing.md)"
	return list
}

func move(way, guest, from, to, vendor string) Stanza {
	options := func(group string) string {
		return fmt.Sprintf("seed={seed} test=%s guest=%s vendor=%s", group, guest, vendor)
	}
	limit := 2 * time.Minute
	if guest == "linux" {
		limit = 3 * time.Minute
	}
	first := Stanza{
		About: "a " + guest + " guest runs and is saved", Emulator: from, Timeout: limit,
		Image: "ringo-test", Append: options("save"),
		Script: Expect(`saved at ".* \d+`, "verdict: PASS"), Forbid: []string{"^FAIL "},
	}
	if guest == "linux" {
		first.Config = "vms:\n- name: linux\n  memory: 96M\n  kernel: vmlinuz\n  initrd: initramfs\n" +
			"  cmdline: console=ttyS0 quiet panic=-1 init_on_free=1 cryptomgr.notests ringo.test=move\n"
		first.Files = map[string]Source{
			"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
			"initramfs": {Build: "cache/initramfs-test.cpio"},
		}
	}
	return Stanza{
		Name: "move-" + way + "-" + guest, About: "a " + guest + " guest goes on on the other vendor's processor",
		Emulator: to, Timeout: limit, First: &first,
		Image: "ringo-test", Append: options("continue"),
		Script: Expect(`goes on after ".* \d+`, "the guest ended", "verdict: PASS"), Forbid: []string{"^FAIL "},
	}
}
