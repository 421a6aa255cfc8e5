package x86

// Indices into State.GPR, in the order of the instruction encoding
// (APM volume 3, section 1.4 "ModRM and SIB Bytes").
const (
	RAX = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
	NumGPR
)

// Indices into State.Seg, in the order of the Sreg encoding, then LDTR and TR.
const (
	ES = iota
	CS
	SS
	DS
	FS
	GS
	LDTR
	TR
	NumSeg
)

// Segment is a segment register with its hidden part.
type Segment struct {
	Selector uint16
	// Attr holds the access rights in the layout of the descriptor's bytes 5
	// and 6: type in bits 3:0, S bit 4, DPL 6:5, P bit 7, AVL bit 12, L bit
	// 13, D/B bit 14, G bit 15. Bit 16 set means that the segment is unusable
	// (SDM volume 3C, table "Format of Access Rights").
	Attr  uint32
	Limit uint32 // in bytes, already scaled by G
	Base  uint64
}

// Table is GDTR or IDTR.
type Table struct {
	Limit uint16
	Base  uint64
}

// Activity is what a processor does between instructions.
type Activity uint8

const (
	ActivityRunning  Activity = iota
	ActivityHalted            // HLT with no wake-up event yet
	ActivityWaitSIPI          // after INIT, before the start-up IPI
	ActivityShutdown          // after a triple fault
)

// Interruptibility holds what defers the next event.
type Interruptibility struct {
	STIShadow   bool // the instruction after STI has not completed
	MovSSShadow bool // the instruction after MOV SS or POP SS has not completed
	NMIBlocked  bool // an NMI handler runs: NMIs wait for IRET
}

// XSAVESize bounds the standard-format XSAVE image that State carries: legacy
// region, header, AVX, MPX, AVX-512 and PKRU, at the offsets of
// CPUID.0DH (SDM volume 1, section 13.5 "XSAVE-Managed State").
const XSAVESize = 4096

// State is the architectural state of one processor, the same whichever
// vendor's processor it was taken from. Groups of it move at once (Groups).
type State struct {
	GPR    [NumGPR]uint64
	RIP    uint64
	RFLAGS uint64

	CR0, CR2, CR3, CR4, CR8 uint64
	EFER                    uint64
	PDPTE                   [4]uint64 // meaningful in PAE paging only

	DR        [4]uint64 // DR0 to DR3
	DR6, DR7  uint64
	Seg       [NumSeg]Segment
	GDTR      Table
	IDTR      Table
	CPL       uint8
	Interrupt Interruptibility
	Activity  Activity

	STAR, LSTAR, CSTAR, SFMASK           uint64
	KernelGSBase                         uint64
	SysenterCS, SysenterESP, SysenterEIP uint64
	PAT                                  uint64
	TSCAux                               uint64
	SpecCtrl                             uint64
	DebugCtl                             uint64

	// TSC is the guest's own time stamp counter at the moment of Store.
	TSC uint64

	XCR0, XSS uint64
	// XSAVE is a standard-format XSAVE image (XSTATE_BV says what is in it).
	XSAVE [XSAVESize]byte
}

// Groups selects parts of a State (NOVA's masked transfer of register groups).
type Groups uint32

const (
	GroupGPR       Groups = 1 << iota // GPR
	GroupIP                           // RIP, RFLAGS
	GroupCR                           // CR0, CR2, CR3, CR4, CR8, EFER, PDPTE
	GroupDR                           // DR, DR6, DR7, DebugCtl
	GroupSeg                          // Seg, CPL
	GroupTable                        // GDTR, IDTR
	GroupSyscall                      // STAR, LSTAR, CSTAR, SFMASK, KernelGSBase
	GroupSysenter                     // SysenterCS, ESP, EIP
	GroupMSR                          // PAT, TSCAux, SpecCtrl
	GroupTSC                          // TSC
	GroupFPU                          // XCR0, XSS, XSAVE
	GroupInterrupt                    // Interrupt, Activity

	GroupAll Groups = 1<<iota - 1
)
