package msr

import "ringo/x86"

// Values that stand for a processor of no particular kind.
const (
	featureControlLocked = 1 << 0
	// microcodeRevision is high enough that no guest looks for a newer one.
	microcodeRevision = 0xFFFF_FFFF
	intelRevShift     = 32
)

// architectural has Intel's registers (SDM volume 4, section 2.1).
var architectural = []Register{
	{Number: x86.MSRP5MCAddr, Name: "P5_MC_ADDR", Class: Ignored},
	{Number: x86.MSRP5MCType, Name: "P5_MC_TYPE", Class: Ignored},
	{Number: x86.MSRTSC, Name: "TSC", Class: Live},
	{Number: x86.MSRPlatformID, Name: "PLATFORM_ID", Class: Ignored},
	{Number: x86.MSRAPICBase, Name: "APIC_BASE", Class: Live},
	{Number: x86.MSREBLCrPowerOn, Name: "EBL_CR_POWERON", Class: Ignored},
	{Number: x86.MSRSMICount, Name: "SMI_COUNT", Class: Constant},
	{Number: x86.MSRFeatureControl, Name: "FEATURE_CONTROL", Class: Constant, Reset: featureControlLocked},
	{Number: x86.MSRTSCAdjust, Name: "TSC_ADJUST", Class: Live},
	{Number: x86.MSRBiosUpdtTrig, Name: "BIOS_UPDT_TRIG", Class: Ignored},
	{Number: x86.MSRBiosSignID, Name: "BIOS_SIGN_ID", Class: Ignored, Reset: microcodeRevision<<intelRevShift | microcodeRevision},
	{Number: x86.MSRFSBFreq, Name: "FSB_FREQ", Class: Ignored},
	{Number: x86.MSRPlatformInfo, Name: "PLATFORM_INFO", Class: Constant},
	{Number: x86.MSRPkgCstConfigControl, Name: "PKG_CST_CONFIG_CONTROL", Class: Ignored},
	{Number: x86.MSRBBLCrCtl3, Name: "BBL_CR_CTL3", Class: Ignored},
	{Number: x86.MSRMiscFeaturesEnables, Name: "MISC_FEATURES_ENABLES", Class: Stored},
	{Number: x86.MSRSysenterCS, Name: "SYSENTER_CS", Class: Live},
	{Number: x86.MSRSysenterESP, Name: "SYSENTER_ESP", Class: Live},
	{Number: x86.MSRSysenterEIP, Name: "SYSENTER_EIP", Class: Live},
	// No banks and no control register: nothing is ever reported.
	{Number: x86.MSRMCGCap, Name: "MCG_CAP", Class: Constant},
	{Number: x86.MSRMCGStatus, Name: "MCG_STATUS", Class: Stored, Mask: 0x7},
	{Number: x86.MSRPerfStatus, Name: "PERF_STATUS", Class: Ignored},
	{Number: x86.MSRPerfCtl, Name: "PERF_CTL", Class: Ignored},
	{Number: x86.MSRClockModulation, Name: "CLOCK_MODULATION", Class: Ignored},
	{Number: x86.MSRThermInterrupt, Name: "THERM_INTERRUPT", Class: Ignored},
	{Number: x86.MSRThermStatus, Name: "THERM_STATUS", Class: Ignored},
	{Number: x86.MSRMiscEnable, Name: "MISC_ENABLE", Class: Stored,
		Mask:  miscEnableReset | x86.MiscEnableEIST | x86.MiscEnableMonitor | x86.MiscEnableXDDisable,
		Reset: miscEnableReset},
	{Number: x86.MSREnergyPerfBias, Name: "ENERGY_PERF_BIAS", Class: Ignored},
	{Number: x86.MSRDebugCtl, Name: "DEBUGCTL", Class: Live},
	{Number: x86.MSRPAT, Name: "PAT", Class: Live},
	{Number: x86.MSRTSCDeadline, Name: "TSC_DEADLINE", Class: Live},
}

const miscEnableReset = x86.MiscEnableFastStrings | x86.MiscEnableNoBTS | x86.MiscEnableNoPEBS

