#include "textflag.h"

// int clock_gettime(clockid_t DI, struct timespec *SI), by the C convention.
// CLOCK_REALTIME is 0; every other clock is the time since boot.
TEXT ·vdsoClockGettime(SB), NOSPLIT|NOFRAME, $0-0
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	SUBQ ·tscBase(SB), AX
	MULQ ·tscMul(SB)
	SHRQ $32, DX, AX
	TESTL DI, DI
	JNE  monotonic
	ADDQ ·wallBase(SB), AX
monotonic:
	XORL DX, DX
	MOVL $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET

// func vdsoEntry() uintptr
TEXT ·vdsoEntry(SB), NOSPLIT, $0-8
	LEAQ ·vdsoClockGettime(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func runtimeEntry() uintptr
TEXT ·runtimeEntry(SB), NOSPLIT, $0-8
	LEAQ _rt0_amd64_linux(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func stubBase() uintptr
TEXT ·stubBase(SB), NOSPLIT, $0-8
	LEAQ ·vectorStubs(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func syscallAddr() uintptr
TEXT ·syscallAddr(SB), NOSPLIT, $0-8
	LEAQ ·syscallEntry(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func apEntryAddr() uintptr
TEXT ·apEntryAddr(SB), NOSPLIT, $0-8
	LEAQ ·apEntry(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func rawEnter(call uint64, guest uintptr) uint64
TEXT ·rawEnter(SB), NOSPLIT, $0-24
	MOVQ call+0(FP), AX
	MOVQ guest+8(FP), DI
	SYSCALL
	MOVQ AX, ret+16(FP)
	RET

// func symbolTable() uintptr
TEXT ·symbolTable(SB), NOSPLIT, $0-8
	LEAQ runtime·pclntab(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func textStart() uintptr
TEXT ·textStart(SB), NOSPLIT, $0-8
	LEAQ runtime·text(SB), AX
	MOVQ AX, ret+0(FP)
	RET
