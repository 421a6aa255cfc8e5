package nucleus

import "sync/atomic"

// Guest is a vCPU as the nucleus schedules it: a fixed, pointer-free record in
// memory outside the Go heap, at the start of the backend's own per-vCPU
// memory. The goroutine that owns the vCPU calls Enter; the record then
// competes for a CPU in the guest class until its run function says that Go
// is needed.
//
// The run function of a backend is called on the nucleus's stack with
// interrupts disabled, the fake g, and no P. It obeys the rules of the fast
// path: no write barrier, allocation, map, interface conversion, defer, sync,
// VEX instruction. Host XMM registers are free; the guest's were saved by
// the backend's own exit stub, and the rest of the guest's vector state stays
// in the registers until the run function saves it, which it does before it
// returns any verdict.
type Guest struct {
	// Arg is for the backend.
	Arg uintptr
	// Weight is the share of the CPU against other guests; 100 is usual.
	Weight uint32
	// CapPercent limits the guest to that much of one CPU; 0 is no limit.
	CapPercent uint32
	// WakeTSC is the host TSC at which the run function wants to be called
	// again at the latest, whether the guest runs or is halted; 0 is never.
	// Only the run function, or the owner outside Enter, writes it.
	WakeTSC uint64
	// RunTicks is TSC ticks spent in the run function, guest time included. The
	// run function adds them up; shares are measured by it.
	RunTicks uint64

	state  atomic.Uint32 // guestIdle and so on
	kicked atomic.Uint32 // a wake-up came that the run function has not seen
	cpu    atomic.Uint32 // CPU that runs it, or ran it last
	thread uint32        // thread inside Enter
	vtime  uint64        // weighted run time in ticks, for fairness
	next   uintptr       // *Guest behind it in a CPU's queue

	capStart uint64 // TSC when the current period of its cap began
	capUsed  uint64 // ticks that it ran in that period
}

// Arm sets the CPU's timer so that the run function is called at WakeTSC at
// the latest. The run function calls it when it has moved WakeTSC and goes on;
// after a verdict the nucleus does it by itself. Nucleus code only.
func (g *Guest) Arm() {
	if g.WakeTSC != 0 {
		thisCPU().armBy(g.WakeTSC)
	}
}

// Verdict is what a run function wants next.
type Verdict uint32

const (
	// VerdictExit returns from Enter: an exit needs Go.
	VerdictExit Verdict = iota
	// VerdictPreempt keeps the guest runnable: something else is due here, as
	// Preempt said.
	VerdictPreempt
	// VerdictHalt blocks the guest until Wake or until WakeTSC has passed. A
	// Wake since the last call of Seen is not lost: the nucleus looks again.
	VerdictHalt
	// VerdictYield gives the CPU to another guest, if one waits (PAUSE).
	VerdictYield
)
