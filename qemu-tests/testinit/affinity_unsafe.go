package main

import (
	"fmt"
	"syscall"
	"unsafe"
)

// bind lets the calling thread run on one CPU only. The mask is a local array
// that outlives the call, and its size goes with it.
func bind(cpu int) error {
	var mask [16]uint64 // 1024 CPUs
	mask[cpu/64] = 1 << (cpu % 64)
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if errno != 0 {
		return fmt.Errorf("binding to CPU %d: %w", cpu, errno)
	}
	return nil
}
