#include "textflag.h"

#define IMAGE_XMM(n) (160+16*n)(DI)

#define IMAGE_TO_XMM \
	MOVUPS IMAGE_XMM(0), X0;   MOVUPS IMAGE_XMM(1), X1; \
	MOVUPS IMAGE_XMM(2), X2;   MOVUPS IMAGE_XMM(3), X3; \
	MOVUPS IMAGE_XMM(4), X4;   MOVUPS IMAGE_XMM(5), X5; \
	MOVUPS IMAGE_XMM(6), X6;   MOVUPS IMAGE_XMM(7), X7; \
	MOVUPS IMAGE_XMM(8), X8;   MOVUPS IMAGE_XMM(9), X9; \
	MOVUPS IMAGE_XMM(10), X10; MOVUPS IMAGE_XMM(11), X11; \
	MOVUPS IMAGE_XMM(12), X12; MOVUPS IMAGE_XMM(13), X13; \
	MOVUPS IMAGE_XMM(14), X14; MOVUPS IMAGE_XMM(15), X15

// func xsave(image *byte, mask uint64)
//
// Completes an image whose XMM registers the exit stub has stored already: all
// components of mask but SSE are saved, MXCSR is stored by itself (with SSE
// left out, QEMU does not), and SSE is marked as present in XSTATE_BV.
TEXT ·xsave(SB), NOSPLIT, $0-16
	MOVQ image+0(FP), DI
	STMXCSR 24(DI)
	MOVQ mask+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	ANDL $~2, AX
	XSAVE64 (DI)
	ORQ  $2, 512(DI)
	RET

// func leaveVectors(image *byte, mask, hostXCR0 uint64, clean *byte) (xcr0 uint64)
//
// xsave for the end of a turn: it gives the XCR0 that the guest left, loads the
// host's, saves mask, and loads the clean image.
TEXT ·leaveVectors(SB), NOSPLIT, $0-40
	MOVQ image+0(FP), DI
	STMXCSR 24(DI)
	XORL CX, CX
	XGETBV
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, xcr0+32(FP)
	MOVQ hostXCR0+16(FP), R8
	CMPQ AX, R8
	JEQ  same
	MOVQ R8, AX
	MOVQ R8, DX
	SHRQ $32, DX
	BYTE $0x0F; BYTE $0x01; BYTE $0xD1 // XSETBV
same:
	MOVQ mask+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	ANDL $~2, AX
	XSAVE64 (DI)
	ORQ  $2, 512(DI)
	ORL  $2, AX
	MOVQ clean+24(FP), DI
	XRSTOR64 (DI)
	RET

// func enterVectors(image *byte, mask, xcr0, hostXCR0 uint64)
//
// xrstor for the beginning of a turn; it loads the guest's XCR0 afterwards.
TEXT ·enterVectors(SB), NOSPLIT, $0-32
	MOVQ image+0(FP), DI
	MOVQ mask+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	XRSTOR64 (DI)
	MOVQ xcr0+16(FP), AX
	CMPQ AX, hostXCR0+24(FP)
	JEQ  same
	MOVQ AX, DX
	SHRQ $32, DX
	XORL CX, CX
	BYTE $0x0F; BYTE $0x01; BYTE $0xD1 // XSETBV
same:
	RET

// func xrstor(image *byte, mask uint64)
TEXT ·xrstor(SB), NOSPLIT, $0-16
	MOVQ image+0(FP), DI
	MOVQ mask+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	XRSTOR64 (DI)
	RET

// func fxsave(image *byte)
//
// As xsave, for a processor without XSAVE.
TEXT ·fxsave(SB), NOSPLIT, $0-8
	MOVQ image+0(FP), DI
	IMAGE_TO_XMM
	FXSAVE64 (DI)
	RET

// func fxrstor(image *byte)
TEXT ·fxrstor(SB), NOSPLIT, $0-8
	MOVQ image+0(FP), DI
	FXRSTOR64 (DI)
	RET

// func forgetFPUPointers()
//
// Overwrites the x87 instruction and data pointers: FNCLEX; EMMS; FILD m32.
// Processors without XSaveErPtr restore them only with a pending exception, so
// that another guest's would stay visible.
TEXT ·forgetFPUPointers(SB), NOSPLIT, $8-0
	MOVQ $0, 0(SP)
	BYTE $0xDB; BYTE $0xE2
	BYTE $0x0F; BYTE $0x77
	BYTE $0xDB; BYTE $0x04; BYTE $0x24
	RET

// MOV RAX, DRn and MOV DRn, RAX; the assembler does not know all of them. The
// last byte is ModRM with n in its reg field.
#define FROM_DR(modrm) BYTE $0x0F; BYTE $0x21; BYTE $modrm
#define TO_DR(modrm) BYTE $0x0F; BYTE $0x23; BYTE $modrm

// func readDR(dr *[4]uint64)
TEXT ·readDR(SB), NOSPLIT, $0-8
	MOVQ dr+0(FP), DI
	FROM_DR(0xC0)
	MOVQ AX, 0(DI)
	FROM_DR(0xC8)
	MOVQ AX, 8(DI)
	FROM_DR(0xD0)
	MOVQ AX, 16(DI)
	FROM_DR(0xD8)
	MOVQ AX, 24(DI)
	RET

// func writeDR(dr *[4]uint64)
TEXT ·writeDR(SB), NOSPLIT, $0-8
	MOVQ dr+0(FP), DI
	MOVQ 0(DI), AX
	TO_DR(0xC0)
	MOVQ 8(DI), AX
	TO_DR(0xC8)
	MOVQ 16(DI), AX
	TO_DR(0xD0)
	MOVQ 24(DI), AX
	TO_DR(0xD8)
	RET
