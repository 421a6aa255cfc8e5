#include "textflag.h"

TEXT ·vex(SB), NOSPLIT, $0-0
	VZEROUPPER
	RET

TEXT ·evex(SB), NOSPLIT, $0-0
	VPXORQ Z1, Z1, Z1
	RET

TEXT ·x87(SB), NOSPLIT, $0-0
	FLD1
	RET

TEXT ·xsave(SB), NOSPLIT, $64-0
	XSAVE64 (SP)
	RET

// pushed takes 40 bytes where it calls.
TEXT ·pushed(SB), NOSPLIT|NOFRAME, $0-0
	PUSHQ AX
	PUSHQ CX
	LEAQ -16(SP), SP
	CALL ·leaf(SB)
	ADDQ $16, SP
	POPQ CX
	POPQ AX
	RET

TEXT ·leaf(SB), NOSPLIT|NOFRAME, $0-0
	RET

TEXT ·unfollowable(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ SP, BX
	SUBQ AX, SP
	MOVQ BX, SP
	RET

// switched pushes 8 bytes here, and 16 and a return address on another stack.
TEXT ·switched(SB), NOSPLIT|NOFRAME, $0-0
	PUSHQ BX
	MOVQ SP, BX
	LEAQ ·block(SB), SP
	ADDQ $4096, SP
	SUBQ $16, SP
	MOVQ BX, 0(SP)
	CALL ·leaf(SB)
	MOVQ 0(SP), SP
	POPQ BX
	RET
