#include "textflag.h"
#include "go_asm.h"
#include "svm.h"

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

// func enter(c *vcpuMem)
//
// Enters the guest and returns at the next #VMEXIT (APM volume 2, section 15.5
// "VMRUN Instruction"). RAX, RSP, RIP and RFLAGS of the guest are in its VMCB,
// the other general registers in the Area and XMM in the XSAVE image.
//
// GIF is clear from CLGI to STGI, so no interrupt or NMI of the host comes
// while guest FS, GS, TR or syscall registers are loaded. IF is set at VMRUN
// because under V_INTR_MASKING it is the host's IF that lets physical
// interrupts end the guest, and clear again before STGI.
//
// The caller is ABIInternal code: the wrapper that the linker puts before this
// ABI0 function zeroes X15 and reloads R14 from -8(FS) after the return, which
// the VMLOAD of the host's VMCB has made right again. DF is clear: VMRUN saves
// and restores the host's RFLAGS.
//
// Stack: 0(SP) is c, 8(SP) holds the guest's RDX on the way out and a data
// selector for VERW on the way in. BP is saved by the assembler's prologue.
// Slots 1 and 2 are mitigation.go's: 1 may change no register, 2 may change
// RAX, RCX and RDX and runs before any RET.
TEXT ·enter(SB), NOSPLIT, $24-8
	MOVQ c+0(FP), CX
	MOVQ CX, 0(SP)
	RDTSC
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_entered(CX)
	MOVQ CX, DX
	BYTE $0x8C; BYTE $0xD1 // MOV ECX, SS
	MOVQ CX, 8(SP)
	MOVQ vcpuHead_vmcbPA(DX), AX
	CLGI
	STI
	VMLOAD
	LOAD_XMM
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
	MOVQ GPR(2)(DX), DX
	SLOT(1)
	VMRUN
	MOVQ DX, 8(SP)
	MOVQ 0(SP), DX
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
	MOVQ 8(SP), CX
	MOVQ CX, GPR(2)(DX)
	SAVE_XMM
	VMSAVE
	MOVQ vcpuHead_hostPA(DX), AX
	VMLOAD
	SLOT(2)
	CLI
	STGI
	MOVQ 0(SP), CX
	RDTSC
	SHLQ $32, DX
	ORQ  AX, DX
	MOVQ DX, vcpuHead_left(CX)
	RET

// enterEnd marks the end of enter for the search of mitigation slots. Never called.
TEXT ·enterEnd(SB), NOSPLIT|NOFRAME, $0-0
	RET

// func entryText() (start, end uintptr)
//
// Where the code of enter lies; a func value would be the wrapper's address.
TEXT ·entryText(SB), NOSPLIT, $0-16
	LEAQ ·enter(SB), AX
	MOVQ AX, start+0(FP)
	LEAQ ·enterEnd(SB), AX
	MOVQ AX, end+8(FP)
	RET

// func vmsaveHost(pa uint64)
//
// Stores the calling CPU's FS, GS, TR, LDTR and syscall registers in the VMCB
// at pa (APM volume 2, section 15.5.2 "VMSAVE and VMLOAD Instructions").
TEXT ·vmsaveHost(SB), NOSPLIT, $0-8
	MOVQ pa+0(FP), AX
	VMSAVE
	RET
