// The instructions of SDM volume 3C, chapter 31 "VMX Instruction Reference",
// that the stock assembler does not know. Registers are fixed: a field is in
// AX, a value in CX, a memory operand at DI, a type of invalidation in AX.

#define VMLAUNCH      BYTE $0x0F; BYTE $0x01; BYTE $0xC2
#define VMRESUME      BYTE $0x0F; BYTE $0x01; BYTE $0xC3
#define VMXOFF        BYTE $0x0F; BYTE $0x01; BYTE $0xC4
#define VMREAD_AX_CX  BYTE $0x0F; BYTE $0x78; BYTE $0xC1
#define VMWRITE_AX_CX BYTE $0x0F; BYTE $0x79; BYTE $0xC1
#define VMPTRLD_DI    BYTE $0x0F; BYTE $0xC7; BYTE $0x37
#define VMCLEAR_DI    BYTE $0x66; BYTE $0x0F; BYTE $0xC7; BYTE $0x37
#define VMXON_DI      BYTE $0xF3; BYTE $0x0F; BYTE $0xC7; BYTE $0x37
#define INVEPT_AX_DI  BYTE $0x66; BYTE $0x0F; BYTE $0x38; BYTE $0x80; BYTE $0x07
#define INVVPID_AX_DI BYTE $0x66; BYTE $0x0F; BYTE $0x38; BYTE $0x81; BYTE $0x07

#define XSETBV        BYTE $0x0F; BYTE $0x01; BYTE $0xD1

// FAILED leaves the status of a VMX instruction in AX (section 31.2
// "Conventions"): 0 VMsucceed, 1 VMfailInvalid (CF), 2 VMfailValid (ZF).
#define FAILED \
	SETCS AX; \
	SETEQ CX; \
	MOVBLZX AX, AX; \
	MOVBLZX CX, CX; \
	LEAQ (AX)(CX*2), AX

// SLOT reserves 80 bytes for a mitigation: a jump over the rest, a mark that
// mitigation_unsafe.go finds, and room. Data behind the jump is never executed.
#define SLOT_PAD BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90
#define SLOT(number) \
	BYTE $0xEB; BYTE $0x4E; BYTE $'R'; BYTE $'S'; BYTE $'L'; BYTE $'O'; BYTE $'T'; BYTE $number; \
	SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD
