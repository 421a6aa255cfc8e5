package vcpu

import "ringo/memory"

// Kind says why a guest was left. What Run completes on the next call is
// noted at each kind.
type Kind uint8

const (
	KindNone Kind = iota
	// KindPIO: IN or OUT, with or without REP and string forms. For a plain
	// IN Run completes with Data; for a plain OUT it only steps over. A
	// string form (String) must be emulated by the caller, who moves RIP
	// itself by setting Emulated.
	KindPIO
	// KindMMIO: access to a guest-physical address that is not RAM. The
	// caller emulates the instruction and sets Emulated.
	KindMMIO
	// KindStage2: access to guest RAM that is not mapped yet, or not with
	// that right. The caller makes it present; the guest retries.
	KindStage2
	KindCPUID // completes with Area.GPR as the caller left them; steps over
	KindRDMSR // completes with Data in EDX:EAX; steps over
	KindWRMSR // steps over
	KindCR    // mov to/from a control register; completes like CPUID
	// KindHLT: only when the fast path is not allowed to halt; steps over. The
	// caller sets Area.Activity to have the next Run wait.
	KindHLT
	KindPAUSE // steps over
	// KindXSETBV: the fast path has checked nothing. Run sets XCR0 to Data,
	// which is EDX:EAX, and steps over; ECX is in Area.GPR.
	KindXSETBV
	KindHypercall // completes with Area.GPR; steps over
	KindIntrWindow
	KindNMIWindow
	KindEOI       // Data is the vector of a level-triggered interrupt
	KindException // Vector, ErrorCode: an intercepted exception
	KindExtInt
	KindShutdown // triple fault
	KindINIT     // the vCPU received INIT; registers are as before
	KindSIPI     // Data is the start-up vector
	KindKick     // Area.Request had RequestExit
	KindDeadline // the VM's run-until deadline has passed
	KindInsn     // an intercepted instruction to emulate or refuse; Raw says which
	KindInvalid  // the processor refused the guest state: the VM must stop
	KindUnknown  // a reason that this code does not know: the VM must stop
	NumKinds
)

// Exit is one exit, in terms that are the same for every vendor. The caller
// owns it and passes the same one to the next Run, which first completes the
// exit that it holds.
type Exit struct {
	Kind Kind

	// Emulated tells the next Run that the caller has finished the
	// instruction, RIP included: nothing is completed or stepped over.
	Emulated bool
	// Quiet says, with Emulated, that of the vCPU only RIP and general
	// registers have changed, and of its Area what any CPU may change: Run
	// need not look at the rest again.
	Quiet bool
	// Cancel drops the event of Pending instead of delivering it again.
	Cancel bool
	// Len is the instruction's length in bytes, 0 where the processor does
	// not say: Run then decodes it when it has to step over.
	Len uint8

	// PIO, MMIO and MSR. Size is in bytes. Write is a guest's write (OUT, a
	// store, WRMSR). Data is the value written, or the value to complete a
	// read with.
	Write  bool
	String bool
	Rep    bool
	Fetch  bool // the stage-2 fault was an instruction fetch
	Walk   bool // the stage-2 fault was in the guest's page table walk
	Size   uint8
	Port   uint16
	MSR    uint32
	Data   uint64
	GPA    memory.GPA

	// CR: number and the general register that takes part.
	CR, Reg uint8

	// Exception and the event that Inject takes.
	Vector    uint8
	HasError  bool
	ErrorCode uint32
	Fault     memory.GVA // CR2 of a page fault

	// Insn holds instruction bytes where the processor gives them.
	Insn    [15]byte
	InsnLen uint8

	// Raw is the vendor's own view for reports: exit code, then up to three
	// words of information in the manual's order. Namer has its name.
	Raw [4]uint64
}

// EventType is how an event enters the guest.
type EventType uint8

const (
	EventNone EventType = iota
	EventException
	EventNMI
	EventInterrupt     // external, being delivered again
	EventSoftInt       // INT n
	EventSoftException // INT3, INTO
)

// Event is something that interrupts a guest.
type Event struct {
	Type      EventType
	Vector    uint8
	HasError  bool
	ErrorCode uint32
	CR2       uint64 // for a page fault: loaded before delivery
	Len       uint8  // instruction length of a software event
}
