package x86

// Architectural model-specific registers in the order of their numbers (SDM
// volume 4, section 2.1 "Architectural MSRs"). AMD's processors give those
// that they have the same numbers; what only AMD defines is in msr_amd.go.
const (
	MSRP5MCAddr            = 0x00
	MSRP5MCType            = 0x01
	MSRMonitorFilterSize   = 0x06
	MSRTSC                 = 0x10
	MSRPlatformID          = 0x17
	MSRAPICBase            = 0x1B
	MSREBLCrPowerOn        = 0x2A
	MSRSMICount            = 0x34
	MSRFeatureControl      = 0x3A
	MSRTSCAdjust           = 0x3B
	MSRSpecCtrl            = 0x48
	MSRPredCmd             = 0x49
	MSRPPINCtl             = 0x4E
	MSRPPIN                = 0x4F
	MSRBiosUpdtTrig        = 0x79
	MSRBiosSignID          = 0x8B
	MSRSMMMonitorCtl       = 0x9B
	MSRSMBase              = 0x9E
	MSRPMC0                = 0xC1
	MSRPMC1                = 0xC2
	MSRPMC2                = 0xC3
	MSRPMC3                = 0xC4
	MSRFSBFreq             = 0xCD
	MSRPlatformInfo        = 0xCE
	MSRCoreCapabilities    = 0xCF
	MSRPkgCstConfigControl = 0xE2
	MSRMPERF               = 0xE7
	MSRAPERF               = 0xE8
	MSRMTRRCap             = 0xFE
	MSRArchCapabilities    = 0x10A
	MSRFlushCmd            = 0x10B
	MSRBBLCrCtl3           = 0x11E
	MSRTSXCtrl             = 0x122
	MSRMCUOptCtrl          = 0x123
	MSRMiscFeaturesEnables = 0x140
	MSRSysenterCS          = 0x174
	MSRSysenterESP         = 0x175
	MSRSysenterEIP         = 0x176
	MSRMCGCap              = 0x179
	MSRMCGStatus           = 0x17A
	MSRMCGCtl              = 0x17B
	MSRPerfEvtSel0         = 0x186
	MSRPerfEvtSel1         = 0x187
	MSRPerfEvtSel2         = 0x188
	MSRPerfEvtSel3         = 0x189
	MSRPerfStatus          = 0x198
	MSRPerfCtl             = 0x199
	MSRClockModulation     = 0x19A
	MSRThermInterrupt      = 0x19B
	MSRThermStatus         = 0x19C
	MSRTherm2Ctl           = 0x19D
	MSRMiscEnable          = 0x1A0
	MSRTemperatureTarget   = 0x1A2
	MSRMiscFeatureControl  = 0x1A4
	MSROffcoreRsp0         = 0x1A6
	MSROffcoreRsp1         = 0x1A7
	MSRTurboRatioLimit     = 0x1AD
	MSREnergyPerfBias      = 0x1B0
	MSRPackageThermStatus  = 0x1B1
	MSRPackageThermIntr    = 0x1B2
	MSRXFD                 = 0x1C4
	MSRXFDErr              = 0x1C5
	MSRLBRSelect           = 0x1C8
	MSRLBRTOS              = 0x1C9
	MSRDebugCtl            = 0x1D9
	MSRLastBranchFromIP    = 0x1DB
	MSRLastBranchToIP      = 0x1DC
	MSRLastIntFromIP       = 0x1DD
	MSRLastIntToIP         = 0x1DE
	MSRSMRRPhysBase        = 0x1F2
	MSRSMRRPhysMask        = 0x1F3
	MSRPowerCtl            = 0x1FC
)

