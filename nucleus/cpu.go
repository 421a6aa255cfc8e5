package nucleus

import (
	"sync/atomic"
	"unsafe"
)

// MaxCPUs bounds the processors that Ringo uses.
const MaxCPUs = 512

// CPU is the record of one processor. GS.base points to it for good. The
// first fields are used by the entry stubs.
type CPU struct {
	self    uintptr // address of this record
	current uintptr // *Thread whose registers are live, or were at entry
	stack   uintptr // top of the nucleus stack
	fakeG   uintptr // g for nucleus code
	fsBase  uint64  // FS.base under which fakeG is found
	scratch uint64
	inside  uint64 // 1 while nucleus code runs
	window  uint64 // 1 while interrupts are let in inside the nucleus

	pfFS   uint64 // FS.base for the page-fault handler
	pfG    uintptr
	trapFS uint64 // FS.base for the trap handler (exceptions inside the nucleus, NMI, #MC)
	trapG  uintptr

	// pending has a bit per vector that came in a window.
	pending [4]uint64

	number uint32
	apicID uint32
	online atomic.Uint32
	idle   atomic.Uint32

	// resched says that the run queues must be looked at again.
	resched atomic.Uint32
	tlbSeen atomic.Uint64
	call    atomic.Uint32 // a function of OnEachCPU waits

	lock     spinlock
	runHead  uint32 // host threads, first come first served
	runTail  uint32
	runCount atomic.Uint32
	timers   uint32 // root of the timer heap, a thread
	armed    uint64 // TSC that the hardware timer is set to, 0 for none

	guestHead  uintptr // *Guest that waits with the least virtual time
	guestCount atomic.Uint32
	guest      uintptr // *Guest that runs here
	guestStart uint64  // TSC when its turn began
	guestSlice uint64  // TSC at which another guest takes over, 0 while none waits
	guestOver  uint32  // its turn is over
	quick      uint32  // 1 while it runs under a thread that holds a P

	quickEntries uint64 // quick entries so far
	quickLimited uint64 // the one that guestSlice was set for

	busy      atomic.Uint32 // 1 while a host thread runs here
	sliceOver uint32        // the host thread's turn is over
	sliceEnd  uint64        // TSC at which it will be, 0 while nobody waits

	gdt [8]uint64
	tss [26]uint32

	gStack, gPF, gTrap  fakeG
	tls, tlsPF, tlsTrap tlsSlot

	Vendor [32]uint64

	stats cpuStats
}

type cpuStats struct {
	IdleTicks, HostTicks, GuestTicks uint64
	IdleSince                        uint64 // TSC when the CPU went idle, 0 while it is not
	Syscalls, Interrupts, Faults     uint64
	NMIs                             uint64
	Switches                         uint64
}

// fakeG stands for a runtime.g: the compiler's stack check reads stackguard0
// at offset 16 through R14, and nothing else of it may be used.
type fakeG struct {
	lo, hi, guard0, guard1 uintptr
	rest                   [60]uintptr
}

// tlsSlot holds the g pointer that the runtime's assembly finds at -8(FS).
type tlsSlot struct {
	g    uintptr
	base uint64
}

var (
	cpus [MaxCPUs]CPU
	nCPU atomic.Uint32 // CPUs that have come up
)

// thisCPU gives the record of the calling CPU. Only nucleus code may keep it:
// a thread can move to another CPU at any instruction.
func thisCPU() *CPU

// Stack sizes of a CPU in bytes. Below each lies an unmapped guard page.
const (
	nucleusStack = 32 << 10
	istStack     = 16 << 10
	stackGuard   = 928 // as in runtime/stack.go
)

// initFakeG prepares a g whose stack is [hi-size, hi) and its TLS slot, and
// returns the FS.base to use with it.
func initFakeG(g *fakeG, slot *tlsSlot, hi, size uintptr) uint64 {
	g.lo, g.hi = hi-size, hi
	g.guard0, g.guard1 = g.lo+stackGuard, g.lo+stackGuard
	slot.g = uintptr(unsafe.Pointer(g))
	return uint64(uintptr(unsafe.Pointer(&slot.base)))
}

// CPUs is the number of processors that run.
func CPUs() int { return int(nCPU.Load()) }
