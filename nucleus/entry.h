// Macros of the entry stubs (entry_amd64.s).

// Offsets into a Thread.
#define T_RAX (Thread_Regs+Registers_RAX)
#define T_RCX (Thread_Regs+Registers_RCX)
#define T_RDX (Thread_Regs+Registers_RDX)
#define T_RBX (Thread_Regs+Registers_RBX)
#define T_RSP (Thread_Regs+Registers_RSP)
#define T_RBP (Thread_Regs+Registers_RBP)
#define T_RSI (Thread_Regs+Registers_RSI)
#define T_RDI (Thread_Regs+Registers_RDI)
#define T_R8 (Thread_Regs+Registers_R8)
#define T_R9 (Thread_Regs+Registers_R9)
#define T_R10 (Thread_Regs+Registers_R10)
#define T_R11 (Thread_Regs+Registers_R11)
#define T_R12 (Thread_Regs+Registers_R12)
#define T_R13 (Thread_Regs+Registers_R13)
#define T_R14 (Thread_Regs+Registers_R14)
#define T_R15 (Thread_Regs+Registers_R15)
#define T_RIP (Thread_Regs+Registers_RIP)
#define T_RFLAGS (Thread_Regs+Registers_RFLAGS)

// Calls the Go function in a func variable; arguments are in AX, BX, CX.
#define CALLFN(fn) \
	MOVQ fn(SB), DX; \
	MOVQ (DX), R12; \
	CALL R12

#define IA32_FS_BASE 0xC0000100

#define IA32_GS_BASE 0xC0000101

// Stores every general register but RAX, RSP, RIP and RFLAGS into the Thread
// at base.
#define SAVE_COMMON(base) \
	MOVQ BX, T_RBX(base); \
	MOVQ CX, T_RCX(base); \
	MOVQ DX, T_RDX(base); \
	MOVQ BP, T_RBP(base); \
	MOVQ SI, T_RSI(base); \
	MOVQ DI, T_RDI(base); \
	MOVQ R8, T_R8(base); \
	MOVQ R9, T_R9(base); \
	MOVQ R10, T_R10(base); \
	MOVQ R11, T_R11(base); \
	MOVQ R12, T_R12(base); \
	MOVQ R13, T_R13(base); \
	MOVQ R14, T_R14(base); \
	MOVQ R15, T_R15(base)

// Makes the registers what Go code on the nucleus stack expects: the stack,
// the fake g in R14 and behind FS, X15 zero. Clobbers R14.
#define ENTER_GO(stackreg) \
	MOVQ CPU_fsBase(GS), R14; \
	WRFSBASEQ R14; \
	MOVQ CPU_fakeG(GS), R14; \
	XORPS X15, X15

// saveThread copies a thread that an interrupt or exception stopped into its
// record: general registers, the frame that the processor pushed, and all
// vector state. On return AX is the record, CX the vector, BX the error code,
// and the stack is the nucleus's. It is entered by a jump with the return
// address in no register: the two users are macros.
#define SAVE_THREAD \
	MOVQ AX, CPU_scratch(GS); \
	MOVQ CPU_current(GS), AX; \
	SAVE_COMMON(AX); \
	MOVQ CPU_scratch(GS), CX; \
	MOVQ CX, T_RAX(AX); \
	MOVQ 16(SP), CX; \
	MOVQ CX, T_RIP(AX); \
	MOVQ 32(SP), CX; \
	MOVQ CX, T_RFLAGS(AX); \
	MOVQ 40(SP), CX; \
	MOVQ CX, T_RSP(AX); \
	MOVL $1, Thread_frame(AX); \
	MOVQ 0(SP), R12; \
	MOVQ 8(SP), R13; \
	MOVQ AX, BX; \
	MOVQ Thread_xsave(AX), DI; \
	MOVL $-1, AX; \
	MOVL $-1, DX; \
	CMPB ·haveXSAVE(SB), $0; \
	JEQ  3(PC); \
	XSAVE64 (DI); \
	JMP  2(PC); \
	FXSAVE64 (DI); \
	MOVQ $1, CPU_inside(GS); \
	CLD; \
	MOVQ CPU_stack(GS), SP; \
	MOVQ BX, AX; \
	MOVQ R12, BX; \
	MOVQ R13, CX; \
	ENTER_GO(SP)