// Memory type range registers (SDM volume 3A, section 12.11 "Memory Type
// Range Registers (MTRRs)"). Pair n of the variable ranges is at
// MSRMTRRPhysBase0+2n and MSRMTRRPhysMask0+2n.
const (
	MSRMTRRPhysBase0    = 0x200
	MSRMTRRPhysMask0    = 0x201
	MSRMTRRPhysBase7    = 0x20E
	MSRMTRRPhysMask7    = 0x20F
	MSRMTRRPhysMask9    = 0x213
	MSRMTRRFix64K00000  = 0x250
	MSRMTRRFix16K80000  = 0x258
	MSRMTRRFix16KA0000  = 0x259
	MSRMTRRFix4KC0000   = 0x268
	MSRMTRRFix4KC8000   = 0x269
	MSRMTRRFix4KD0000   = 0x26A
	MSRMTRRFix4KD8000   = 0x26B
	MSRMTRRFix4KE0000   = 0x26C
	MSRMTRRFix4KE8000   = 0x26D
	MSRMTRRFix4KF0000   = 0x26E
	MSRMTRRFix4KF8000   = 0x26F
	MSRPAT              = 0x277
	MSRMC0Ctl2          = 0x280
	MSRMTRRDefType      = 0x2FF
	MSRFixedCtr0        = 0x309
	MSRFixedCtr1        = 0x30A
	MSRFixedCtr2        = 0x30B
	MSRPerfCapabilities = 0x345
	MSRFixedCtrCtrl     = 0x38D
	MSRPerfGlobalStatus = 0x38E
	MSRPerfGlobalCtrl   = 0x38F
	MSRPerfGlobalOvf    = 0x390
	MSRPEBSEnable       = 0x3F1
	MSRMC0Ctl           = 0x400
	MSRMC0Status        = 0x401
	MSRMC0Addr          = 0x402
	MSRMC0Misc          = 0x403
	MSRVMXBasic         = 0x480
	MSRVMXVMFunc        = 0x491
	MSRRTITCtl          = 0x570
	MSRDSArea           = 0x600
	MSRRAPLPowerUnit    = 0x606
	MSRPkgEnergyStatus  = 0x611
	MSRDRAMEnergyStatus = 0x619
	MSRPP0EnergyStatus  = 0x639
	MSRPP1EnergyStatus  = 0x641
	MSRUCET             = 0x6A0
	MSRSCET             = 0x6A2
	MSRPL0SSP           = 0x6A4
	MSRPL3SSP           = 0x6A7
	MSRIntSSPTable      = 0x6A8
	MSRTSCDeadline      = 0x6E0
	MSRPKRS             = 0x6E1
	MSRPMEnable         = 0x770
	MSRHWPCapabilities  = 0x771
	MSRx2APICBase       = 0x800 // x2APIC register i is at MSRx2APICBase+i
	MSRx2APICLast       = 0x8FF
	MSRXSS              = 0xDA0
	MSRLBRCtl           = 0x14CE
)

// MSRs of 64-bit mode, in both vendors' manuals.
const (
	MSREFER         = 0xC0000080
	MSRSTAR         = 0xC0000081
	MSRLSTAR        = 0xC0000082
	MSRCSTAR        = 0xC0000083
	MSRSFMASK       = 0xC0000084
	MSRFSBase       = 0xC0000100
	MSRGSBase       = 0xC0000101
	MSRKernelGSBase = 0xC0000102
	MSRTSCAux       = 0xC0000103
)

// Bits of IA32_APIC_BASE (SDM volume 3A, section 11.4.4 "Local APIC Status
// and Location").
const (
	APICBaseBSP    = 1 << 8
	APICBaseX2APIC = 1 << 10
	APICBaseEnable = 1 << 11
	// APICBaseDefault is the address of the xAPIC page after RESET.
	APICBaseDefault = 0xFEE00000
)

// Bits of IA32_MISC_ENABLE that software reads at boot.
const (
	MiscEnableFastStrings = 1 << 0
	MiscEnablePerfmon     = 1 << 7
	MiscEnableNoBTS       = 1 << 11
	MiscEnableNoPEBS      = 1 << 12
	MiscEnableEIST        = 1 << 16
	MiscEnableMonitor     = 1 << 18
	MiscEnableLimitCPUID  = 1 << 22
	MiscEnableXDDisable   = 1 << 34
)

// PATDefault is IA32_PAT after RESET (SDM volume 3A, section 12.12.4
// "Programming the PAT").
const PATDefault = 0x0007040600070406
