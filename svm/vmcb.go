package svm

// VMCBSize is the size in bytes of a VMCB, which starts on a page boundary.
const VMCBSize = 4096

// VMCB is a virtual machine control block: the control area in the first 1024
// bytes, then the state-save area (APM volume 2, appendix B "Layout of VMCB").
// The field names are the manual's.
type VMCB struct {
	Control ControlArea
	Save    SaveArea
}

// ControlArea is the VMCB's control area (APM volume 2, table B-1 "VMCB
// Layout, Control Area").
type ControlArea struct {
	InterceptCRRead    uint16    // 000H
	InterceptCRWrite   uint16    // 002H
	InterceptDRRead    uint16    // 004H
	InterceptDRWrite   uint16    // 006H
	InterceptException uint32    // 008H, a bit per vector
	InterceptMisc1     uint32    // 00CH
	InterceptMisc2     uint32    // 010H
	InterceptMisc3     uint32    // 014H
	_                  [36]byte  // 018H
	PauseFilterThresh  uint16    // 03CH
	PauseFilterCount   uint16    // 03EH
	IOPMBasePA         uint64    // 040H
	MSRPMBasePA        uint64    // 048H
	TSCOffset          uint64    // 050H
	GuestASID          uint32    // 058H
	TLBControl         uint32    // 05CH, low byte
	VIntr              uint64    // 060H, V_TPR to V_INTR_VECTOR
	InterruptShadow    uint64    // 068H, bit 1 is GUEST_INTERRUPT_MASK
	ExitCode           uint64    // 070H
	ExitInfo1          uint64    // 078H
	ExitInfo2          uint64    // 080H
	ExitIntInfo        uint64    // 088H
	NestedControl      uint64    // 090H, bit 0 is NP_ENABLE
	AVICBar            uint64    // 098H
	GHCB               uint64    // 0A0H
	EventInj           uint64    // 0A8H
	NCR3               uint64    // 0B0H
	LBRVirtualization  uint64    // 0B8H
	Clean              uint32    // 0C0H, VMCB clean bits
	_                  uint32    // 0C4H
	NRIP               uint64    // 0C8H
	FetchedBytes       uint8     // 0D0H, number of GuestBytes
	GuestBytes         [15]byte  // 0D1H
	AVICBackingPage    uint64    // 0E0H
	_                  uint64    // 0E8H
	AVICLogicalTable   uint64    // 0F0H
	AVICPhysicalTable  uint64    // 0F8H
	_                  uint64    // 100H
	VMSAPointer        uint64    // 108H
	_                  [752]byte // 110H
}

// SegmentRegister is a segment register in the state-save area. Attrib packs
// bits 55:52 and 47:40 of the descriptor into 12 bits.
type SegmentRegister struct {
	Selector uint16
	Attrib   uint16
	Limit    uint32
	Base     uint64
}

// SaveArea is the VMCB's state-save area (APM volume 2, table B-2 "VMCB
// Layout, State Save Area"). Offsets are within the area, which is at 400H.
type SaveArea struct {
	ES, CS, SS, DS, FS, GS SegmentRegister // 000H
	GDTR, LDTR, IDTR, TR   SegmentRegister // 060H
	_                      [43]byte        // 0A0H
	CPL                    uint8           // 0CBH
	_                      uint32          // 0CCH
	EFER                   uint64          // 0D0H
	_                      [112]byte       // 0D8H
	CR4                    uint64          // 148H
	CR3                    uint64          // 150H
	CR0                    uint64          // 158H
	DR7                    uint64          // 160H
	DR6                    uint64          // 168H
	RFLAGS                 uint64          // 170H
	RIP                    uint64          // 178H
	_                      [88]byte        // 180H
	RSP                    uint64          // 1D8H
	SCET                   uint64          // 1E0H
	SSP                    uint64          // 1E8H
	ISSTAddr               uint64          // 1F0H
	RAX                    uint64          // 1F8H
	STAR                   uint64          // 200H
	LSTAR                  uint64          // 208H
	CSTAR                  uint64          // 210H
	SFMASK                 uint64          // 218H
	KernelGSBase           uint64          // 220H
	SysenterCS             uint64          // 228H
	SysenterESP            uint64          // 230H
	SysenterEIP            uint64          // 238H
	CR2                    uint64          // 240H
	_                      [32]byte        // 248H
	GPAT                   uint64          // 268H
	DBGCTL                 uint64          // 270H
	BRFrom                 uint64          // 278H
	BRTo                   uint64          // 280H
	LastExcpFrom           uint64          // 288H
	LastExcpTo             uint64          // 290H
	_                      [72]byte        // 298H
	SpecCtrl               uint64          // 2E0H
	_                      [2328]byte      // 2E8H
}

// Fields of ControlArea.VIntr (offset 060H).
const (
	VTPRMask        = 0xFF
	VIRQ            = 1 << 8
	VINTRPrioShift  = 16
	VINTRPrioMask   = 0xF << VINTRPrioShift
	VIgnTPR         = 1 << 20
	VINTRMasking    = 1 << 24
	VINTRVecShift   = 32
	VINTRVectorMask = 0xFF << VINTRVecShift
)

// ShadowActive is bit 0 of ControlArea.InterruptShadow: the guest is in an
// interrupt shadow (APM volume 2, section 15.21.5 "Interrupt Shadows").
const ShadowActive = 1 << 0

// Values of ControlArea.TLBControl (APM volume 2, section 15.16.2 "TLB
// Control").
const (
	TLBDoNothing           = 0
	TLBFlushAll            = 1
	TLBFlushGuest          = 3 // the guest's ASID, with FlushByAsid
	TLBFlushGuestNonGlobal = 7
)

// NPEnable is bit 0 of ControlArea.NestedControl.
const NPEnable = 1 << 0

// Fields of EVENTINJ and EXITINTINFO (APM volume 2, sections 15.20 "Event
// Injection" and 15.7.2 "Intercepts During IDT Interrupt Delivery").
const (
	EventVectorMask     = 0xFF
	EventTypeShift      = 8
	EventTypeMask       = 7 << EventTypeShift
	EventTypeINTR       = 0 << EventTypeShift
	EventTypeNMI        = 2 << EventTypeShift
	EventTypeExcept     = 3 << EventTypeShift
	EventTypeSoft       = 4 << EventTypeShift
	EventEV             = 1 << 11 // an error code is pushed
	EventV              = 1 << 31
	EventErrorCodeShift = 32
)
