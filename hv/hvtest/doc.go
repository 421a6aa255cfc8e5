// Package hvtest holds what proves a backend: a suite of conformance cases
// that every vcpu.Backend passes, and Fake, a backend that is a small
// interpreter of x86 machine code, so that hv runs real guests in tests on
// plain Linux.
//
// The suite needs no package testing: the image runs it on the machine's own
// backend. Each case runs a guest of a few instructions in a VM of its own and
// looks at the exits, registers and memory that the contract in hv/vcpu
// promises; none knows which backend it is given.
//
// Imports allowed: hv/vcpu and what is below it, memory/npt (the fake's
// stage-2 format), x86/insn, x86/asm.
//
// Sources: Intel SDM volume 3A chapter 6 "Interrupt and Exception Handling";
// AMD APM volume 2 chapter 8 "Exceptions and Interrupts".
package hvtest