// Layout of what nested handlers save on their own stack, below the vector.
#define NEST 384

#define NGPR(i) (256+8*i)

#define NEST_SAVE \
	SUBQ $NEST, SP; \
	MOVQ AX, NGPR(0)(SP); \
	MOVQ CX, NGPR(1)(SP); \
	MOVQ DX, NGPR(2)(SP); \
	MOVQ BX, NGPR(3)(SP); \
	MOVQ BP, NGPR(4)(SP); \
	MOVQ SI, NGPR(5)(SP); \
	MOVQ DI, NGPR(6)(SP); \
	MOVQ R8, NGPR(7)(SP); \
	MOVQ R9, NGPR(8)(SP); \
	MOVQ R10, NGPR(9)(SP); \
	MOVQ R11, NGPR(10)(SP); \
	MOVQ R12, NGPR(11)(SP); \
	MOVQ R13, NGPR(12)(SP); \
	MOVQ R14, NGPR(13)(SP); \
	MOVQ R15, NGPR(14)(SP); \
	RDFSBASEQ AX; \
	MOVQ AX, NGPR(15)(SP); \
	MOVUPS X0, 0(SP); \
	MOVUPS X1, 16(SP); \
	MOVUPS X2, 32(SP); \
	MOVUPS X3, 48(SP); \
	MOVUPS X4, 64(SP); \
	MOVUPS X5, 80(SP); \
	MOVUPS X6, 96(SP); \
	MOVUPS X7, 112(SP); \
	MOVUPS X8, 128(SP); \
	MOVUPS X9, 144(SP); \
	MOVUPS X10, 160(SP); \
	MOVUPS X11, 176(SP); \
	MOVUPS X12, 192(SP); \
	MOVUPS X13, 208(SP); \
	MOVUPS X14, 224(SP); \
	MOVUPS X15, 240(SP); \
	XORPS X15, X15; \
	CLD

#define NEST_RESTORE \
	MOVUPS 0(SP), X0; \
	MOVUPS 16(SP), X1; \
	MOVUPS 32(SP), X2; \
	MOVUPS 48(SP), X3; \
	MOVUPS 64(SP), X4; \
	MOVUPS 80(SP), X5; \
	MOVUPS 96(SP), X6; \
	MOVUPS 112(SP), X7; \
	MOVUPS 128(SP), X8; \
	MOVUPS 144(SP), X9; \
	MOVUPS 160(SP), X10; \
	MOVUPS 176(SP), X11; \
	MOVUPS 192(SP), X12; \
	MOVUPS 208(SP), X13; \
	MOVUPS 224(SP), X14; \
	MOVUPS 240(SP), X15; \
	MOVQ NGPR(15)(SP), AX; \
	WRFSBASEQ AX; \
	MOVQ NGPR(0)(SP), AX; \
	MOVQ NGPR(1)(SP), CX; \
	MOVQ NGPR(2)(SP), DX; \
	MOVQ NGPR(3)(SP), BX; \
	MOVQ NGPR(4)(SP), BP; \
	MOVQ NGPR(5)(SP), SI; \
	MOVQ NGPR(6)(SP), DI; \
	MOVQ NGPR(7)(SP), R8; \
	MOVQ NGPR(8)(SP), R9; \
	MOVQ NGPR(9)(SP), R10; \
	MOVQ NGPR(10)(SP), R11; \
	MOVQ NGPR(11)(SP), R12; \
	MOVQ NGPR(12)(SP), R13; \
	MOVQ NGPR(13)(SP), R14; \
	MOVQ NGPR(14)(SP), R15; \
	ADDQ $NEST, SP

// One stub per vector, 16 bytes each: stub n is at vectorStubs + 16*n. A stub
// makes all frames equal: it pushes 0 where the processor pushes no error
// code, then the vector.
#define NOERR(n, to) BYTE $0x6A; BYTE $0; BYTE $0x68; LONG $(n); JMP to<>(SB); BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90

#define ERR(n, to) BYTE $0x90; BYTE $0x90; BYTE $0x68; LONG $(n); JMP to<>(SB); BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90

#define IRQ4(n) NOERR(n, irqCommon); NOERR(n+1, irqCommon); NOERR(n+2, irqCommon); NOERR(n+3, irqCommon)

#define IRQ16(n) IRQ4(n); IRQ4(n+4); IRQ4(n+8); IRQ4(n+12)
