package vmx

// Bits of the pin-based VM-execution controls (SDM volume 3C, section 25.6.1).
const (
	PinExternalInterruptExiting = 1 << 0
	PinNMIExiting               = 1 << 3
	PinVirtualNMIs              = 1 << 5
	PinPreemptionTimer          = 1 << 6
	PinPostedInterrupts         = 1 << 7
)

// Bits of the primary processor-based VM-execution controls (section 25.6.2).
const (
	PrimaryInterruptWindowExiting = 1 << 2
	PrimaryUseTSCOffsetting       = 1 << 3
	PrimaryHLTExiting             = 1 << 7
	PrimaryINVLPGExiting          = 1 << 9
	PrimaryMWAITExiting           = 1 << 10
	PrimaryRDPMCExiting           = 1 << 11
	PrimaryRDTSCExiting           = 1 << 12
	PrimaryCR3LoadExiting         = 1 << 15
	PrimaryCR3StoreExiting        = 1 << 16
	PrimaryTertiary               = 1 << 17
	PrimaryCR8LoadExiting         = 1 << 19
	PrimaryCR8StoreExiting        = 1 << 20
	PrimaryUseTPRShadow           = 1 << 21
	PrimaryNMIWindowExiting       = 1 << 22
	PrimaryMOVDRExiting           = 1 << 23
	PrimaryUnconditionalIO        = 1 << 24
	PrimaryUseIOBitmaps           = 1 << 25
	PrimaryMonitorTrapFlag        = 1 << 27
	PrimaryUseMSRBitmaps          = 1 << 28
	PrimaryMONITORExiting         = 1 << 29
	PrimaryPAUSEExiting           = 1 << 30
	PrimarySecondaryControls      = 1 << 31
)

// Bits of the secondary processor-based VM-execution controls.
const (
	SecondaryVirtualizeAPIC    = 1 << 0
	SecondaryEPT               = 1 << 1
	SecondaryDescriptorTable   = 1 << 2
	SecondaryRDTSCP            = 1 << 3
	SecondaryVirtualizeX2APIC  = 1 << 4
	SecondaryVPID              = 1 << 5
	SecondaryWBINVDExiting     = 1 << 6
	SecondaryUnrestrictedGuest = 1 << 7
	SecondaryAPICRegister      = 1 << 8
	SecondaryVirtualInterrupt  = 1 << 9
	SecondaryPAUSELoopExiting  = 1 << 10
	SecondaryRDRANDExiting     = 1 << 11
	SecondaryINVPCID           = 1 << 12
	SecondaryVMFUNC            = 1 << 13
	SecondaryVMCSShadowing     = 1 << 14
	SecondaryENCLSExiting      = 1 << 15
	SecondaryRDSEEDExiting     = 1 << 16
	SecondaryPML               = 1 << 17
	SecondaryEPTViolationVE    = 1 << 18
	SecondaryConcealPT         = 1 << 19
	SecondaryXSAVES            = 1 << 20
	SecondaryTSCScaling        = 1 << 25
	SecondaryUserWait          = 1 << 26
)

// Bits of the VM-exit controls (section 25.7.1).
const (
	ExitSaveDebugControls       = 1 << 2
	ExitHostAddressSpace        = 1 << 9
	ExitLoadPerfGlobalCtrl      = 1 << 12
	ExitAcknowledgeInterrupt    = 1 << 15
	ExitSavePAT                 = 1 << 18
	ExitLoadPAT                 = 1 << 19
	ExitSaveEFER                = 1 << 20
	ExitLoadEFER                = 1 << 21
	ExitSavePreemptionTimer     = 1 << 22
	ExitClearBNDCFGS            = 1 << 23
	ExitConcealPT               = 1 << 24
	ExitSecondaryVMExitControls = 1 << 31
)

// Bits of the VM-entry controls (section 25.8.1).
const (
	EntryLoadDebugControls  = 1 << 2
	EntryIA32eGuest         = 1 << 9
	EntrySMM                = 1 << 10
	EntryLoadPerfGlobalCtrl = 1 << 13
	EntryLoadPAT            = 1 << 14
	EntryLoadEFER           = 1 << 15
	EntryLoadBNDCFGS        = 1 << 16
)

// Bits of the EPT pointer (section 25.6.11).
const (
	eptpWriteBack = 6
	eptpWalk4     = 3 << 3
	eptpAccessed  = 1 << 6 // accessed and dirty flags
)

// Fields of the interruption information of an entry or exit, and of the
// IDT-vectoring information (sections 25.8.3, 25.9.2 and 25.9.3).
const (
	EventVectorMask    = 0xFF
	EventTypeMask      = 7 << 8
	EventTypeExternal  = 0 << 8
	EventTypeNMI       = 2 << 8
	EventTypeException = 3 << 8 // by hardware
	EventTypeSoftInt   = 4 << 8
	EventTypePrivSoft  = 5 << 8 // INT1
	EventTypeSoftExc   = 6 << 8 // INT3, INTO
	EventErrorCode     = 1 << 11
	EventUnblockedNMI  = 1 << 12 // of an exit: IRET had ended the blocking
	EventValid         = 1 << 31
)

// Bits of the guest's interruptibility state (section 25.4.2).
const (
	BlockingSTI   = 1 << 0
	BlockingMovSS = 1 << 1
	BlockingSMI   = 1 << 2
	BlockingNMI   = 1 << 3

	shadowBits = BlockingSTI | BlockingMovSS
)

// pendingBS is bit 14 of the pending debug exceptions: a single step.
const pendingBS = 1 << 14

// exceptionBitmap: #DB and #AC, because a guest whose delivery of either
// raises it again would keep the processor in microcode for ever; #MC, because
// the error is the host's.
const exceptionBitmap = 1<<1 | 1<<17 | 1<<18
