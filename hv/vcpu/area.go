package vcpu

import (
	"sync/atomic"
	"unsafe"

	"ringo/x86"
)

// Requests that other CPUs leave in Area.Request before a Kick.
const (
	RequestExit  = 1 << iota // return to Go with KindKick
	RequestNMI               // deliver an NMI
	RequestINIT              // INIT was received
	RequestSIPI              // a start-up IPI was received; vector in Area.SIPI
	RequestFlush             // forget the guest's own cached translations
)

// MaxVCPUs bounds the vCPUs of one VM.
const MaxVCPUs = 256

// Sizes of the tables in Area.
const (
	CPUIDEntries    = 100
	DoorbellEntries = 64
)

// CPUIDEntry is one answer to CPUID. A leaf whose answer depends on live
// state (OSXSAVE, the APIC ID, XCR0's size) is marked Slow or patched by the
// owner when that state changes.
type CPUIDEntry struct {
	Leaf, Subleaf      uint32
	Match              uint32 // 1: Subleaf matters; 0: any subleaf
	Slow               uint32 // 1: take it to Go (KindCPUID)
	EAX, EBX, ECX, EDX uint32
}

// Doorbell is an address whose write wakes a waiter instead of running a
// device model.
type Doorbell struct {
	Addr  uint64 // GPA, or port number
	Match uint64 // value that rings, when Exact
	Exact uint8
	Port  uint8 // 1: Addr is a port
	Size  uint8
	Used  uint8
	Event uint32 // the nucleus's event to signal
}

// APIC register indices: the register's offset in the xAPIC page divided by
// 16, which is also its x2APIC MSR less 800H (SDM volume 3A, table "Local
// APIC Register Address Map").
const (
	APICID         = 0x02
	APICVersion    = 0x03
	APICTPR        = 0x08
	APICPPR        = 0x0A
	APICEOI        = 0x0B
	APICLDR        = 0x0D
	APICDFR        = 0x0E
	APICSVR        = 0x0F
	APICISR        = 0x10 // to 0x17
	APICTMR        = 0x18 // to 0x1F
	APICIRR        = 0x20 // to 0x27
	APICESR        = 0x28
	APICLVTCMCI    = 0x2F
	APICICR        = 0x30 // low half; 0x31 high half in xAPIC mode
	APICICRHigh    = 0x31
	APICLVTTimer   = 0x32
	APICLVTThermal = 0x33
	APICLVTPerf    = 0x34
	APICLVTLINT0   = 0x35
	APICLVTLINT1   = 0x36
	APICLVTError   = 0x37
	APICInitCount  = 0x38
	APICCurCount   = 0x39
	APICDivide     = 0x3E
	APICSelfIPI    = 0x3F
)

// APICPage is a local APIC's registers as the xAPIC lays them out: each
// register is the first word of 16 bytes. TMR words are changed by any CPU with
// atomic operations; everything else belongs to the vCPU, IRR too, because a
// processor that delivers interrupts by itself changes it without a lock: others
// post to Area.Posted.
type APICPage [256][4]uint32

// Reg is a register's word.
func (p *APICPage) Reg(i uint32) *uint32 { return &p[i&0xff][0] }

// Area is the memory of one vCPU that the fast path, the backend and the
// device models share. It holds no Go pointer and lives in frames outside the
// Go heap, so that the nucleus can touch it with no P. While the vCPU runs it
// belongs to the CPU that runs it; fields marked "any CPU" are atomic.
type Area struct {
	// APIC is first: hardware that virtualizes the APIC wants it page-aligned.
	APIC APICPage

	// Request, SIPI and PendingIRQ are written by any CPU.
	Request    atomic.Uint32
	SIPI       atomic.Uint32 // start-up vector
	PendingIRQ atomic.Uint32 // not 0 after a bit was set in IRR or Posted: look again
	ExtINT     atomic.Uint32 // 1 while the PIC's INTR line is up (Go acknowledges)
	// Posted are interrupts on their way to IRR, a bit for each vector (any CPU).
	Posted [8]atomic.Uint32
	_      [4]uint32

	// GPR, RIP and RFLAGS are the truth while the vCPU is outside Run;
	// inside, RAX, RSP, RIP and RFLAGS live in the vendor's structure.
	GPR    [x86.NumGPR]uint64
	RIP    uint64
	RFLAGS uint64

	// ID is the vCPU's number and x2APIC ID.
	ID uint32
	// Activity is an x86.Activity.
	Activity uint32
	// APICBase is IA32_APIC_BASE.
	APICBase uint64
	// TimerTSC is the host TSC at which the local APIC timer fires, 0 if not
	// armed. TimerArm is the host TSC at which it was armed.
	TimerTSC uint64
	TimerArm uint64
	// TimerPeriod is the period in host TSC ticks in periodic mode, or 0.
	TimerPeriod uint64
	// TSCDeadline is the guest's IA32_TSC_DEADLINE.
	TSCDeadline uint64
	// TSCOffset is added to the host's TSC, scaled by VMArea.TSCRatio, to give
	// the guest's: GuestTSC and SetGuestTSC in tsc.go.
	TSCOffset uint64
	// TSCAdjust is the guest's IA32_TSC_ADJUST. It moves with TSCOffset.
	TSCAdjust uint64

	// Sched is for the backend: where the nucleus keeps this vCPU.
	Sched uintptr
	// VM is the address of the VMArea.
	VM uintptr

	// Counters of exits, by Kind, and of those finished in the fast path.
	Exits [NumKinds]uint64
	Fast  [NumKinds]uint64
	// GuestTicks and HostTicks are TSC ticks spent inside and for the guest.
	GuestTicks, HostTicks uint64
	// Moves counts how often the vCPU went on on another CPU than before, and
	// Recalls how many of these times that CPU still held its state and was
	// made to give it up (VT-x).
	Moves, Recalls uint64

	NumCPUID     uint32
	NumDoorbells uint32
	CPUID        [CPUIDEntries]CPUIDEntry
	Doorbells    [DoorbellEntries]Doorbell
}

// VMArea gives the VM's shared memory, or nil for an Area that is in no VM.
func (a *Area) VMArea() *VMArea {
	return *(**VMArea)(unsafe.Pointer(&a.VM))
}

// VMArea is the pointer-free memory that the vCPUs of one VM share.
type VMArea struct {
	NumVCPUs uint32
	// X2APICBroadcast and the like need every vCPU: Areas holds the address
	// of each Area, by vCPU number.
	Areas [MaxVCPUs]uintptr
	// RunUntil is the host TSC after which no vCPU of this VM may enter the
	// guest, 0 for none (any CPU).
	RunUntil atomic.Uint64
	// Stage2Generation is the generation that Stage2 has reached (any CPU).
	Stage2Generation atomic.Uint64
	// TSCPerSec is the host's TSC frequency in Hz; APIC timer ticks are 1 ns.
	TSCPerSec uint64
	// TSCRatio is how many ticks the guests' TSCs advance in one of the host's,
	// with TSCFraction fraction bits; 0 stands for 1. It is set before the VM
	// first runs, and only where Caps.TSCScaling says that it has an effect.
	TSCRatio uint64
}

// Vcpu gives the Area of vCPU i, or nil.
func (v *VMArea) Vcpu(i uint32) *Area {
	if i >= v.NumVCPUs || i >= MaxVCPUs || v.Areas[i] == 0 {
		return nil
	}
	return *(**Area)(unsafe.Pointer(&v.Areas[i]))
}
