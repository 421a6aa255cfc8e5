package qemutests

import "time"

// imageGuests are the groups of the test image that run guests, and those that
// end the machine on purpose.
func imageGuests() []Stanza {
	run := func(name, about, groups string, smp int, icount bool) Stanza {
		return Stanza{
			Name: name, About: about, SMP: smp, Icount: icount, Timeout: 4 * time.Minute,
			Image: "ringo-test", Append: "ringo seed={seed} test=" + groups,
			Script: Expect("verdict: PASS"), Forbid: []string{"^FAIL "}, Soak: true,
		}
	}
	list := []Stanza{
		run("conformance-1", "the conformance suite on svm, 1 CPU", "conformance", 1, false),
		run("conformance-2", "the conformance suite on svm, 2 CPUs", "conformance", 2, false),
		run("latency", "wake-up and stop-the-world beside guests that spin, by the emulator's clock", "latency,pauses", 1, true),
		run("shares", "shares and weights of guests, by the emulator's clock", "shares,weights", 1, true),
		run("idle", "200 VMs with 400 idle vCPUs", "idle", 4, true),
		run("hostile", "guests that misbehave at random", "hostile", 2, false),
		run("devices", "a device that panics ends its VM alone; CPUs interrupt each other beside guests that exit", "broken,pokes", 2, false),
		run("wander", "vCPUs change CPUs all the time", "wander", 2, false),
	}
	return append(list, failures()...)
}

// failures end the machine on purpose and check what it says.
func failures() []Stanza {
	end := func(name, about, options string, want ...string) Stanza {
		return Stanza{
			Name: name, About: about, SMP: 2, Timeout: time.Minute, Image: "ringo-test",
			Append: "ringo seed={seed} " + options, Script: Expect(want...), Exit: Killed, Failing: true,
		}
	}
	return []Stanza{
		end("panic-halt", "a Go panic prints its stack trace and halts", "panic=halt test=panic",
			"^panic: planted in a goroutine", `^goroutine \d+`, "^RINGO STOPPED: the program ended with exit code 2", "^halted"),
		end("panic-reboot", "a Go panic reboots where that is configured", "panic=reboot test=panic",
			"^panic: planted in a goroutine", "^RINGO STOPPED: ", "^rebooting"),
		end("fault-nucleus", "a fault inside the nucleus prints registers and stack", "panic=halt test=fault",
			`^RINGO STOPPED: exception 14 \(page fault\)`, "^in nucleus code, CPU", "^RAX ", "^stack:",
			`nucleus\.\(\*Guest\)\.Wake`, "nucleus.serveSyscall", "^halted"),
	}
}
