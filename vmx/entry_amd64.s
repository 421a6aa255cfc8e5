#include "textflag.h"
#include "go_asm.h"
#include "vmx.h"

// GPR is where Area keeps general register number n of the encoding.
#define GPR(n) (const_offsetGPR+8*n)
// XMM is where the XSAVE image keeps XMM register n (legacy region, byte 160).
#define XMM(n) (vcpuMem_xsave+160+16*n)

#define LOAD_XMM \
	MOVUPS XMM(0)(DX), X0;   MOVUPS XMM(1)(DX), X1; \
	MOVUPS XMM(2)(DX), X2;   MOVUPS XMM(3)(DX), X3; \
	MOVUPS XMM(4)(DX), X4;   MOVUPS XMM(5)(DX), X5; \
	MOVUPS XMM(6)(DX), X6;   MOVUPS XMM(7)(DX), X7; \
	MOVUPS XMM(8)(DX), X8;   MOVUPS XMM(9)(DX), X9; \
	MOVUPS XMM(10)(DX), X10; MOVUPS XMM(11)(DX), X11; \
	MOVUPS XMM(12)(DX), X12; MOVUPS XMM(13)(DX), X13; \
	MOVUPS XMM(14)(DX), X14; MOVUPS XMM(15)(DX), X15

#define SAVE_XMM \
	MOVUPS X0, XMM(0)(BX);   MOVUPS X1, XMM(1)(BX); \
	MOVUPS X2, XMM(2)(BX);   MOVUPS X3, XMM(3)(BX); \
	MOVUPS X4, XMM(4)(BX);   MOVUPS X5, XMM(5)(BX); \
	MOVUPS X6, XMM(6)(BX);   MOVUPS X7, XMM(7)(BX); \
	MOVUPS X8, XMM(8)(BX);   MOVUPS X9, XMM(9)(BX); \
	MOVUPS X10, XMM(10)(BX); MOVUPS X11, XMM(11)(BX); \
	MOVUPS X12, XMM(12)(BX); MOVUPS X13, XMM(13)(BX); \
	MOVUPS X14, XMM(14)(BX); MOVUPS X15, XMM(15)(BX)

// Stack of enter and exited. Slots 1 to 3 are mitigation_unsafe.go's.
#define FRAME    24
#define SCRATCH  0(SP)  // a data selector for VERW; then the guest's RDX
#define SELF     8(SP)  // c
#define SAVED_BP 16(SP)
#define STATUS   40(SP) // behind the return address and the argument

