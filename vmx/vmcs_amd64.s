#include "textflag.h"
#include "vmx.h"

// func vmread(field uint64) uint64
TEXT ·vmread(SB), NOSPLIT, $0-16
	MOVQ field+0(FP), AX
	XORL CX, CX
	VMREAD_AX_CX
	MOVQ CX, ret+8(FP)
	RET

// func vmwrite(field, v uint64)
TEXT ·vmwrite(SB), NOSPLIT, $0-16
	MOVQ field+0(FP), AX
	MOVQ v+8(FP), CX
	VMWRITE_AX_CX
	RET

// func vmreadAll(fields *Field, values *uint64, n int)
TEXT ·vmreadAll(SB), NOSPLIT, $0-24
	MOVQ fields+0(FP), SI
	MOVQ values+8(FP), DI
	MOVQ n+16(FP), DX
	TESTQ DX, DX
	JLE  done
again:
	MOVL (SI), AX
	XORL CX, CX
	VMREAD_AX_CX
	MOVQ CX, (DI)
	ADDQ $4, SI
	ADDQ $8, DI
	DECQ DX
	JNE  again
done:
	RET

// func vmwriteAll(fields *Field, values *uint64, n int)
TEXT ·vmwriteAll(SB), NOSPLIT, $0-24
	MOVQ fields+0(FP), SI
	MOVQ values+8(FP), DI
	MOVQ n+16(FP), DX
	TESTQ DX, DX
	JLE  done
again:
	MOVL (SI), AX
	MOVQ (DI), CX
	VMWRITE_AX_CX
	ADDQ $4, SI
	ADDQ $8, DI
	DECQ DX
	JNE  again
done:
	RET

// func vmxon(pa *uint64) (status uint64)
TEXT ·vmxon(SB), NOSPLIT, $0-16
	MOVQ pa+0(FP), DI
	VMXON_DI
	FAILED
	MOVQ AX, status+8(FP)
	RET

// func vmxoff()
TEXT ·vmxoff(SB), NOSPLIT, $0-0
	VMXOFF
	RET

// func vmclear(pa *uint64) (status uint64)
TEXT ·vmclear(SB), NOSPLIT, $0-16
	MOVQ pa+0(FP), DI
	VMCLEAR_DI
	FAILED
	MOVQ AX, status+8(FP)
	RET

// func vmptrld(pa *uint64) (status uint64)
TEXT ·vmptrld(SB), NOSPLIT, $0-16
	MOVQ pa+0(FP), DI
	VMPTRLD_DI
	FAILED
	MOVQ AX, status+8(FP)
	RET

// func invept(how uint64, descriptor *[2]uint64)
TEXT ·invept(SB), NOSPLIT, $0-16
	MOVQ how+0(FP), AX
	MOVQ descriptor+8(FP), DI
	INVEPT_AX_DI
	RET

// func invvpid(how uint64, descriptor *[2]uint64)
TEXT ·invvpid(SB), NOSPLIT, $0-16
	MOVQ how+0(FP), AX
	MOVQ descriptor+8(FP), DI
	INVVPID_AX_DI
	RET

// func hostTables(gdtr, idtr *[10]byte) (tr uint16)
//
// SGDT, SIDT and STR of the calling CPU.
TEXT ·hostTables(SB), NOSPLIT, $0-18
	MOVQ gdtr+0(FP), DI
	BYTE $0x0F; BYTE $0x01; BYTE $0x07 // SGDT [RDI]
	MOVQ idtr+8(FP), DI
	BYTE $0x0F; BYTE $0x01; BYTE $0x0F // SIDT [RDI]
	XORL AX, AX
	BYTE $0x0F; BYTE $0x00; BYTE $0xC8 // STR EAX
	MOVW AX, tr+16(FP)
	RET

// func hostNMI()
//
// Runs the host's handler of the NMI that ended the guest. Its IRET ends the
// blocking of NMIs, which a VM exit leaves on.
TEXT ·hostNMI(SB), NOSPLIT, $0-0
	BYTE $0xCD; BYTE $0x02 // INT 2
	RET
