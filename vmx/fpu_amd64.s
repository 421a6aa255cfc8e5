#include "textflag.h"
#include "vmx.h"

// func leaveVectors(image *byte, mask, xcr0, hostXCR0 uint64, clean *byte)
//
// Completes an image whose XMM registers the exit stub has stored already: it
// makes the host's XCR0 current, saves all components of mask but SSE, stores
// MXCSR by itself because SSE is left out, marks SSE as present in XSTATE_BV,
// and loads the clean image.
TEXT ·leaveVectors(SB), NOSPLIT, $0-40
	MOVQ image+0(FP), DI
	STMXCSR 24(DI)
	MOVQ hostXCR0+24(FP), AX
	CMPQ AX, xcr0+16(FP)
	JEQ  same
	MOVQ AX, DX
	SHRQ $32, DX
	XORL CX, CX
	XSETBV
same:
	MOVQ mask+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	ANDL $~2, AX
	XSAVE64 (DI)
	ORQ  $2, 512(DI)
	ORL  $2, AX
	MOVQ clean+32(FP), DI
	XRSTOR64 (DI)
	RET

// MOV RAX, DRn and MOV DRn, RAX; the assembler does not know all of them. The
// last byte is ModRM with n in its reg field.
#define FROM_DR(modrm) BYTE $0x0F; BYTE $0x21; BYTE $modrm
#define TO_DR(modrm) BYTE $0x0F; BYTE $0x23; BYTE $modrm

// func readDR(dr *[5]uint64)
//
// DR0 to DR3, then DR6.
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
	FROM_DR(0xF0)
	MOVQ AX, 32(DI)
	RET

// func writeDR(dr *[5]uint64)
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
	MOVQ 32(DI), AX
	TO_DR(0xF0)
	RET
