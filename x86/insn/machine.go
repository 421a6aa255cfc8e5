package insn

// Machine is what an instruction reaches outside the processor. Addresses are
// guest-physical. An access never crosses a page. Errors end the emulation
// and come back from Step as they are; a read of nothing is all ones and no
// error.
type Machine interface {
	Phys
	// Load and Store access RAM or a device; size is 1, 2, 4 or 8. RAM is
	// accessed at once when gpa is a multiple of size.
	Load(gpa uint64, size uint8) (uint64, error)
	Store(gpa uint64, size uint8, v uint64) error
	// CompareAndSwap is a store of v that happens only if old is still
	// there; size is 1, 2, 4 or 8. On a device it stores always and
	// reports success: the Load before it was the read.
	CompareAndSwap(gpa uint64, size uint8, old, v uint64) (swapped bool, err error)
	// CompareAndSwap16 does that to 16 aligned bytes, low half first.
	CompareAndSwap16(gpa uint64, old, v [2]uint64) (swapped bool, err error)
	// In and Out access a port; size is 1, 2 or 4.
	In(port uint16, size uint8) (uint32, error)
	Out(port uint16, size uint8, v uint32) error
	// WriteCR does what a MOV to control register n, 0, 3, 4 or 8, does to the
	// State, or says that the processor would raise #GP(0).
	WriteCR(n uint8, v uint64) (ok bool, err error)
	// FPU is called before XCR0 and XSAVE of the State are used, so that an
	// owner may leave them in the processor until then. write says that they
	// change.
	FPU(write bool) error
}

// Status is how far an instruction came.
type Status uint8

const (
	// StatusDone: the instruction is finished and RIP is behind it.
	StatusDone Status = iota
	// StatusFault: nothing was done but what a restart repeats; inject
	// Result.Fault. RIP is at the instruction.
	StatusFault
	// StatusAgain: a repeated string instruction has iterations left, or an
	// atomic access lost too many races. RIP is at the instruction; run the
	// guest, or call Step again, after looking at pending events.
	StatusAgain
	// StatusOwner: privilege was checked; the owner executes Emulator.Inst
	// and moves RIP.
	StatusOwner
)

// Result is what Step did.
type Result struct {
	Status Status
	// SingleStep says that a #DB trap with DR6.BS is due, as RFLAGS.TF was
	// set when the instruction began.
	SingleStep bool
	Fault      Fault
	// Linear is the linear address of a memory operand with StatusOwner
	// (INVLPG).
	Linear uint64
}
