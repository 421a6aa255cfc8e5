package vmx

// Field is the encoding of a VMCS field (SDM volume 3D, appendix B "Field
// Encoding in VMCS").
type Field uint32

// 16-bit fields (sections B.1.1 to B.1.3).
const (
	FieldVPID              Field = 0x0000
	FieldGuestESSelector   Field = 0x0800
	FieldGuestCSSelector   Field = 0x0802
	FieldGuestSSSelector   Field = 0x0804
	FieldGuestDSSelector   Field = 0x0806
	FieldGuestFSSelector   Field = 0x0808
	FieldGuestGSSelector   Field = 0x080A
	FieldGuestLDTRSelector Field = 0x080C
	FieldGuestTRSelector   Field = 0x080E
	// FieldGuestInterruptStatus has RVI in its low byte and SVI in the high one.
	FieldGuestInterruptStatus Field = 0x0810
	FieldGuestPMLIndex        Field = 0x0812
	FieldHostESSelector       Field = 0x0C00
	FieldHostCSSelector       Field = 0x0C02
	FieldHostSSSelector       Field = 0x0C04
	FieldHostDSSelector       Field = 0x0C06
	FieldHostFSSelector       Field = 0x0C08
	FieldHostGSSelector       Field = 0x0C0A
	FieldHostTRSelector       Field = 0x0C0C
)

// 64-bit fields (sections B.2.1 to B.2.4).
const (
	FieldIOBitmapA            Field = 0x2000
	FieldIOBitmapB            Field = 0x2002
	FieldMSRBitmaps           Field = 0x2004
	FieldExitMSRStoreAddr     Field = 0x2006
	FieldExitMSRLoadAddr      Field = 0x2008
	FieldEntryMSRLoadAddr     Field = 0x200A
	FieldPMLAddress           Field = 0x200E
	FieldTSCOffset            Field = 0x2010
	FieldVirtualAPICAddr      Field = 0x2012
	FieldEPTP                 Field = 0x201A
	FieldEOIExitBitmap0       Field = 0x201C // to 0x2022, for 64 vectors each
	FieldXSSExitingBitmap     Field = 0x202C
	FieldTSCMultiplier        Field = 0x2032
	FieldGuestPhysicalAddress Field = 0x2400
	FieldVMCSLinkPointer      Field = 0x2800
	FieldGuestDebugCtl        Field = 0x2802
	FieldGuestPAT             Field = 0x2804
	FieldGuestEFER            Field = 0x2806
	FieldGuestPDPTE0          Field = 0x280A
	FieldGuestPDPTE1          Field = 0x280C
	FieldGuestPDPTE2          Field = 0x280E
	FieldGuestPDPTE3          Field = 0x2810
	FieldHostPAT              Field = 0x2C00
	FieldHostEFER             Field = 0x2C02
)

