// Package reg gives Go the processor's privileged registers, port I/O and
// ordered MMIO. Every function is one or a few instructions of assembly and
// faults unless the program runs at CPL0.
//
// Imports nothing. Sources: Intel SDM volume 2 "Instruction Set Reference"
// and AMD APM volume 3 chapters 3 and 4, by instruction name.
package reg
