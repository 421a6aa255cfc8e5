#include "textflag.h"

// LOAD takes the operands and the flags to start with; SAVE gives back the
// result and the flags.
#define LOAD \
	MOVQ a+0(FP), AX; \
	MOVQ b+8(FP), BX; \
	MOVQ flags+16(FP), CX; \
	PUSHQ CX; \
	POPFQ

#define SAVE \
	PUSHFQ; \
	POPQ CX; \
	MOVQ AX, result+24(FP); \
	MOVQ CX, after+32(FP); \
	RET

#define BINARY(name, instruction) \
TEXT name(SB), NOSPLIT, $0-40; \
	LOAD; \
	instruction BX, AX; \
	SAVE

// COMPARE is apart because CMP takes its operands in Intel's order here.
#define COMPARE(name, instruction) \
TEXT name(SB), NOSPLIT, $0-40; \
	LOAD; \
	instruction AX, BX; \
	SAVE

#define UNARY(name, instruction) \
TEXT name(SB), NOSPLIT, $0-40; \
	LOAD; \
	instruction AX; \
	SAVE

BINARY(·addB, ADDB)
BINARY(·addW, ADDW)
BINARY(·addL, ADDL)
BINARY(·addQ, ADDQ)
BINARY(·adcB, ADCB)
BINARY(·adcW, ADCW)
BINARY(·adcL, ADCL)
BINARY(·adcQ, ADCQ)
BINARY(·subB, SUBB)
BINARY(·subW, SUBW)
BINARY(·subL, SUBL)
BINARY(·subQ, SUBQ)
BINARY(·sbbB, SBBB)
BINARY(·sbbW, SBBW)
BINARY(·sbbL, SBBL)
BINARY(·sbbQ, SBBQ)
BINARY(·andB, ANDB)
BINARY(·andW, ANDW)
BINARY(·andL, ANDL)
BINARY(·andQ, ANDQ)
BINARY(·orB, ORB)
BINARY(·orW, ORW)
BINARY(·orL, ORL)
BINARY(·orQ, ORQ)
BINARY(·xorB, XORB)
BINARY(·xorW, XORW)
BINARY(·xorL, XORL)
BINARY(·xorQ, XORQ)
COMPARE(·cmpB, CMPB)
COMPARE(·cmpW, CMPW)
COMPARE(·cmpL, CMPL)
COMPARE(·cmpQ, CMPQ)
UNARY(·incB, INCB)
UNARY(·incW, INCW)
UNARY(·incL, INCL)
UNARY(·incQ, INCQ)
UNARY(·decB, DECB)
UNARY(·decW, DECW)
UNARY(·decL, DECL)
UNARY(·decQ, DECQ)
UNARY(·negB, NEGB)
UNARY(·negW, NEGW)
UNARY(·negL, NEGL)
UNARY(·negQ, NEGQ)
UNARY(·notB, NOTB)
UNARY(·notW, NOTW)
UNARY(·notL, NOTL)
UNARY(·notQ, NOTQ)
