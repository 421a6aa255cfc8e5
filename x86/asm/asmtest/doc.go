// Package asmtest checks assembled programs with an independent disassembler:
// each instruction must have the length that the assembler believes, and each
// jump must reach an instruction. It is for tests.
//
// Imports allowed: x86/asm, golang.org/x/arch/x86/x86asm, testify.
//
// Sources: as x86/asm.
package asmtest
