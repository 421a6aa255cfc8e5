package svm

import (
	"sync/atomic"
	"unsafe"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/x86"
)

const pageSize = 4096

// vcpuMem is the memory of one vCPU: contiguous frames outside the Go heap,
// zeroed at first. It holds no Go pointer. The nucleus knows it by its first
// field; entry_amd64.s and fpu_amd64.s know the offsets of the others.
type vcpuMem struct {
	vcpuHead
	_ [pageSize - unsafe.Sizeof(vcpuHead{})]byte

	// xsave is the guest's extended state in XSAVE's standard format. While
	// the vCPU is loaded on a CPU only XMM0 to XMM15 in it are up to date:
	// the exit stub stores them there.
	xsave [x86.XSAVESize]byte
	vmcb  VMCB
	area  vcpu.Area
	code  [codeEntries]codeEntry
}

// vcpuHead is the backend's own part, at most a page.
type vcpuHead struct {
	guest nucleus.Guest

	// vmcbPA and hostPA are host-physical addresses for the stubs: the guest's
	// VMCB, and the one that holds the VMSAVE state of the host on this CPU.
	vmcbPA, hostPA uint64
	// saveMask are the state components that xsave holds: the host's XCR0, cut
	// to what fits. 0 stands for a processor without XSAVE.
	saveMask uint64

	xcr0, xss uint64
	tscAux    uint64
	specCtrl  uint64
	dr        [4]uint64 // DR0 to DR3 while not live

	id   uint64 // distinguishes vCPUs of all VMs, never 0
	asid guestASID
	// ack is the generation of the stage-2 table that asid knows; active is 1
	// inside the run function. Any CPU reads them.
	ack    atomic.Uint64
	active atomic.Uint32

	// entered and left are the TSC around the last stay in the guest; now is
	// the latest TSC value known, good enough for timers and deadlines.
	entered, left, now uint64
	// timer and until are what guest.WakeTSC was made of.
	timer, until uint64

	// shadowAt is RIP if the guest was entered in an interrupt shadow.
	shadowAt uint64

	loaded   uint8 // guest extended state is in the registers
	drLive   uint8 // DR0 to DR3 are in the registers
	window   uint8 // Go wants an exit when interrupts open
	rearm    uint8 // guest.WakeTSC has changed
	busy     uint8 // prepare has to look at everything, not only at what other CPUs change
	features uint32

	// event is the EVENTINJ value for the next entry, or 0; inject.go.
	event        uint64
	eventCR2     uint64 // loaded with a #PF when eventHasCR2
	eventRIP     uint64 // return address of a software event
	eventHasCR2  uint8
	eventSoft    uint8 // event is a software event that Go or re-delivery put there
	injectedSoft uint8 // so was the event of the last entry
	tripleFault  uint8 // an exception met #DF
	pulled       uint8 // event is of the APIC's, if offerAPIC
	offered      uint8 // the last entry's virtual interrupt; offer.go

	nmi  nmiState
	step stepState

	// reason is what the run function left to Go, and reasonData its number.
	reason     reason
	again      uint8 // handle the last exit again: Go has found resumeLen
	resumeLen  uint8
	reasonData uint64

	// foreign says that the VM acts foreign. sysenterESP and sysenterEIP are
	// the guest's then: the processor keeps 32 bits of them.
	foreign                  uint8
	sysenterESP, sysenterEIP uint64

	cpuidHint [cpuidHints]uint8
}

// guestMem is the vcpuMem whose record the nucleus holds.
func guestMem(g *nucleus.Guest) *vcpuMem { return (*vcpuMem)(unsafe.Pointer(g)) }

// areaGuest is the nucleus's record of the vCPU that owns an Area.
func areaGuest(a *vcpu.Area) *nucleus.Guest { return *(**nucleus.Guest)(unsafe.Pointer(&a.Sched)) }

// perCPU is what the backend keeps for one CPU, in the nucleus's record of it.
type perCPU struct {
	hostVMCB uint64 // host-physical address, 0 until the CPU is enabled
	hostSave uint64 // VM_HSAVE_PA
	hostXCR0 uint64 // 0 where the processor has no XSAVE
	asid     cpuASID
	lastVCPU uint64 // id of the vCPU that ran here last
	tscAux   uint64 // what TSC_AUX holds
	tscRatio uint64 // what TSC_RATIO holds
	number   uint32
	status   uint32 // an enableStatus
}

// perCPUWords are the words that the nucleus keeps for a backend.
const perCPUWords = 32

// words is the inverse of cpuRecord.
func (p *perCPU) words() *[perCPUWords]uint64 { return (*[perCPUWords]uint64)(unsafe.Pointer(p)) }

func cpuRecord(words *[perCPUWords]uint64) *perCPU { return (*perCPU)(unsafe.Pointer(words)) }

// load64 reads a word of guest memory through the direct map.
func load64(p uintptr) uint64 { return atomic.LoadUint64((*uint64)(unsafe.Add(nil, p))) }
