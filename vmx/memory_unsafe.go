package vmx

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
// field; the assembly knows the offsets of the others.
type vcpuMem struct {
	vcpuHead
	_ [pageSize - unsafe.Sizeof(vcpuHead{})]byte

	// xsave is the guest's extended state in XSAVE's standard format. While
	// the vCPU is loaded on a CPU only XMM0 to XMM15 in it are up to date:
	// the exit stub stores them there.
	xsave [x86.XSAVESize]byte
	// vmcs is the processor's; only its first word, the revision, is ours.
	vmcs [pageSize]byte
	// log is the page-modification log.
	log [logEntries]uint64
	// area begins with the local APIC's registers, which the processor uses as
	// virtual-APIC page: for the task priority, or for more (virtualapic.go).
	area vcpu.Area
}

// vcpuHead is the backend's own part, at most a page.
type vcpuHead struct {
	guest nucleus.Guest

	// Host-physical addresses: of the VMCS, the virtual-APIC page and the MSR
	// bitmap. eptp is the EPT pointer.
	vmcsPA, apicPA, bitmapPA, eptp uint64
	// hostRSP is what the VMCS has as the host's RSP.
	hostRSP uint64
	// loadedOn is the number of the CPU that has the VMCS loaded, plus 1; 0 if
	// none has. Any CPU reads it.
	loadedOn atomic.Uint32
	// hostOf is the number of the CPU whose host state is in the VMCS, plus 1.
	hostOf uint32
	// tlbOf is the number of the CPU whose cached translations ack is about,
	// plus 1, with tlbStale if the guest's own are out of date: tlb.go.
	tlbOf    uint32
	launched uint8 // the VMCS is in the launched state
	built    uint8 // its constant fields are written

	// saveMask are the state components that xsave holds: the host's XCR0, cut
	// to what fits.
	saveMask, xcr0, xss uint64
	// hostXCR0 is the XCR0 of the CPU that has the VMCS.
	hostXCR0         uint64
	tscAux, specCtrl uint64
	syscall          syscallMSRs
	kernelGS         uint64
	cr2              uint64
	dr               [5]uint64 // DR0 to DR3 and DR6 while not live

	id   uint64 // distinguishes vCPUs of all VMs, never 0
	vpid uint32
	// ack is the generation of the stage-2 table that the CPU's translations
	// are from; active is 1 inside the run function. Any CPU reads them.
	ack    atomic.Uint64
	active atomic.Uint32

	// entered is the TSC at the last entry; now is that at the last exit, or at
	// the beginning of the turn, good enough for timers and deadlines.
	entered, now uint64
	// timer and until are what guest.WakeTSC was made of. wake is the last TSC
	// value before it.
	timer, until, wake uint64
	// tscOffset is what the VMCS has.
	tscOffset uint64

	features uint32
	controls controls
	// exceptions is the exception bitmap.
	exceptions uint32
	// logPA is the host-physical address of log. wantLog is what the Go side
	// wants, a number that is new each time that the log is to be turned on and
	// 0 for off, and logging what the loop has done; emptied asks for the
	// index of an empty log. logIndex is the processor's index when it was last
	// read, below the number. Any CPU reads logIndex and writes wantLog.
	logPA    uint64
	wantLog  atomic.Uint32
	logIndex atomic.Uint64
	logging  uint32
	emptied  uint8

	// primary are the primary controls that the VMCS has, and wantPrimary
	// those for the next entry; the same for the TPR threshold.
	primary, wantPrimary     uint32
	threshold, wantThreshold uint32
	// requested is the highest vector in IRR, for a virtual APIC, and eoiExit the
	// EOI-exit bitmap that the VMCS has.
	requested uint8
	eoiExit   [4]uint64
	// stay is the preemption timer's value for closed.go.
	stay uint64
	tpr  uint8 // the task priority that PPR was computed from

	loaded    uint8 // guest extended state is in the registers
	cr2Live   uint8 // CR2 is the guest's; exited clears both at once
	drLive    uint8 // DR0 to DR3 and DR6 are in the registers
	sysLive   uint8 // the SYSCALL registers are the guest's
	window    uint8 // Go wants an exit when interrupts open
	rearm     uint8 // guest.WakeTSC has changed
	busy      uint8 // prepare has to look at everything, not only at what other CPUs change
	stepped   uint8 // RIP has moved: an interrupt shadow that was there has ended
	nmi       uint8 // an NMI waits
	timed     uint8 // RFLAGS.IF for which the preemption timer is set wrong: closed.go
	virtual   uint8 // the processor serves the APIC from the next entry on
	virtualIn uint8 // so says the VMCS
	statusDue uint8 // what of it the VMCS does not have: virtualapic.go
	wantParts uint32

	// event is the interruption information for the next entry, or 0.
	event       uint32
	eventError  uint32
	eventLen    uint32 // instruction length of a software event
	eventHasCR2 uint8
	tripleFault uint8 // an exception met #DF
	eventCR2    uint64

	// regs are copies of guest fields; valid and dirty are sets of parts.
	regs         [numRegs]uint64
	valid, dirty uint32

	// exitReason and exitLength are read at every exit; exit is the rest of
	// what an exit says, for those that Go sees.
	exitReason uint32
	exitLength uint32
	exit       exitInfo

	// reason is what the run function left to Go, and reasonData its number.
	reason     reason
	reasonData uint64

	cpuidHint [cpuidHints]uint8
}

// exitInfo are the VM-exit information fields (SDM volume 3C, section 25.9).
type exitInfo struct {
	qualification, gpa     uint64
	interruption, errCode  uint32
	vectoring, vectoringEC uint32
	instructionError       uint32
}

// syscallMSRs are the registers of SYSCALL, which the host uses too.
type syscallMSRs struct{ star, lstar, cstar, sfmask uint64 }

// guestMem is the vcpuMem whose record the nucleus holds.
func guestMem(g *nucleus.Guest) *vcpuMem { return (*vcpuMem)(unsafe.Pointer(g)) }

// areaGuest is the nucleus's record of the vCPU that owns an Area.
func areaGuest(a *vcpu.Area) *nucleus.Guest { return *(**nucleus.Guest)(unsafe.Pointer(&a.Sched)) }

// perCPU is what the backend keeps for one CPU, in the nucleus's record of it.
type perCPU struct {
	vmxonPA  uint64  // host-physical address of the VMXON region, 0 until the CPU is enabled
	current  uintptr // address of the vcpuMem whose VMCS is loaded here, or 0
	hostXCR0 uint64
	lastVCPU uint64      // id of the vCPU that ran here last
	kernelGS uint64      // what KERNEL_GS_BASE holds
	tscAux   uint64      // what TSC_AUX holds
	syscall  syscallMSRs // the host's
	found    uint64      // the register that kept VMX off, for a report
	number   uint32
	status   uint32 // an enableStatus
}

// perCPUWords are the words that the nucleus keeps for a backend.
const perCPUWords = 32

func cpuRecord(words *[perCPUWords]uint64) *perCPU { return (*perCPU)(unsafe.Pointer(words)) }

// currentOf is the vCPU whose VMCS is loaded on a CPU, or nil.
func (p *perCPU) currentOf() *vcpuMem { return *(**vcpuMem)(unsafe.Pointer(&p.current)) }

// addr is the vCPU's address for perCPU.current.
func (c *vcpuMem) addr() uintptr { return uintptr(unsafe.Pointer(c)) }
