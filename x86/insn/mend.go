package insn

import "golang.org/x/arch/x86/x86asm"

// Instructions that owners of a guest look for and that x86asm knows.
const (
	CPUID   = Op(x86asm.CPUID)
	HLT     = Op(x86asm.HLT)
	IN      = Op(x86asm.IN)
	OUT     = Op(x86asm.OUT)
	INVD    = Op(x86asm.INVD)
	INVLPG  = Op(x86asm.INVLPG)
	IRET    = Op(x86asm.IRET)
	IRETD   = Op(x86asm.IRETD)
	IRETQ   = Op(x86asm.IRETQ)
	MONITOR = Op(x86asm.MONITOR)
	MOV     = Op(x86asm.MOV)
	MWAIT   = Op(x86asm.MWAIT)
	PAUSE   = Op(x86asm.PAUSE)
	RDMSR   = Op(x86asm.RDMSR)
	RDPMC   = Op(x86asm.RDPMC)
	RDTSC   = Op(x86asm.RDTSC)
	RDTSCP  = Op(x86asm.RDTSCP)
	RSM     = Op(x86asm.RSM)
	WBINVD  = Op(x86asm.WBINVD)
	WRMSR   = Op(x86asm.WRMSR)
	XGETBV  = Op(x86asm.XGETBV)
	XSETBV  = Op(x86asm.XSETBV)
)

// firstOwnOp is above every number of x86asm.
const firstOwnOp Op = 1 << 16

// Instructions that x86asm does not know, or takes for another.
const (
	VMCALL Op = firstOwnOp + iota
	VMLAUNCH
	VMRESUME
	VMXOFF
	PCONFIG
	WRMSRNS
	CLAC
	STAC
	ENCLS
	VMFUNC
	ENCLU
	VMRUN
	VMMCALL
	VMLOAD
	VMSAVE
	STGI
	CLGI
	SKINIT
	INVLPGA
	SERIALIZE
	RDPKRU
	WRPKRU
	MONITORX
	MWAITX
	CLZERO
	RDPRU
	INVLPGB
	TLBSYNC
	GETSEC
	VMREAD
	VMWRITE
	VMPTRLD
	VMPTRST
	VMCLEAR
	VMXON
	INVEPT
	INVVPID
	ENDBR32
	ENDBR64
	RDSEED
	RDPID
	SENDUIPI
	CLWB
	CLFLUSHOPT
	MOVDIRI
	MOVDIR64B
	ENQCMD
	ENQCMDS
	WBNOINVD
	VZEROUPPER
	VZEROALL
	VectorMove // a vector load or store that Emulator does
	numOwnOps  = iota
)

var ownOpNames = [numOwnOps]string{
	"VMCALL", "VMLAUNCH", "VMRESUME", "VMXOFF", "PCONFIG", "WRMSRNS", "CLAC", "STAC", "ENCLS", "VMFUNC", "ENCLU",
	"VMRUN", "VMMCALL", "VMLOAD", "VMSAVE", "STGI", "CLGI", "SKINIT", "INVLPGA", "SERIALIZE", "RDPKRU", "WRPKRU",
	"MONITORX", "MWAITX", "CLZERO", "RDPRU", "INVLPGB", "TLBSYNC", "GETSEC", "VMREAD", "VMWRITE", "VMPTRLD",
	"VMPTRST", "VMCLEAR", "VMXON", "INVEPT", "INVVPID", "ENDBR32", "ENDBR64", "RDSEED", "RDPID", "SENDUIPI", "CLWB",
	"CLFLUSHOPT", "MOVDIRI", "MOVDIR64B", "ENQCMD", "ENQCMDS", "WBNOINVD", "VZEROUPPER", "VZEROALL", "vector move",
}

// mandatory is a prefix that is part of an opcode.
type mandatory uint8

const (
	anyPrefix mandatory = iota
	noPrefix
	with66
	withF2
	withF3
)

// form says which ModRM bytes an entry of ownForms takes.
type form uint8

const (
	anyForm form = iota
	memForm
	regForm
)

// ownForm is one instruction that x86asm does not decode rightly.
type ownForm struct {
	opMap, opcode uint8
	prefix        mandatory
	form          form
	reg           int8 // ModRM.reg, or -1 for any
	op            Op
}

