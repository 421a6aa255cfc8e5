package svm

import "strconv"

// ExitCode is the reason of a #VMEXIT (APM volume 2, appendix C "SVM
// Intercept Exit Codes").
type ExitCode uint64

// Exit codes in the manual's order. Codes with a range have a base here.
const (
	ExitCRRead     ExitCode = 0x000 // to 0x00F
	ExitCRWrite    ExitCode = 0x010 // to 0x01F
	ExitDRRead     ExitCode = 0x020 // to 0x02F
	ExitDRWrite    ExitCode = 0x030 // to 0x03F
	ExitExcp       ExitCode = 0x040 // to 0x05F
	ExitINTR       ExitCode = 0x060
	ExitNMI        ExitCode = 0x061
	ExitSMI        ExitCode = 0x062
	ExitINIT       ExitCode = 0x063
	ExitVINTR      ExitCode = 0x064
	ExitCR0SelWr   ExitCode = 0x065
	ExitIDTRRead   ExitCode = 0x066
	ExitGDTRRead   ExitCode = 0x067
	ExitLDTRRead   ExitCode = 0x068
	ExitTRRead     ExitCode = 0x069
	ExitIDTRWrite  ExitCode = 0x06A
	ExitGDTRWrite  ExitCode = 0x06B
	ExitLDTRWrite  ExitCode = 0x06C
	ExitTRWrite    ExitCode = 0x06D
	ExitRDTSC      ExitCode = 0x06E
	ExitRDPMC      ExitCode = 0x06F
	ExitPUSHF      ExitCode = 0x070
	ExitPOPF       ExitCode = 0x071
	ExitCPUID      ExitCode = 0x072
	ExitRSM        ExitCode = 0x073
	ExitIRET       ExitCode = 0x074
	ExitSWINT      ExitCode = 0x075
	ExitINVD       ExitCode = 0x076
	ExitPAUSE      ExitCode = 0x077
	ExitHLT        ExitCode = 0x078
	ExitINVLPG     ExitCode = 0x079
	ExitINVLPGA    ExitCode = 0x07A
	ExitIOIO       ExitCode = 0x07B
	ExitMSR        ExitCode = 0x07C
	ExitTaskSwitch ExitCode = 0x07D
	ExitFERRFreeze ExitCode = 0x07E
	ExitShutdown   ExitCode = 0x07F
	ExitVMRUN      ExitCode = 0x080
	ExitVMMCALL    ExitCode = 0x081
	ExitVMLOAD     ExitCode = 0x082
	ExitVMSAVE     ExitCode = 0x083
	ExitSTGI       ExitCode = 0x084
	ExitCLGI       ExitCode = 0x085
	ExitSKINIT     ExitCode = 0x086
	ExitRDTSCP     ExitCode = 0x087
	ExitICEBP      ExitCode = 0x088
	ExitWBINVD     ExitCode = 0x089
	ExitMONITOR    ExitCode = 0x08A
	ExitMWAIT      ExitCode = 0x08B
	ExitMWAITCond  ExitCode = 0x08C
	ExitXSETBV     ExitCode = 0x08D
	ExitRDPRU      ExitCode = 0x08E
	ExitEFERWrTrap ExitCode = 0x08F
	ExitCRWrTrap   ExitCode = 0x090 // to 0x09F
	ExitINVLPGB    ExitCode = 0x0A0
	ExitINVLPGBIll ExitCode = 0x0A1
	ExitINVPCID    ExitCode = 0x0A2
	ExitMCOMMIT    ExitCode = 0x0A3
	ExitTLBSYNC    ExitCode = 0x0A4
	ExitBusLock    ExitCode = 0x0A5
	ExitIdleHLT    ExitCode = 0x0A6
	ExitNPF        ExitCode = 0x400
	ExitAVICIPI    ExitCode = 0x401
	ExitAVICNoAcc  ExitCode = 0x402
	ExitVMGEXIT    ExitCode = 0x403

	ExitInvalid ExitCode = 0xFFFF_FFFF_FFFF_FFFF // -1
	ExitBusy    ExitCode = 0xFFFF_FFFF_FFFF_FFFE // -2
)

