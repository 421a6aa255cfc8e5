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
	MOVUPS X0, XMM(0)(DX);   MOVUPS X1, XMM(1)(DX); \
	MOVUPS X2, XMM(2)(DX);   MOVUPS X3, XMM(3)(DX); \
	MOVUPS X4, XMM(4)(DX);   MOVUPS X5, XMM(5)(DX); \
	MOVUPS X6, XMM(6)(DX);   MOVUPS X7, XMM(7)(DX); \
	MOVUPS X8, XMM(8)(DX);   MOVUPS X9, XMM(9)(DX); \
	MOVUPS X10, XMM(10)(DX); MOVUPS X11, XMM(11)(DX); \
	MOVUPS X12, XMM(12)(DX); MOVUPS X13, XMM(13)(DX); \
	MOVUPS X14, XMM(14)(DX); MOVUPS X15, XMM(15)(DX)

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
// are in the Area and XMM in the XSAVE image.
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
	MOVQ BX, DX
	LOAD_XMM
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

// exited is where every VM exit continues, with the stack pointer of enter's
// frame and all general and vector registers of the guest. It reads what every
// exit needs.
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
	SAVE_XMM
	MOVQ DX, BX
	SLOT(2)
	MOVL $const_FieldExitReason, AX
	VMREAD_AX_CX
	MOVL CX, vcpuHead_exitReason(BX)
	MOVL $const_FieldGuestRIP, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_regs+8*const_regRIP(BX)
	MOVL $const_FieldGuestRFLAGS, AX
	VMREAD_AX_CX
	MOVQ CX, vcpuHead_regs+8*const_regRFLAGS(BX)
	MOVL $const_FieldExitInstructionLength, AX
	VMREAD_AX_CX
	MOVL CX, vcpuHead_exitLength(BX)
	RDTSC
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_left(BX)
	MOVQ $0, STATUS
	MOVQ SAVED_BP, BP
	ADDQ $FRAME, SP
	RET

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