// ownForms is in the order of the opcode maps.
var ownForms = []ownForm{
	{map0F, 0x09, withF3, anyForm, -1, WBNOINVD},
	{map0F, 0x37, anyPrefix, anyForm, -1, GETSEC},
	{map0F, 0x78, noPrefix, anyForm, -1, VMREAD},
	{map0F, 0x79, noPrefix, anyForm, -1, VMWRITE},
	{map0F, 0xAE, with66, memForm, 6, CLWB},
	{map0F, 0xAE, with66, memForm, 7, CLFLUSHOPT},
	{map0F, 0xC7, noPrefix, memForm, 6, VMPTRLD},
	{map0F, 0xC7, with66, memForm, 6, VMCLEAR},
	{map0F, 0xC7, withF3, memForm, 6, VMXON},
	{map0F, 0xC7, noPrefix, memForm, 7, VMPTRST},
	{map0F, 0xC7, withF3, regForm, 6, SENDUIPI},
	{map0F, 0xC7, withF3, regForm, 7, RDPID},
	{map0F, 0xC7, noPrefix, regForm, 7, RDSEED},
	{map0F, 0xC7, with66, regForm, 7, RDSEED},
	{map0F38, 0x80, with66, memForm, -1, INVEPT},
	{map0F38, 0x81, with66, memForm, -1, INVVPID},
	{map0F38, 0xF8, with66, memForm, -1, MOVDIR64B},
	{map0F38, 0xF8, withF2, memForm, -1, ENQCMD},
	{map0F38, 0xF8, withF3, memForm, -1, ENQCMDS},
	{map0F38, 0xF9, noPrefix, memForm, -1, MOVDIRI},
}

// group7 are the register forms of 0F 01, by ModRM less C0H.
var group7 = [64]Op{
	0x01: VMCALL, 0x02: VMLAUNCH, 0x03: VMRESUME, 0x04: VMXOFF, 0x05: PCONFIG, 0x06: WRMSRNS,
	0x08: MONITOR, 0x09: MWAIT, 0x0A: CLAC, 0x0B: STAC, 0x0F: ENCLS,
	0x10: XGETBV, 0x11: XSETBV, 0x14: VMFUNC, 0x15: Op(x86asm.XEND), 0x16: Op(x86asm.XTEST), 0x17: ENCLU,
	0x18: VMRUN, 0x19: VMMCALL, 0x1A: VMLOAD, 0x1B: VMSAVE, 0x1C: STGI, 0x1D: CLGI, 0x1E: SKINIT, 0x1F: INVLPGA,
	0x28: SERIALIZE, 0x2E: RDPKRU, 0x2F: WRPKRU,
	0x38: Op(x86asm.SWAPGS), 0x39: RDTSCP, 0x3A: MONITORX, 0x3B: MWAITX, 0x3C: CLZERO, 0x3D: RDPRU,
	0x3E: INVLPGB, 0x3F: TLBSYNC,
}

// prefix is the mandatory prefix as the processor picks it: F2 and F3 win over
// 66.
func (l *layout) prefix() mandatory {
	if l.enc != encLegacy {
		return [4]mandatory{noPrefix, with66, withF3, withF2}[l.pp]
	}
	switch {
	case l.rep == prefixRepne:
		return withF2
	case l.rep == prefixRep:
		return withF3
	case l.data66:
		return with66
	}
	return noPrefix
}

// isGroup7 tells whether the instruction is a register form of 0F 01 that
// group7 decides on; SMSW and LMSW are x86asm's.
func (l *layout) isGroup7() bool {
	return l.enc == encLegacy && l.opMap == map0F && l.opcode == 0x01 && l.mod() == 3 && l.reg() != 4 && l.reg() != 6
}

// ownOp finds the instruction among those that x86asm does not decode rightly.
func (l *layout) ownOp() (Op, bool) {
	if l.enc == encVEX && l.opMap == map0F && l.opcode == 0x77 {
		if l.long {
			return VZEROALL, true
		}
		return VZEROUPPER, true
	}
	if l.enc != encLegacy {
		return 0, false
	}
	if l.isGroup7() {
		op := group7[l.modrm&0x3F]
		return op, op != 0
	}
	if l.opMap == map0F && l.opcode == 0x1E && l.prefix() == withF3 && l.modrm|1 == 0xFB {
		return [2]Op{ENDBR64, ENDBR32}[l.modrm&1], true
	}
	for i := range ownForms {
		f := &ownForms[i]
		if f.opMap == l.opMap && f.opcode == l.opcode && f.matches(l) {
			return f.op, true
		}
	}
	return 0, false
}

// matches compares what follows the opcode.
func (f *ownForm) matches(l *layout) bool {
	return (f.prefix == anyPrefix || f.prefix == l.prefix()) &&
		(f.form == anyForm || (f.form == memForm) == l.isMem()) &&
		(f.reg < 0 || uint8(f.reg) == l.reg())
}
