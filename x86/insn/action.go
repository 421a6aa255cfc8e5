package insn

import (
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86"
)

// action is what Emulator does for an instruction.
type action uint8

const (
	actNone action = iota // not emulated
	actMov
	actMovzx
	actMovsx
	actMovbe
	actAdd
	actOr
	actAdc
	actSbb
	actAnd
	actSub
	actXor
	actCmp
	actTest
	actNot
	actNeg
	actInc
	actDec
	actXchg
	actXadd
	actCmpxchg
	actCmpxchgPair
	actBt
	actBts
	actBtr
	actBtc
	actSetcc
	actCmovcc
	actPush
	actPop
	actString
	actPort
	actVector
	actNop
	actReadCR
	actWriteCR
	actReadDR
	actWriteDR
	actCLTS
	actLMSW
	actSMSW
	actOwner           // the owner finishes it
	actOwnerPrivileged // the same, with #GP(0) above CPL 0
)

// actions are the instructions with one action for all their forms.
var actions = map[Op]action{
	Op(x86asm.MOVNTI): actMov, Op(x86asm.MOVZX): actMovzx, Op(x86asm.MOVSX): actMovsx,
	Op(x86asm.MOVSXD): actMovsx, Op(x86asm.MOVBE): actMovbe,
	Op(x86asm.ADD): actAdd, Op(x86asm.OR): actOr, Op(x86asm.ADC): actAdc, Op(x86asm.SBB): actSbb,
	Op(x86asm.AND): actAnd, Op(x86asm.SUB): actSub, Op(x86asm.XOR): actXor, Op(x86asm.CMP): actCmp,
	Op(x86asm.TEST): actTest, Op(x86asm.NOT): actNot, Op(x86asm.NEG): actNeg,
	Op(x86asm.INC): actInc, Op(x86asm.DEC): actDec,
	Op(x86asm.XCHG): actXchg, Op(x86asm.XADD): actXadd, Op(x86asm.CMPXCHG): actCmpxchg,
	Op(x86asm.CMPXCHG8B): actCmpxchgPair, Op(x86asm.CMPXCHG16B): actCmpxchgPair,
	Op(x86asm.BT): actBt, Op(x86asm.BTS): actBts, Op(x86asm.BTR): actBtr, Op(x86asm.BTC): actBtc,
	Op(x86asm.PUSH): actPush, Op(x86asm.POP): actPop,
	Op(x86asm.NOP): actNop, PAUSE: actNop,
	Op(x86asm.CLTS): actCLTS, Op(x86asm.LMSW): actLMSW, Op(x86asm.SMSW): actSMSW,
	CPUID: actOwner, RDTSC: actOwner, RDTSCP: actOwner, RDPMC: actOwner, IN: actPort, OUT: actPort,
	XGETBV: actOwner,
	HLT:    actOwnerPrivileged, INVD: actOwnerPrivileged, WBINVD: actOwnerPrivileged, INVLPG: actOwnerPrivileged,
	MONITOR: actOwnerPrivileged, MWAIT: actOwnerPrivileged, RDMSR: actOwnerPrivileged,
	WRMSR: actOwnerPrivileged, XSETBV: actOwnerPrivileged,
	VMCALL: actOwner, VMMCALL: actOwner, WBNOINVD: actOwnerPrivileged,
}

// action picks what to do for op.
func (l *layout) action(op Op) action {
	switch {
	case l.isString():
		return actString
	case l.opMap == map0F && l.opcode >= 0x20 && l.opcode <= 0x23 && l.enc == encLegacy:
		return [4]action{actReadCR, actReadDR, actWriteCR, actWriteDR}[l.opcode&3]
	case l.opMap == map0F && l.opcode&0xF0 == 0x40 && l.enc == encLegacy:
		return actCmovcc
	case l.opMap == map0F && l.opcode&0xF0 == 0x90 && l.enc == encLegacy:
		return actSetcc
	case op == MOV && l.opcode != 0x8E:
		return actMov
	}
	return actions[op]
}

// mendOperands corrects what x86asm says of the operands: string instructions
// get the width of their opcode, and a fixed address lies outside ModRM.
func (in *Inst) mendOperands(l *layout) {
	switch {
	case in.act == actString:
		size := in.OpSize
		if in.Opcode&1 == 0 {
			size = 1
		} else if in.Opcode < 0x70 {
			size = min(size, 4) // ports have at most 32 bits
		}
		in.Args = [3]Operand{{Kind: KindMem, Size: size}}
	case l.opMap == map1Byte && in.Opcode&0xFC == 0xA0:
		in.Imm = 0
		disp := uint64(l.value(l.immPos, l.immSize))
		in.Mem = Mem{Seg: l.segment(x86.DS), Base: NoReg, Index: NoReg, Scale: 1, Disp: int64(disp & sizeMask(in.AddrSize))}
	}
}

// sizeMask has the bits of a value of n bytes; n is 1 to 8.
func sizeMask(n uint8) uint64 { return ^uint64(0) >> ((64 - 8*uint(n)) & 63) }
