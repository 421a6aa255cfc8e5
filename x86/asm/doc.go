// Package asm is a small x86 assembler as a Go library. Ringo builds without
// an assembler program, so the code that Go's own assembler cannot make (real
// mode, mode switches, tiny guests) is written as calls of this package:
//
//	a := asm.New(asm.Bits16, 0)
//	a.Mov(asm.AX, asm.Imm(5))
//	a.Label("again")
//	a.Dec(asm.AX)
//	a.Jcc(asm.NE, "again")
//	code, err := a.Bytes()
//
// Instruction methods take the operands in the manuals' order, destination
// first. Operands are registers (AL to R15, ES to GS, CR0, DR0, XMM0, YMM0),
// Imm, Addr (the address of a label as an immediate) and Mem. A label may be
// used before it is defined. Mistakes (an operand that an instruction does
// not take, a short jump that does not reach, a label that nobody defined) are
// collected, and Bytes returns all of them.
//
// It encodes what Ringo's trampolines and test guests use, not the whole
// instruction set; Raw is there for the rest. It imports only the standard
// library.
//
// Sources: AMD APM volume 3 "General-Purpose and System Instructions",
// chapter 1 "Instruction Encoding" and appendix A "Opcode and Operand
// Encodings"; Intel SDM volume 2A chapter 2 "Instruction Format", volume 3C
// chapter 31 "VMX Instruction Reference".
package asm
