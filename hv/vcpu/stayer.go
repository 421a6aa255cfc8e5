package vcpu

// Stayer is a further ability of a VCPU: it tells how long its guest has been
// running without an exit. A guest that computes on a CPU of its own may not
// exit for hours, and the Area's counters are those of the last exit.
type Stayer interface {
	// InsideSince is the host TSC at which the guest was entered, or 0 while
	// it is not inside. Any goroutine may ask at any time before Close.
	InsideSince() uint64
}