// func enter(c *vcpuMem) (status uint64)
//
// Enters the guest whose VMCS is current and returns at the next VM exit with
// status 0, or with the status of the VM-entry instruction that failed (SDM
// volume 3C, chapter 27 "VM Entries"). RSP and RFLAGS of the guest are in its
// VMCS, and RIP where it is not marked as changed; the other general registers
// are in the Area. The extended state and CR2 are loaded where they are not
// live; from a live one Go code has taken XMM only, which is in the image.
//
// A successful entry comes back at exited, on this function's stack frame.
//
// The caller is ABIInternal code: the wrapper that the linker puts before this
// ABI0 function zeroes X15 and reloads R14 from -8(FS) after the return, which
// the host state of the VMCS has made right again. A VM exit clears DF and IF.
TEXT ·enter(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ 8(SP), BX
	SUBQ $FRAME, SP
	MOVQ BP, SAVED_BP
	MOVQ BX, SELF
	BYTE $0x8C; BYTE $0xD1 // MOV ECX, SS
	MOVQ CX, SCRATCH
	RDTSC
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_entered(BX)
	MOVQ SP, CX
	CMPQ CX, vcpuHead_hostRSP(BX)
	JEQ  stack
	MOVQ CX, vcpuHead_hostRSP(BX)
	MOVL $const_FieldHostRSP, AX
	VMWRITE_AX_CX
stack:
	TESTB $const_partIP, vcpuHead_dirty(BX)
	JEQ  rip
	MOVQ vcpuHead_regs+8*const_regRIP(BX), CX
	MOVL $const_FieldGuestRIP, AX
	VMWRITE_AX_CX
rip:
	SLOT(3)
	CMPB vcpuHead_cr2Live(BX), $0
	JEQ  cr2
vectors:
	CMPB vcpuHead_loaded(BX), $0
	JEQ  extended
	MOVQ BX, DX
	LOAD_XMM
general:
	MOVQ GPR(0)(DX), AX
	MOVQ GPR(1)(DX), CX
	MOVQ GPR(3)(DX), BX
	MOVQ GPR(5)(DX), BP
	MOVQ GPR(6)(DX), SI
	MOVQ GPR(7)(DX), DI
	MOVQ GPR(8)(DX), R8
	MOVQ GPR(9)(DX), R9
	MOVQ GPR(10)(DX), R10
	MOVQ GPR(11)(DX), R11
	MOVQ GPR(12)(DX), R12
	MOVQ GPR(13)(DX), R13
	MOVQ GPR(14)(DX), R14
	MOVQ GPR(15)(DX), R15
	SLOT(1)
	CMPB vcpuHead_launched(DX), $0
	MOVQ GPR(2)(DX), DX
	JNE  resume
	VMLAUNCH
	JMP  failed
resume:
	VMRESUME
failed:
	FAILED
	MOVQ AX, STATUS
	MOVQ SAVED_BP, BP
	ADDQ $FRAME, SP
	RET
cr2:
	MOVB $1, vcpuHead_cr2Live(BX)
	MOVQ vcpuHead_cr2(BX), AX
	MOVQ AX, CR2
	JMP  vectors
extended:
	MOVB $1, vcpuHead_loaded(BX)
	LEAQ vcpuMem_xsave(BX), DI
	MOVL vcpuHead_saveMask(BX), AX
	MOVL vcpuHead_saveMask+4(BX), DX
	XRSTOR64 (DI)
	MOVQ vcpuHead_xcr0(BX), AX
	MOVQ BX, DX
	CMPQ AX, vcpuHead_hostXCR0(BX)
	JEQ  general
	MOVQ AX, DX
	SHRQ $32, DX
	XORL CX, CX
	XSETBV
	MOVQ BX, DX
	JMP  general

// exited is where every VM exit continues, with the stack pointer of enter's
// frame and all general and vector registers of the guest. It reads what every
// exit needs.
//
// A port access is the most frequent exit that goes to Go. All that it needs is
// read here, and the guest's extended state, CR2 and KERNEL_GS_BASE are taken
// out as unloadRegisters does, which saves a copy of XMM.
TEXT ·exited(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ DX, SCRATCH
	MOVQ SELF, DX
	MOVQ AX, GPR(0)(DX)
	MOVQ CX, GPR(1)(DX)
	MOVQ BX, GPR(3)(DX)
	MOVQ BP, GPR(5)(DX)
	MOVQ SI, GPR(6)(DX)
	MOVQ DI, GPR(7)(DX)
	MOVQ R8, GPR(8)(DX)
	MOVQ R9, GPR(9)(DX)
	MOVQ R10, GPR(10)(DX)
	MOVQ R11, GPR(11)(DX)
	MOVQ R12, GPR(12)(DX)
	MOVQ R13, GPR(13)(DX)
	MOVQ R14, GPR(14)(DX)
	MOVQ R15, GPR(15)(DX)
	MOVQ SCRATCH, CX
	MOVQ CX, GPR(2)(DX)
	MOVQ DX, BX
	SLOT(2)
	RDTSC
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_now(BX)
	MOVL $const_FieldExitReason, AX
	VMREAD_AX_CX
	MOVL CX, vcpuHead_exitReason(BX)
	CMPL CX, $const_ExitReasonIO
	JEQ  port
	SAVE_XMM
common:
	MOVL $const_FieldGuestRIP, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_regs+8*const_regRIP(BX)
	MOVL $const_FieldGuestRFLAGS, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_regs+8*const_regRFLAGS(BX)
	MOVL $const_FieldExitInstructionLength, AX
	VMREAD_AX_CX
	MOVL CX, vcpuHead_exitLength(BX)
	MOVQ $0, STATUS
	MOVQ SAVED_BP, BP
	ADDQ $FRAME, SP
	RET
port:
	MOVQ vcpuHead_hostXCR0(BX), AX
	CMPQ AX, vcpuHead_xcr0(BX)
	JEQ  same
	MOVQ AX, DX
	SHRQ $32, DX
	XORL CX, CX
	XSETBV
same:
	LEAQ vcpuMem_xsave(BX), DI
	MOVL vcpuHead_saveMask(BX), AX
	MOVL vcpuHead_saveMask+4(BX), DX
	XSAVE64 (DI)
	MOVQ ·hostImage(SB), DI
	XRSTOR64 (DI)
	MOVL $const_msrKernelGSBase, CX
	RDMSR
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_kernelGS(BX)
	MOVQ CR2, AX
	MOVQ AX, vcpuHead_cr2(BX)
	MOVW $0, vcpuHead_loaded(BX) // and cr2Live
	MOVL $const_FieldExitQualification, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_exit+exitInfo_qualification(BX)
	MOVL $const_FieldGuestRSP, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_regs+8*const_regRSP(BX)
	JMP  common

// exitedEnd marks the end of exited for the search of mitigation slots. Never called.
TEXT ·exitedEnd(SB), NOSPLIT|NOFRAME, $0-0
	RET

// func entryText() (start, exit, end uintptr)
//
// Where the code of enter and exited lies; a func value would be the wrapper's
// address.
TEXT ·entryText(SB), NOSPLIT, $0-24
	LEAQ ·enter(SB), AX
	MOVQ AX, start+0(FP)
	LEAQ ·exited(SB), AX
	MOVQ AX, exit+8(FP)
	LEAQ ·exitedEnd(SB), AX
	MOVQ AX, end+16(FP)
	RET
