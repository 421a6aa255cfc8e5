package x86

// MSRs that AMD defines, in the order of their numbers (APM volume 2,
// appendix A "MSR Cross-Reference"; Processor Programming Reference).
const (
	MSRAMDPatchLevel   = 0x8B // the same register as MSRBiosSignID
	MSRTscRatio        = 0xC0000104
	MSRSMCABase        = 0xC0002000
	MSRSMCALast        = 0xC0002FFF
	MSRAMDPerfEvtSel0  = 0xC0010000
	MSRAMDPerfEvtSel3  = 0xC0010003
	MSRAMDPerfCtr0     = 0xC0010004
	MSRAMDPerfCtr3     = 0xC0010007
	MSRSysCfg          = 0xC0010010
	MSRHWCR            = 0xC0010015
	MSRIORRBase0       = 0xC0010016
	MSRIORRMask0       = 0xC0010017
	MSRIORRBase1       = 0xC0010018
	MSRIORRMask1       = 0xC0010019
	MSRTopMem          = 0xC001001A
	MSRTopMem2         = 0xC001001D
	MSRNBCfg           = 0xC001001F
	MSRPatchLoader     = 0xC0010020
	MSRIntPending      = 0xC0010055
	MSRPStateLimit     = 0xC0010061
	MSRPStateControl   = 0xC0010062
	MSRPStateStatus    = 0xC0010063
	MSRPState0         = 0xC0010064
	MSRPState7         = 0xC001006B
	MSRCStateBase      = 0xC0010073
	MSRSMMBase         = 0xC0010111
	MSRSMMAddr         = 0xC0010112
	MSRSMMMask         = 0xC0010113
	MSRVMCR            = 0xC0010114
	MSRIGNNE           = 0xC0010115
	MSRSMMCtl          = 0xC0010116
	MSRVMHSavePA       = 0xC0010117
	MSRSVMKey          = 0xC0010118
	MSRDoorbell        = 0xC001011B
	MSRVMPageFlush     = 0xC001011E
	MSRVirtSpecCtrl    = 0xC001011F
	MSRSEVStatus       = 0xC0010131
	MSROSVWIDLength    = 0xC0010140
	MSROSVWStatus      = 0xC0010141
	MSRAMDPerfCtl0     = 0xC0010200
	MSRAMDPerfCtrX0    = 0xC0010201
	MSRAMDPerfCtl5     = 0xC001020A
	MSRAMDPerfCtrX5    = 0xC001020B
	MSRL2PerfCtl0      = 0xC0010230
	MSRNBPerfCtl0      = 0xC0010240
	MSRRAPLPwrUnit     = 0xC0010299
	MSRCoreEnergyStat  = 0xC001029A
	MSRAMDPkgEnergy    = 0xC001029B
	MSRAMDPPINCtl      = 0xC00102F0
	MSRAMDPPIN         = 0xC00102F1
	MSRCPUIDFeatures7  = 0xC0011002
	MSRCPUIDFeatures   = 0xC0011004
	MSRCPUIDExtFeature = 0xC0011005
	MSRLSCfg           = 0xC0011020
	MSRICCfg           = 0xC0011021
	MSRDCCfg           = 0xC0011022
	MSRBUCfg           = 0xC0011023
	MSRFPCfg           = 0xC0011028
	MSRDECfg           = 0xC0011029
	MSRBUCfg2          = 0xC001102A
	MSRIBSFetchCtl     = 0xC0011030
	MSRIBSOpCtl        = 0xC0011033
	MSRIBSCtl          = 0xC001103A
)

// Bits of AMD's MSRs.
const (
	HWCRMcStatusWrEn = 1 << 18
	HWCRTscFreqSel   = 1 << 24 // the TSC counts at the P0 frequency
	VMCRSVMDIS       = 1 << 4  // EFER.SVME cannot be set
	VMCRLock         = 1 << 3  // VM_CR cannot be changed
	// DECfgLFENCESerialize makes LFENCE wait for older instructions.
	DECfgLFENCESerialize = 1 << 1
)
