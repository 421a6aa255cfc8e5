package vmx

import "strconv"

// ExitReason is the basic exit reason of a VM exit, bits 15:0 of the field
// (SDM volume 3D, appendix C "VMX Basic Exit Reasons").
type ExitReason uint16

// Basic exit reasons in the manual's order.
const (
	ExitReasonExceptionNMI         ExitReason = 0
	ExitReasonExternalInterrupt    ExitReason = 1
	ExitReasonTripleFault          ExitReason = 2
	ExitReasonINIT                 ExitReason = 3
	ExitReasonSIPI                 ExitReason = 4
	ExitReasonIOSMI                ExitReason = 5
	ExitReasonOtherSMI             ExitReason = 6
	ExitReasonInterruptWindow      ExitReason = 7
	ExitReasonNMIWindow            ExitReason = 8
	ExitReasonTaskSwitch           ExitReason = 9
	ExitReasonCPUID                ExitReason = 10
	ExitReasonGETSEC               ExitReason = 11
	ExitReasonHLT                  ExitReason = 12
	ExitReasonINVD                 ExitReason = 13
	ExitReasonINVLPG               ExitReason = 14
	ExitReasonRDPMC                ExitReason = 15
	ExitReasonRDTSC                ExitReason = 16
	ExitReasonRSM                  ExitReason = 17
	ExitReasonVMCALL               ExitReason = 18
	ExitReasonVMCLEAR              ExitReason = 19
	ExitReasonVMLAUNCH             ExitReason = 20
	ExitReasonVMPTRLD              ExitReason = 21
	ExitReasonVMPTRST              ExitReason = 22
	ExitReasonVMREAD               ExitReason = 23
	ExitReasonVMRESUME             ExitReason = 24
	ExitReasonVMWRITE              ExitReason = 25
	ExitReasonVMXOFF               ExitReason = 26
	ExitReasonVMXON                ExitReason = 27
	ExitReasonCR                   ExitReason = 28
	ExitReasonMOVDR                ExitReason = 29
	ExitReasonIO                   ExitReason = 30
	ExitReasonRDMSR                ExitReason = 31
	ExitReasonWRMSR                ExitReason = 32
	ExitReasonInvalidGuestState    ExitReason = 33
	ExitReasonMSRLoading           ExitReason = 34
	ExitReasonMWAIT                ExitReason = 36
	ExitReasonMonitorTrapFlag      ExitReason = 37
	ExitReasonMONITOR              ExitReason = 39
	ExitReasonPAUSE                ExitReason = 40
	ExitReasonMachineCheckEntry    ExitReason = 41
	ExitReasonTPRBelowThreshold    ExitReason = 43
	ExitReasonAPICAccess           ExitReason = 44
	ExitReasonVirtualizedEOI       ExitReason = 45
	ExitReasonGDTRIDTR             ExitReason = 46
	ExitReasonLDTRTR               ExitReason = 47
	ExitReasonEPTViolation         ExitReason = 48
	ExitReasonEPTMisconfiguration  ExitReason = 49
	ExitReasonINVEPT               ExitReason = 50
	ExitReasonRDTSCP               ExitReason = 51
	ExitReasonPreemptionTimer      ExitReason = 52
	ExitReasonINVVPID              ExitReason = 53
	ExitReasonWBINVD               ExitReason = 54
	ExitReasonXSETBV               ExitReason = 55
	ExitReasonAPICWrite            ExitReason = 56
	ExitReasonRDRAND               ExitReason = 57
	ExitReasonINVPCID              ExitReason = 58
	ExitReasonVMFUNC               ExitReason = 59
	ExitReasonENCLS                ExitReason = 60
	ExitReasonRDSEED               ExitReason = 61
	ExitReasonPageModificationFull ExitReason = 62
	ExitReasonXSAVES               ExitReason = 63
	ExitReasonXRSTORS              ExitReason = 64
	ExitReasonPCONFIG              ExitReason = 65
	ExitReasonSPPEvent             ExitReason = 66
	ExitReasonUMWAIT               ExitReason = 67
	ExitReasonTPAUSE               ExitReason = 68
	ExitReasonLOADIWKEY            ExitReason = 69
	ExitReasonENCLV                ExitReason = 70
	ExitReasonENQCMDPasid          ExitReason = 72
	ExitReasonENQCMDSPasid         ExitReason = 73
	ExitReasonBusLock              ExitReason = 74
	ExitReasonInstructionTimeout   ExitReason = 75
	ExitReasonSEAMCALL             ExitReason = 76
	ExitReasonTDCALL               ExitReason = 77
	ExitReasonRDMSRLIST            ExitReason = 78
	ExitReasonWRMSRLIST            ExitReason = 79
	ExitReasonURDMSR               ExitReason = 80
	ExitReasonUWRMSR               ExitReason = 81
	ExitReasonRDMSRImmediate       ExitReason = 84
	ExitReasonWRMSRNSImmediate     ExitReason = 85
)

// entryFailure is bit 31 of the exit reason: the VM entry failed.
const entryFailure = 1 << 31

