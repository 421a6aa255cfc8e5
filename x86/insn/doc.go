// Package insn decodes x86 instructions and emulates those that a hypervisor
// has to finish for its guest: accesses to device memory, string port I/O and
// a few privileged moves.
//
// Decoding has two halves. The scanner finds the layout of an instruction
// (prefixes, opcode, ModRM, displacement, immediate) from opcode maps in the
// manuals' form and thus its length, for every instruction. What the
// instruction means comes from x86asm, which is handed the same instruction
// with its prefixes in canonical form; a table adds what x86asm does not know.
//
// Emulation works on an x86.State and reaches memory, ports and control
// registers through Machine. It does the segment checks, the walk of the
// guest's page tables and the flags as the processor does, and gives faults
// back as values. Guest input can make it fail, never panic or run on.
//
// Imports allowed: x86, golang.org/x/arch/x86/x86asm.
//
// Sources: Intel SDM volume 2A chapter 2 "Instruction Format", volume 2D
// appendix A "Opcode Map", volume 3A chapters 3 "Protected-Mode Memory
// Management", 4 "Paging" and 6 "Interrupt and Exception Handling"; AMD APM
// volume 3 chapter 1 "Instruction Encoding" and appendix A "Opcode and Operand
// Encodings".
package insn
