// Command bench measures Ringo in an emulated machine where one instruction is
// one tick, so that the numbers repeat on any machine: ticks per exit of each
// kind, from a tiny guest, and ticks from a Linux kernel's entry to the first
// instruction of its init, in a VM and bare.
//
//	bench [--json]
//
// It is called in the folder of go.mod after "make image guests". The peer's
// column is Linux KVM with QEMU in the same emulated machine.
//
// Imports allowed: qemu-tests, qemu-tests/tiny, x86/asm.
package main
