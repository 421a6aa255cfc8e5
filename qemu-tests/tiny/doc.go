// Package tiny makes small guest programs for tests and benchmarks: each is a
// function that returns a PVH kernel, an ELF file that a hypervisor (Ringo, or
// QEMU with -kernel) enters in 32-bit mode. They speak on the serial port
// 0x3f8 and end by a byte written to the debug-exit port 0xf4: 0 is success.
//
// PVH wraps any 32-bit program; Long adds a runtime in 64-bit mode with an
// identity map of 4 GiB, interrupts, the local APIC and other processors; Real
// goes back to real mode. A mistake in a program is a bug of this package, so
// these functions panic with the assembler's errors and do not return them.
//
// Programs: Hello, ExitCode, TripleFault, Spin, TickCheck, Closed, SMP, Canary,
// Bench, Chaos, ChaosReal.
//
// It imports ringo/x86/asm and the standard library.
//
// Sources: Xen's "x86/HVM direct boot ABI" (PVH); Intel SDM volume 3A chapters
// 6 "Interrupt and Exception Handling", 10 "Multiple-Processor Management" and
// 12 "Advanced Programmable Interrupt Controller (APIC)"; AMD APM volume 2
// chapters 8 and 16 of the same subjects.
package tiny