// longMode has the registers of 64-bit mode, the same in both manuals.
var longMode = []Register{
	{Number: x86.MSREFER, Name: "EFER", Class: Live},
	{Number: x86.MSRSTAR, Name: "STAR", Class: Live},
	{Number: x86.MSRLSTAR, Name: "LSTAR", Class: Live},
	{Number: x86.MSRCSTAR, Name: "CSTAR", Class: Live},
	{Number: x86.MSRSFMASK, Name: "SFMASK", Class: Live},
	{Number: x86.MSRFSBase, Name: "FS_BASE", Class: Live},
	{Number: x86.MSRGSBase, Name: "GS_BASE", Class: Live},
	{Number: x86.MSRKernelGSBase, Name: "KERNEL_GS_BASE", Class: Live},
	{Number: x86.MSRTSCAux, Name: "TSC_AUX", Class: Live},
}

// amd has AMD's registers (APM volume 2, appendix A). Guests touch the
// configuration registers by family, without asking CPUID.
var amd = []Register{
	{Number: x86.MSRAMDPerfEvtSel0, Name: "PerfEvtSel0", Class: Ignored},
	{Number: x86.MSRAMDPerfEvtSel0 + 1, Name: "PerfEvtSel1", Class: Ignored},
	{Number: x86.MSRAMDPerfEvtSel0 + 2, Name: "PerfEvtSel2", Class: Ignored},
	{Number: x86.MSRAMDPerfEvtSel3, Name: "PerfEvtSel3", Class: Ignored},
	{Number: x86.MSRAMDPerfCtr0, Name: "PerfCtr0", Class: Ignored},
	{Number: x86.MSRAMDPerfCtr0 + 1, Name: "PerfCtr1", Class: Ignored},
	{Number: x86.MSRAMDPerfCtr0 + 2, Name: "PerfCtr2", Class: Ignored},
	{Number: x86.MSRAMDPerfCtr3, Name: "PerfCtr3", Class: Ignored},
	{Number: x86.MSRSysCfg, Name: "SYSCFG", Class: Ignored},
	{Number: x86.MSRHWCR, Name: "HWCR", Class: Stored, Mask: hwcrMask, Reset: x86.HWCRTscFreqSel},
	{Number: x86.MSRTopMem, Name: "TOP_MEM", Class: Ignored},
	{Number: x86.MSRTopMem2, Name: "TOP_MEM2", Class: Ignored},
	{Number: x86.MSRNBCfg, Name: "NB_CFG", Class: Ignored},
	{Number: x86.MSRPatchLoader, Name: "PATCH_LOADER", Class: Ignored},
	{Number: x86.MSRIntPending, Name: "INT_PENDING", Class: Ignored},
	{Number: x86.MSRSMMBase, Name: "SMM_BASE", Class: Ignored},
	{Number: x86.MSRSMMAddr, Name: "SMM_ADDR", Class: Ignored},
	{Number: x86.MSRSMMMask, Name: "SMM_MASK", Class: Ignored},
	{Number: x86.MSRVMCR, Name: "VM_CR", Class: Constant, Reset: x86.VMCRSVMDIS | x86.VMCRLock},
	{Number: x86.MSRIGNNE, Name: "IGNNE", Class: Ignored},
	{Number: x86.MSROSVWIDLength, Name: "OSVW_ID_LENGTH", Class: Constant},
	{Number: x86.MSROSVWStatus, Name: "OSVW_STATUS", Class: Constant},
	{Number: x86.MSRLSCfg, Name: "LS_CFG", Class: Ignored},
	{Number: x86.MSRICCfg, Name: "IC_CFG", Class: Ignored},
	{Number: x86.MSRDCCfg, Name: "DC_CFG", Class: Ignored},
	{Number: x86.MSRBUCfg, Name: "BU_CFG", Class: Ignored},
	{Number: x86.MSRDECfg, Name: "DE_CFG", Class: Ignored, Reset: x86.DECfgLFENCESerialize},
	{Number: x86.MSRBUCfg2, Name: "BU_CFG2", Class: Ignored},
}

// hwcrMask has the bits of HWCR that system software sets: cache and TLB
// control that has no effect here, machine-check status writes and the TSC's
// clock.
const hwcrMask = 1<<3 | 1<<6 | 1<<8 | x86.HWCRMcStatusWrEn | x86.HWCRTscFreqSel

// paravirtual has the clock's registers, by their old and new numbers.
var paravirtual = []Register{
	{Number: x86.MSRKVMWallClock, Name: "KVM_WALL_CLOCK", Class: Live},
	{Number: x86.MSRKVMSystemTime, Name: "KVM_SYSTEM_TIME", Class: Live},
	{Number: x86.MSRKVMWallClockNew, Name: "KVM_WALL_CLOCK_NEW", Class: Live},
	{Number: x86.MSRKVMSystemTimeNew, Name: "KVM_SYSTEM_TIME_NEW", Class: Live},
}
