#include "go_asm.h"
#include "textflag.h"
#include "entry.h"

// func thisCPU() *CPU
TEXT ·thisCPU(SB), NOSPLIT, $0-8
	MOVQ CPU_self(GS), AX
	MOVQ AX, ret+0(FP)
	RET

// entry is where the boot trampoline jumps: 64-bit mode, interrupts off,
// identity map of the low 4 GiB and the image at its linked address, DI = the
// hand-off record.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	CLI
	CLD
	MOVQ DI, R12
	LEAQ ·bootStack(SB), SP
	ADDQ $const_bootStackSize, SP
	// GS.base = the first CPU's record, FS.base = its TLS slot.
	LEAQ ·cpus(SB), BX
	MOVQ BX, CPU_self(BX)
	MOVQ $1, CPU_inside(BX)
	MOVQ BX, AX
	MOVQ BX, DX
	SHRQ $32, DX
	MOVL $IA32_GS_BASE, CX
	WRMSR
	LEAQ CPU_gStack(BX), R14
	LEAQ ·bootStack(SB), AX
	MOVQ AX, fakeG_lo(R14)
	MOVQ SP, fakeG_hi(R14)
	ADDQ $928, AX
	MOVQ AX, fakeG_guard0(R14)
	MOVQ AX, fakeG_guard1(R14)
	MOVQ R14, (CPU_tls+tlsSlot_g)(BX)
	LEAQ (CPU_tls+tlsSlot_base)(BX), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $IA32_FS_BASE, CX
	WRMSR
	XORPS X15, X15
	XORL BP, BP
	SUBQ $16, SP
	MOVQ R12, 0(SP)
	CALL ·bootMain(SB)
	JMP  ·haltForever(SB)