// 32-bit fields (sections B.3.1 to B.3.4).
const (
	FieldPinBasedControls        Field = 0x4000
	FieldPrimaryControls         Field = 0x4002
	FieldExceptionBitmap         Field = 0x4004
	FieldPageFaultMask           Field = 0x4006
	FieldPageFaultMatch          Field = 0x4008
	FieldCR3TargetCount          Field = 0x400A
	FieldExitControls            Field = 0x400C
	FieldExitMSRStoreCount       Field = 0x400E
	FieldExitMSRLoadCount        Field = 0x4010
	FieldEntryControls           Field = 0x4012
	FieldEntryMSRLoadCount       Field = 0x4014
	FieldEntryInterruptionInfo   Field = 0x4016
	FieldEntryExceptionErrorCode Field = 0x4018
	FieldEntryInstructionLength  Field = 0x401A
	FieldTPRThreshold            Field = 0x401C
	FieldSecondaryControls       Field = 0x401E
	FieldPLEGap                  Field = 0x4020
	FieldPLEWindow               Field = 0x4022
	FieldInstructionError        Field = 0x4400
	FieldExitReason              Field = 0x4402
	FieldExitInterruptionInfo    Field = 0x4404
	FieldExitInterruptionError   Field = 0x4406
	FieldIDTVectoringInfo        Field = 0x4408
	FieldIDTVectoringErrorCode   Field = 0x440A
	FieldExitInstructionLength   Field = 0x440C
	FieldExitInstructionInfo     Field = 0x440E
	FieldGuestESLimit            Field = 0x4800
	FieldGuestCSLimit            Field = 0x4802
	FieldGuestSSLimit            Field = 0x4804
	FieldGuestDSLimit            Field = 0x4806
	FieldGuestFSLimit            Field = 0x4808
	FieldGuestGSLimit            Field = 0x480A
	FieldGuestLDTRLimit          Field = 0x480C
	FieldGuestTRLimit            Field = 0x480E
	FieldGuestGDTRLimit          Field = 0x4810
	FieldGuestIDTRLimit          Field = 0x4812
	FieldGuestESAccessRights     Field = 0x4814
	FieldGuestCSAccessRights     Field = 0x4816
	FieldGuestSSAccessRights     Field = 0x4818
	FieldGuestDSAccessRights     Field = 0x481A
	FieldGuestFSAccessRights     Field = 0x481C
	FieldGuestGSAccessRights     Field = 0x481E
	FieldGuestLDTRAccessRights   Field = 0x4820
	FieldGuestTRAccessRights     Field = 0x4822
	FieldGuestInterruptibility   Field = 0x4824
	FieldGuestActivity           Field = 0x4826
	FieldGuestSysenterCS         Field = 0x482A
	FieldPreemptionTimer         Field = 0x482E
	FieldHostSysenterCS          Field = 0x4C00
)

// Natural-width fields (sections B.4.1 to B.4.4).
const (
	FieldCR0Mask            Field = 0x6000
	FieldCR4Mask            Field = 0x6002
	FieldCR0ReadShadow      Field = 0x6004
	FieldCR4ReadShadow      Field = 0x6006
	FieldExitQualification  Field = 0x6400
	FieldGuestLinearAddress Field = 0x640A
	FieldGuestCR0           Field = 0x6800
	FieldGuestCR3           Field = 0x6802
	FieldGuestCR4           Field = 0x6804
	FieldGuestESBase        Field = 0x6806
	FieldGuestCSBase        Field = 0x6808
	FieldGuestSSBase        Field = 0x680A
	FieldGuestDSBase        Field = 0x680C
	FieldGuestFSBase        Field = 0x680E
	FieldGuestGSBase        Field = 0x6810
	FieldGuestLDTRBase      Field = 0x6812
	FieldGuestTRBase        Field = 0x6814
	FieldGuestGDTRBase      Field = 0x6816
	FieldGuestIDTRBase      Field = 0x6818
	FieldGuestDR7           Field = 0x681A
	FieldGuestRSP           Field = 0x681C
	FieldGuestRIP           Field = 0x681E
	FieldGuestRFLAGS        Field = 0x6820
	FieldGuestPendingDebug  Field = 0x6822
	FieldGuestSysenterESP   Field = 0x6824
	FieldGuestSysenterEIP   Field = 0x6826
	FieldHostCR0            Field = 0x6C00
	FieldHostCR3            Field = 0x6C02
	FieldHostCR4            Field = 0x6C04
	FieldHostFSBase         Field = 0x6C06
	FieldHostGSBase         Field = 0x6C08
	FieldHostTRBase         Field = 0x6C0A
	FieldHostGDTRBase       Field = 0x6C0C
	FieldHostIDTRBase       Field = 0x6C0E
	FieldHostSysenterESP    Field = 0x6C10
	FieldHostSysenterEIP    Field = 0x6C12
	FieldHostRSP            Field = 0x6C14
	FieldHostRIP            Field = 0x6C16
)