// reasonNames are the manual's names by number.
var reasonNames = [...]string{
	ExitReasonExceptionNMI:         "Exception or non-maskable interrupt (NMI)",
	ExitReasonExternalInterrupt:    "External interrupt",
	ExitReasonTripleFault:          "Triple fault",
	ExitReasonINIT:                 "INIT signal",
	ExitReasonSIPI:                 "Start-up IPI (SIPI)",
	ExitReasonIOSMI:                "I/O system-management interrupt (SMI)",
	ExitReasonOtherSMI:             "Other SMI",
	ExitReasonInterruptWindow:      "Interrupt window",
	ExitReasonNMIWindow:            "NMI window",
	ExitReasonTaskSwitch:           "Task switch",
	ExitReasonCPUID:                "CPUID",
	ExitReasonGETSEC:               "GETSEC",
	ExitReasonHLT:                  "HLT",
	ExitReasonINVD:                 "INVD",
	ExitReasonINVLPG:               "INVLPG",
	ExitReasonRDPMC:                "RDPMC",
	ExitReasonRDTSC:                "RDTSC",
	ExitReasonRSM:                  "RSM",
	ExitReasonVMCALL:               "VMCALL",
	ExitReasonVMCLEAR:              "VMCLEAR",
	ExitReasonVMLAUNCH:             "VMLAUNCH",
	ExitReasonVMPTRLD:              "VMPTRLD",
	ExitReasonVMPTRST:              "VMPTRST",
	ExitReasonVMREAD:               "VMREAD",
	ExitReasonVMRESUME:             "VMRESUME",
	ExitReasonVMWRITE:              "VMWRITE",
	ExitReasonVMXOFF:               "VMXOFF",
	ExitReasonVMXON:                "VMXON",
	ExitReasonCR:                   "Control-register accesses",
	ExitReasonMOVDR:                "MOV DR",
	ExitReasonIO:                   "I/O instruction",
	ExitReasonRDMSR:                "RDMSR",
	ExitReasonWRMSR:                "WRMSR",
	ExitReasonInvalidGuestState:    "VM-entry failure due to invalid guest state",
	ExitReasonMSRLoading:           "VM-entry failure due to MSR loading",
	ExitReasonMWAIT:                "MWAIT",
	ExitReasonMonitorTrapFlag:      "Monitor trap flag",
	ExitReasonMONITOR:              "MONITOR",
	ExitReasonPAUSE:                "PAUSE",
	ExitReasonMachineCheckEntry:    "VM-entry failure due to machine-check event",
	ExitReasonTPRBelowThreshold:    "TPR below threshold",
	ExitReasonAPICAccess:           "APIC access",
	ExitReasonVirtualizedEOI:       "Virtualized EOI",
	ExitReasonGDTRIDTR:             "Access to GDTR or IDTR",
	ExitReasonLDTRTR:               "Access to LDTR or TR",
	ExitReasonEPTViolation:         "EPT violation",
	ExitReasonEPTMisconfiguration:  "EPT misconfiguration",
	ExitReasonINVEPT:               "INVEPT",
	ExitReasonRDTSCP:               "RDTSCP",
	ExitReasonPreemptionTimer:      "VMX-preemption timer expired",
	ExitReasonINVVPID:              "INVVPID",
	ExitReasonWBINVD:               "WBINVD or WBNOINVD",
	ExitReasonXSETBV:               "XSETBV",
	ExitReasonAPICWrite:            "APIC write",
	ExitReasonRDRAND:               "RDRAND",
	ExitReasonINVPCID:              "INVPCID",
	ExitReasonVMFUNC:               "VMFUNC",
	ExitReasonENCLS:                "ENCLS",
	ExitReasonRDSEED:               "RDSEED",
	ExitReasonPageModificationFull: "Page-modification log full",
	ExitReasonXSAVES:               "XSAVES",
	ExitReasonXRSTORS:              "XRSTORS",
	ExitReasonPCONFIG:              "PCONFIG",
	ExitReasonSPPEvent:             "SPP-related event",
	ExitReasonUMWAIT:               "UMWAIT",
	ExitReasonTPAUSE:               "TPAUSE",
	ExitReasonLOADIWKEY:            "LOADIWKEY",
	ExitReasonENCLV:                "ENCLV",
	ExitReasonENQCMDPasid:          "ENQCMD PASID translation failure",
	ExitReasonENQCMDSPasid:         "ENQCMDS PASID translation failure",
	ExitReasonBusLock:              "Bus lock",
	ExitReasonInstructionTimeout:   "Instruction timeout",
	ExitReasonSEAMCALL:             "SEAMCALL",
	ExitReasonTDCALL:               "TDCALL",
	ExitReasonRDMSRLIST:            "RDMSRLIST",
	ExitReasonWRMSRLIST:            "WRMSRLIST",
	ExitReasonURDMSR:               "URDMSR",
	ExitReasonUWRMSR:               "UWRMSR",
	ExitReasonRDMSRImmediate:       "RDMSR (immediate)",
	ExitReasonWRMSRNSImmediate:     "WRMSRNS (immediate)",
}

// String is the manual's name of the reason.
func (r ExitReason) String() string {
	if int(r) < len(reasonNames) && reasonNames[r] != "" {
		return reasonNames[r]
	}
	return "basic exit reason " + strconv.Itoa(int(r))
}