// single are the names of the codes from ExitINTR to ExitEFERWrTrap.
var single = [...]string{
	"VMEXIT_INTR", "VMEXIT_NMI", "VMEXIT_SMI", "VMEXIT_INIT", "VMEXIT_VINTR", "VMEXIT_CR0_SEL_WRITE",
	"VMEXIT_IDTR_READ", "VMEXIT_GDTR_READ", "VMEXIT_LDTR_READ", "VMEXIT_TR_READ",
	"VMEXIT_IDTR_WRITE", "VMEXIT_GDTR_WRITE", "VMEXIT_LDTR_WRITE", "VMEXIT_TR_WRITE",
	"VMEXIT_RDTSC", "VMEXIT_RDPMC", "VMEXIT_PUSHF", "VMEXIT_POPF", "VMEXIT_CPUID", "VMEXIT_RSM",
	"VMEXIT_IRET", "VMEXIT_SWINT", "VMEXIT_INVD", "VMEXIT_PAUSE", "VMEXIT_HLT", "VMEXIT_INVLPG",
	"VMEXIT_INVLPGA", "VMEXIT_IOIO", "VMEXIT_MSR", "VMEXIT_TASK_SWITCH", "VMEXIT_FERR_FREEZE",
	"VMEXIT_SHUTDOWN", "VMEXIT_VMRUN", "VMEXIT_VMMCALL", "VMEXIT_VMLOAD", "VMEXIT_VMSAVE",
	"VMEXIT_STGI", "VMEXIT_CLGI", "VMEXIT_SKINIT", "VMEXIT_RDTSCP", "VMEXIT_ICEBP", "VMEXIT_WBINVD",
	"VMEXIT_MONITOR", "VMEXIT_MWAIT", "VMEXIT_MWAIT_CONDITIONAL", "VMEXIT_XSETBV", "VMEXIT_RDPRU",
	"VMEXIT_EFER_WRITE_TRAP",
}

// late are the names of the codes from ExitINVLPGB to ExitIdleHLT.
var late = [...]string{
	"VMEXIT_INVLPGB", "VMEXIT_INVLPGB_ILLEGAL", "VMEXIT_INVPCID", "VMEXIT_MCOMMIT", "VMEXIT_TLBSYNC",
	"VMEXIT_BUSLOCK", "VMEXIT_IDLE_HLT",
}

// Names of the ranges, made once so that naming an exit allocates nothing.
var (
	crRead  = rangeNames("VMEXIT_CR", "_READ")
	crWrite = rangeNames("VMEXIT_CR", "_WRITE")
	drRead  = rangeNames("VMEXIT_DR", "_READ")
	drWrite = rangeNames("VMEXIT_DR", "_WRITE")
	crTrap  = rangeNames("VMEXIT_CR", "_WRITE_TRAP")
	excp    = rangeNames("VMEXIT_EXCP", "")
)

// rangeNames is prefix, a number from 0 to 31, suffix.
func rangeNames(prefix, suffix string) (names [32]string) {
	for i := range names {
		names[i] = prefix + strconv.Itoa(i) + suffix
	}
	return names
}

// String is the manual's name of the code.
func (c ExitCode) String() string {
	switch {
	case c < ExitCRWrite:
		return crRead[c]
	case c < ExitDRRead:
		return crWrite[c-ExitCRWrite]
	case c < ExitDRWrite:
		return drRead[c-ExitDRRead]
	case c < ExitExcp:
		return drWrite[c-ExitDRWrite]
	case c < ExitINTR:
		return excp[c-ExitExcp]
	case c <= ExitEFERWrTrap:
		return single[c-ExitINTR]
	case c < ExitINVLPGB:
		return crTrap[c-ExitCRWrTrap]
	case c <= ExitIdleHLT:
		return late[c-ExitINVLPGB]
	}
	return c.highName()
}

// highName names the codes outside of the dense range.
func (c ExitCode) highName() string {
	switch c {
	case ExitNPF:
		return "VMEXIT_NPF"
	case ExitAVICIPI:
		return "AVIC_INCOMPLETE_IPI"
	case ExitAVICNoAcc:
		return "AVIC_NOACCEL"
	case ExitVMGEXIT:
		return "VMEXIT_VMGEXIT"
	case ExitInvalid:
		return "VMEXIT_INVALID"
	case ExitBusy:
		return "VMEXIT_BUSY"
	}
	return "VMEXIT unknown"
}
