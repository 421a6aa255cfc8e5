package vcpu

import (
	"errors"

	"ringo/memory"
	"ringo/x86"
)

var (
	// ErrUnsupported says that this processor lacks what was asked.
	ErrUnsupported = errors.New("not supported by this processor")
	// ErrClosed is returned by every method of a closed VCPU.
	ErrClosed = errors.New("vCPU is closed")
	// ErrInvalidState says that the processor refused the guest state.
	ErrInvalidState = errors.New("the processor refused the guest state")
)

// Backend is one vendor's way to run guests.
type Backend interface {
	Name() string // "svm", "vmx", "fake"
	Caps() Caps
	// EnableCPU turns virtualization on for the calling CPU; DisableCPU turns
	// it off. The nucleus calls each once per CPU.
	EnableCPU() error
	DisableCPU() error
	NewStage2(memory.PageAllocator) (memory.Stage2, error)
	// NewVM makes the memory that a VM's vCPUs share in the fast path.
	NewVM(s2 memory.Stage2) (VM, error)
}

// VM groups the vCPUs that share a stage-2 table and send each other IPIs.
type VM interface {
	Area() *VMArea
	// NewVCPU makes vCPU number id; its APIC ID is id.
	NewVCPU(id uint32) (VCPU, error)
	// Close frees what NewVM took; every VCPU is closed already.
	Close() error
}

// VCPU is one virtual processor. Run, Load, Store, Inject, Pending, Window and
// Close belong to the goroutine that runs the vCPU; Kick may be called from
// anywhere.
type VCPU interface {
	// Area is the vCPU's shared memory, valid until Close.
	Area() *Area
	// Run enters the guest and returns at the first exit that needs Go. If
	// the previous exit asked for a result (Exit.Kind says so), Run first
	// completes that instruction with what is in e; see Exit. A request of
	// Area.Request that it reports, it also clears.
	Run(e *Exit) error
	Load(x86.Groups, *x86.State) error
	Store(x86.Groups, *x86.State) error
	// Inject queues an exception, an NMI or the event that Pending returned
	// for the next entry. Interrupts are pulled from the APIC page, never
	// injected, except for the PIC's: Area.ExtINT makes KindIntrWindow, upon
	// which the caller asks the PIC and injects what it says.
	//
	// An exception that meets a Pending one combines with it as on a processor
	// (#DF, triple fault).
	Inject(Event) error
	// Pending is the event that was being delivered when the last exit came
	// and that must be delivered again, or one that Inject has queued since.
	// Run does so by itself unless Cancel was set in the exit; Pending only
	// shows it.
	Pending() (Event, bool)
	// Window asks for an exit as soon as the guest can take an interrupt.
	Window(on bool)
	// Kick makes a running or halted guest leave (Exit.Kind KindKick) or
	// look at its APIC page again, as Area.Request says. It is never lost.
	Kick()
	Close() error
}

// Caps is what a backend's processor can do; false means that Go does it.
type Caps struct {
	NextRIP      bool   // exits carry the next instruction's address
	DecodeAssist bool   // exits carry instruction bytes
	TSCScaling   bool   // VMArea.TSCRatio has an effect
	VirtualAPIC  bool   // APIC accesses are virtualized by the processor
	ASIDs        uint32 // address space identifiers, or VPIDs
	PhysAddrBits uint8  // bits of a guest-physical address
	MaxPage      memory.PageSize
	Features     []string // names of the optional features in use, for people
	// HideCPUID names the CPUID features, as x86.Features does, that no guest
	// may see because its processor would not have them.
	HideCPUID []string
}
