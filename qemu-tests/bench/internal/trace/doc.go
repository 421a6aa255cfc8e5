// Package trace counts the expensive instructions that a hypervisor executes
// between two entries into a guest. QEMU's emulation (TCG) logs every
// instruction that it executes while its log is switched on through QEMU's
// monitor, Bochs' debugger prints each with the command "trace on"; the package
// reads both and counts by class.
//
// An emulator prices all instructions alike, a processor does not: a WRMSR or
// an XSAVE costs what a hundred plain instructions cost. Ticks alone would
// hide that.
//
// Imports allowed: the standard library.
//
// Sources: APM volume 3, appendix A "Opcode and Operand Encodings"; SDM volume
// 2D, appendix A "Opcode Map", for VMREAD, VMWRITE and INVEPT; QEMU's manual,
// "QEMU Machine Protocol" and the monitor commands "log" and "singlestep";
// Bochs' user manual, "Using the Bochs internal debugger".
package trace
