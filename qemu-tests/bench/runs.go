package main

import (
	"time"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/tiny"
	"ringo/x86/asm"
)

// A port and a register of device models that a read or write does not
// disturb: the UART's line status, the I/O APIC's register select.
const (
	portUARTStatus = 0x3fd
	mmioIOAPIC     = 0xfec00000
)

// exitsRun boots the tiny benchmark in a VM.
func exitsRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-exits", About: "ticks per exit", Icount: true, Timeout: 5 * time.Minute,
		Config: "vms:\n- name: bench\n  memory: 16M\n  kernel: guest\n  boot-protocol: pvh\n  debug-exit: true\n",
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Bench(tiny.BenchOptions{
				Iterations: 2000, Port: portUARTStatus, MMIO: mmioIOAPIC, Hypercalls: true, TimerCount: 10000,
			})
		}}},
		Script: qemutests.Expect(`bench hlt-deadline-x2apic \d+`),
		Exit:   qemutests.Killed,
	}
}

// guestCmdline is the same in a VM and bare.
const guestCmdline = "console=ttyS0 quiet"

// bootRun boots the Debian kernel in a VM to the program that prints the time
// stamp counter, which starts at 0 with the VM.
func bootRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-boot", About: "ticks of a Linux boot in a VM", Icount: true, Timeout: 10 * time.Minute,
		Config: "vms:\n- name: linux\n  memory: 256M\n  kernel: vmlinuz\n  initrd: initramfs\n  cmdline: " + guestCmdline + "\n",
		Files: map[string]qemutests.Source{
			"vmlinuz":   {Build: "cache/vmlinuz-cloud"},
			"initramfs": {Build: "cache/initramfs-bench.cpio"},
		},
		Script: qemutests.Expect(`RINGO-INIT tsc=[0-9a-f]{16}`),
		Exit:   qemutests.Killed,
	}
}

// bareRun boots the same kernel without Ringo.
func bareRun() qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-bare", About: "ticks of a Linux boot without Ringo", Icount: true, Memory: "256M", Timeout: 10 * time.Minute,
		Kernel: "cache/vmlinuz-cloud", Initrd: "cache/initramfs-bench.cpio", Append: guestCmdline,
		Script: qemutests.Expect(`RINGO-INIT tsc=[0-9a-f]{16}`),
		Exit:   qemutests.Killed,
	}
}

// firmwareRun boots a kernel that only prints the time stamp counter: what
// the firmware takes before a bare kernel's entry. name is the kernel's file
// in the build folder.
func firmwareRun(name string) qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-firmware", About: "ticks of the firmware", Icount: true, Memory: "256M", Timeout: time.Minute,
		Kernel: name,
		Script: qemutests.Expect(`firmware \d+ ticks`),
		Exit:   qemutests.Killed,
	}
}

// firmwareKernel is the kernel of firmwareRun.
func firmwareKernel() []byte {
	return tiny.Long(func(g *tiny.Guest) {
		g.Rdtsc()
		g.Shl(asm.RDX, asm.Imm(32))
		g.Or(asm.RAX, asm.RDX)
		g.Print("firmware ")
		g.PrintDecimal()
		g.Print(" ticks\n")
	})
}