// apEntry is where the AP trampoline jumps: 64-bit mode, interrupts off, this
// program's page tables, DI = the CPU's record, SP = its nucleus stack.
TEXT ·apEntry(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	CLD
	MOVQ DI, BX
	MOVQ BX, AX
	MOVQ BX, DX
	SHRQ $32, DX
	MOVL $IA32_GS_BASE, CX
	WRMSR
	MOVQ CPU_stack(BX), SP
	MOVQ CPU_fsBase(BX), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $IA32_FS_BASE, CX
	WRMSR
	MOVQ CPU_fakeG(BX), R14
	XORPS X15, X15
	XORL BP, BP
	SUBQ $16, SP
	CALL ·apMain(SB)
	JMP  ·haltForever(SB)

// syscallEntry is LSTAR. SYSCALL left the caller's stack in place, RIP in RCX
// and RFLAGS in R11, interrupts off by SFMASK.
TEXT ·syscallEntry(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	MOVQ $1, CPU_inside(GS)
	MOVQ SP, CPU_scratch(GS)
	MOVQ CPU_current(GS), SP
	MOVQ AX, T_RAX(SP)
	MOVQ CX, T_RIP(SP)
	MOVQ R11, T_RFLAGS(SP)
	SAVE_COMMON(SP)
	MOVQ CPU_scratch(GS), CX
	MOVQ CX, T_RSP(SP)
	MOVL $0, Thread_frame(SP) // frameSyscall
	MOVQ SP, AX
	MOVQ CPU_stack(GS), SP
	ENTER_GO(SP)
	CMPQ T_RAX(AX), $const_callGuestQuick
	JEQ  quick
	CALLFN(·syscallFn)
	JMP  resumeAX<>(SB)

quick:
	CALLFN(·quickFn)
	JMP  resumeAX<>(SB)

// resumeAX continues the thread in AX.
TEXT resumeAX<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	MOVQ AX, CPU_current(GS)
	MOVQ Thread_fsBase(AX), CX
	WRFSBASEQ CX
	CMPL Thread_frame(AX), $0
	JNE  trapframe
	MOVQ T_RIP(AX), CX
	MOVQ T_RBX(AX), BX
	MOVQ T_RDX(AX), DX
	MOVQ T_RBP(AX), BP
	MOVQ T_RSI(AX), SI
	MOVQ T_RDI(AX), DI
	MOVQ T_R8(AX), R8
	MOVQ T_R9(AX), R9
	MOVQ T_R10(AX), R10
	MOVQ T_R12(AX), R12
	MOVQ T_R13(AX), R13
	MOVQ T_R14(AX), R14
	MOVQ T_R15(AX), R15
	MOVQ $0, CPU_inside(GS)
	MOVQ T_RSP(AX), SP
	MOVQ T_RAX(AX), AX
	STI
	JMP  CX

trapframe:
	MOVQ AX, R12
	MOVQ Thread_xsave(AX), DI
	MOVL $-1, AX
	MOVL $-1, DX
	CMPB ·haveXSAVE(SB), $0
	JEQ  fxrstor
	XRSTOR64 (DI)
	JMP  vectors
fxrstor:
	FXRSTOR64 (DI)
vectors:
	MOVQ CPU_stack(GS), SP
	PUSHQ $0x10
	PUSHQ T_RSP(R12)
	PUSHQ T_RFLAGS(R12)
	PUSHQ $0x08
	PUSHQ T_RIP(R12)
	MOVQ T_RAX(R12), AX
	MOVQ T_RBX(R12), BX
	MOVQ T_RCX(R12), CX
	MOVQ T_RDX(R12), DX
	MOVQ T_RBP(R12), BP
	MOVQ T_RSI(R12), SI
	MOVQ T_RDI(R12), DI
	MOVQ T_R8(R12), R8
	MOVQ T_R9(R12), R9
	MOVQ T_R10(R12), R10
	MOVQ T_R11(R12), R11
	MOVQ T_R13(R12), R13
	MOVQ T_R14(R12), R14
	MOVQ T_R15(R12), R15
	MOVQ T_R12(R12), R12
	MOVQ $0, CPU_inside(GS)
	IRETQ

// func resume(t *Thread)
TEXT ·resume(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), AX
	JMP  resumeAX<>(SB)

// irqCommon serves external interrupts, vectors 32 and up. The stack holds
// the vector, 0, and the processor's frame.
TEXT irqCommon<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	CMPQ CPU_window(GS), $0
	JNE  window
	SAVE_THREAD
	CALLFN(·interruptFn)
	JMP  resumeAX<>(SB)

window:
	// Nucleus code let interrupts in: note the vector, and go back with
	// interrupts off, so that it is handled in the nucleus's own time.
	PUSHQ AX
	MOVQ 8(SP), AX
	BTSQ AX, CPU_pending(GS)
	POPQ AX
	ADDQ $16, SP
	ANDQ $~0x200, 16(SP)
	IRETQ

// trapCommon serves exceptions. In a thread they become signals; inside the
// nucleus they are fatal.
TEXT trapCommon<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	CMPQ CPU_inside(GS), $0
	JNE  fatal
	SAVE_THREAD
	CALLFN(·trapFn)
	JMP  resumeAX<>(SB)

fatal:
	JMP  fatalTrap<>(SB)

// pfCommon serves page faults, which may nest once inside nucleus code. What
// demand paging does not resolve goes on to trapCommon.
TEXT pfCommon<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	NEST_SAVE
	MOVQ CPU_pfFS(GS), CX
	WRFSBASEQ CX
	MOVQ CPU_pfG(GS), R14
	MOVQ CR2, AX
	MOVQ (NEST+8)(SP), BX
	SUBQ $32, SP // spill space of the callee
	CALLFN(·pageFaultFn)
	ADDQ $32, SP
	TESTB AX, AX
	JEQ  unresolved
	NEST_RESTORE
	ADDQ $16, SP
	IRETQ

unresolved:
	NEST_RESTORE
	JMP  trapCommon<>(SB)

// nmiCommon serves NMI and machine check on their own stacks; the handler
// returns if the machine can go on.
TEXT nmiCommon<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	NEST_SAVE
	MOVQ CPU_trapFS(GS), CX
	WRFSBASEQ CX
	MOVQ CPU_trapG(GS), R14
	// The handler checks its stack against this stack's own bounds.
	LEAQ -8192(SP), CX
	MOVQ CX, fakeG_lo(R14)
	MOVQ CX, fakeG_guard0(R14)
	MOVQ SP, AX
	SUBQ $32, SP // spill space of the callee
	CALLFN(·nmiFn)
	ADDQ $32, SP
	NEST_RESTORE
	ADDQ $16, SP
	IRETQ

// fatalTrap reports an exception inside the nucleus, a double fault or an
// unrecoverable condition, and does not return.
TEXT fatalTrap<>(SB), NOSPLIT|NOFRAME, $0
	NOP  SP
	NEST_SAVE
	MOVQ CPU_trapFS(GS), CX
	WRFSBASEQ CX
	MOVQ CPU_trapG(GS), R14
	LEAQ -8192(SP), CX
	MOVQ CX, fakeG_lo(R14)
	MOVQ CX, fakeG_guard0(R14)
	MOVQ SP, AX
	SUBQ $32, SP // spill space of the callee
	CALLFN(·fatalFn)
	ADDQ $32, SP
	JMP  ·haltForever(SB)

// func haltForever()
TEXT ·haltForever(SB), NOSPLIT, $0
	CLI
	HLT
	JMP  -2(PC)

// func openWindow() lets pending interrupts in for two instructions.
TEXT ·openWindow(SB), NOSPLIT, $0
	MOVQ $1, CPU_window(GS)
	STI
	BYTE $0x90; BYTE $0x90 // NOP, which the assembler would leave out
	CLI
	MOVQ $0, CPU_window(GS)
	RET

// func haltWindow() waits for an interrupt.
TEXT ·haltWindow(SB), NOSPLIT, $0
	MOVQ $1, CPU_window(GS)
	STI
	HLT
	CLI
	MOVQ $0, CPU_window(GS)
	RET

// func pause()
TEXT ·pause(SB), NOSPLIT, $0
	PAUSE
	RET

// func lgdt(limit uint16, base uintptr) loads GDTR and the data segments. CS
// keeps selector 08H, which the trampolines use too; the next IRETQ reloads
// it.
TEXT ·lgdt(SB), NOSPLIT, $16-16
	MOVWLZX limit+0(FP), AX
	MOVQ base+8(FP), BX
	MOVW AX, 6(SP)
	MOVQ BX, 8(SP)
	LGDT 6(SP)
	MOVW $0x10, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS
	RET

// func lidt(limit uint16, base uintptr)
TEXT ·lidt(SB), NOSPLIT, $16-16
	MOVWLZX limit+0(FP), AX
	MOVQ base+8(FP), BX
	MOVW AX, 6(SP)
	MOVQ BX, 8(SP)
	LIDT 6(SP)
	RET

// func ltr(sel uint16)
TEXT ·ltr(SB), NOSPLIT, $0-2
	MOVWLZX sel+0(FP), AX
	LTR AX
	RET

TEXT ·vectorStubs(SB), NOSPLIT|NOFRAME, $0
	NOERR(0, trapCommon)
	NOERR(1, trapCommon)
	NOERR(2, nmiCommon)
	NOERR(3, trapCommon)
	NOERR(4, trapCommon)
	NOERR(5, trapCommon)
	NOERR(6, trapCommon)
	NOERR(7, trapCommon)
	ERR(8, fatalTrap)
	NOERR(9, trapCommon)
	ERR(10, trapCommon)
	ERR(11, trapCommon)
	ERR(12, trapCommon)
	ERR(13, trapCommon)
	ERR(14, pfCommon)
	NOERR(15, trapCommon)
	NOERR(16, trapCommon)
	ERR(17, trapCommon)
	NOERR(18, nmiCommon)
	NOERR(19, trapCommon)
	NOERR(20, trapCommon)
	ERR(21, trapCommon)
	NOERR(22, trapCommon)
	NOERR(23, trapCommon)
	NOERR(24, trapCommon)
	NOERR(25, trapCommon)
	NOERR(26, trapCommon)
	NOERR(27, trapCommon)
	NOERR(28, trapCommon)
	ERR(29, trapCommon)
	ERR(30, trapCommon)
	NOERR(31, trapCommon)
	IRQ16(32)
	IRQ16(48)
	IRQ16(64)
	IRQ16(80)
	IRQ16(96)
	IRQ16(112)
	IRQ16(128)
	IRQ16(144)
	IRQ16(160)
	IRQ16(176)
	IRQ16(192)
	IRQ16(208)
	IRQ16(224)
	IRQ16(240)
	RET
