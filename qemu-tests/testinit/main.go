package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// options is what the kernel's command line asks for.
type options struct {
	checks []string
	end    string
}

func main() {
	mountAll()
	cmdline, _ := os.ReadFile("/proc/cmdline")
	o := parse(string(cmdline))
	fmt.Println(report())
	failed := 0
	for _, name := range o.checks {
		if err := runCheck(name); err != nil {
			failed++
			fmt.Printf("RINGO-CHECK %s FAIL %v\n", name, err)
			continue
		}
		fmt.Printf("RINGO-CHECK %s PASS\n", name)
	}
	fmt.Printf("RINGO-GUEST-DONE failed=%d\n", failed)
	finish(o.end)
}

// parse reads the words of the command line that are for this program.
func parse(cmdline string) options {
	o := options{end: "poweroff"}
	for _, word := range strings.Fields(cmdline) {
		if list, ok := strings.CutPrefix(word, "ringo.test="); ok {
			o.checks = strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
		}
		if end, ok := strings.CutPrefix(word, "ringo.end="); ok {
			o.end = end
		}
	}
	return o
}

// mountAll mounts what the checks read. A failure shows in the report.
func mountAll() {
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}} {
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && err != syscall.EBUSY {
			fmt.Printf("RINGO-GUEST-WARNING mount %s: %v\n", m.at, err)
		}
	}
}

// report describes the machine.
func report() string {
	meminfo, _ := os.ReadFile("/proc/meminfo")
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	source, _ := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	return fmt.Sprintf("RINGO-GUEST-UP cpus=%d mem=%s clocksource=%s",
		strings.Count(string(cpuinfo), "processor\t:"), memTotal(string(meminfo)), strings.TrimSpace(string(source)))
}

// memTotal finds the size of memory in the text of /proc/meminfo: "1024kB".
func memTotal(meminfo string) string {
	for line := range strings.Lines(meminfo) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			return strings.Join(strings.Fields(rest), "")
		}
	}
	return "unknown"
}

// finish ends the guest. The serial line is drained first: what the kernel
// still holds is lost at power-off.
func finish(end string) {
	drain()
	command := map[string]int{
		"poweroff": syscall.LINUX_REBOOT_CMD_POWER_OFF,
		"reboot":   syscall.LINUX_REBOOT_CMD_RESTART,
		"halt":     syscall.LINUX_REBOOT_CMD_HALT,
	}
	switch c, ok := command[end]; {
	case ok:
		err := syscall.Reboot(c)
		fmt.Printf("RINGO-GUEST-WARNING %s: %v\n", end, err)
	case end == "panic":
		_ = os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0o200)
	case end != "stay":
		fmt.Printf("RINGO-GUEST-WARNING unknown ringo.end=%s\n", end)
	}
	for {
		time.Sleep(time.Hour)
	}
}

// drain waits until the console has sent everything: TCSBRK with a non-zero
// argument is tcdrain(3).
func drain() {
	const tcsbrk = 0x5409
	_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, 1, tcsbrk, 1)
}
