// The instructions of APM volume 3, chapter 4 "System Instruction Reference",
// that the stock assembler does not know. VMRUN, VMLOAD and VMSAVE take the
// host-physical address of a VMCB in RAX.

#define VMRUN   BYTE $0x0F; BYTE $0x01; BYTE $0xD8
#define VMMCALL BYTE $0x0F; BYTE $0x01; BYTE $0xD9
#define VMLOAD  BYTE $0x0F; BYTE $0x01; BYTE $0xDA
#define VMSAVE  BYTE $0x0F; BYTE $0x01; BYTE $0xDB
#define STGI    BYTE $0x0F; BYTE $0x01; BYTE $0xDC
#define CLGI    BYTE $0x0F; BYTE $0x01; BYTE $0xDD
#define INVLPGA BYTE $0x0F; BYTE $0x01; BYTE $0xDF

// SLOT reserves 80 bytes for a mitigation: a jump over the rest, a mark that
// mitigation.go finds, and room. Data behind the jump is never executed.
#define SLOT_PAD BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90
#define SLOT(number) \
	BYTE $0xEB; BYTE $0x4E; BYTE $'R'; BYTE $'S'; BYTE $'L'; BYTE $'O'; BYTE $'T'; BYTE $number; \
	SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD; SLOT_PAD
