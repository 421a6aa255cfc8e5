package nucleus

import (
	"fmt"
	"syscall"
	"unsafe" // also for go:linkname
)

// Enter lets the guest run until its run function returns VerdictExit. The
// calling goroutine is locked to its thread.
//
// The first call is hopeful: it keeps the P, and comes back after twice
// quickMicros at the latest. A guest that needs no Go in that time, or halts, gets the
// patient form, which gives the P to other goroutines at once; leaving that to
// sysmon would keep them waiting for 20 us to 10 ms.
func (g *Guest) Enter() error {
	if rawEnter(callGuestQuick, uintptr(unsafe.Pointer(g))) == 0 {
		return nil
	}
	if e := patientEnter(uintptr(unsafe.Pointer(g))); e != 0 {
		return fmt.Errorf("enter guest: %w", syscall.Errno(-e))
	}
	return nil
}

// rawEnter makes a system call without telling the Go scheduler.
//
//go:noescape
func rawEnter(call uint64, guest uintptr) uint64

// patientEnter makes the system call as the runtime makes those that block.
//
//go:nosplit
func patientEnter(g uintptr) int64 {
	entersyscallblock()
	r := rawEnter(callGuestEnter, g)
	exitsyscall()
	return int64(r)
}

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
