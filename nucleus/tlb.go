package nucleus

import "sync/atomic"

// TLB shoot-down. A CPU that took a translation away raises tlbGen and waits
// until every other CPU has flushed since; they do so on the interrupt, while
// they wait for a lock, or when they leave idle.

var tlbGen atomic.Uint64

// tlbPoll flushes this CPU's TLB if a shoot-down asks for it.
func tlbPoll() {
	c := thisCPU()
	if g := tlbGen.Load(); c.tlbSeen.Load() != g {
		flushLocal()
		c.tlbSeen.Store(g)
	}
}

// shootdown returns when no CPU holds a translation that was removed before
// the call.
func shootdown() {
	n := nCPU.Load()
	gen := tlbGen.Add(1)
	tlbPoll()
	if n == 1 {
		return
	}
	self := thisCPU()
	for i := uint32(0); i < n; i++ {
		c := &cpus[i]
		if c != self && c.idle.Load() == 0 && c.tlbSeen.Load() < gen {
			sendIPI(c, vectorTLB)
		}
	}
	for i := uint32(0); i < n; i++ {
		c := &cpus[i]
		for c != self && c.tlbSeen.Load() < gen && c.idle.Load() == 0 {
			pause()
			tlbPoll()
		}
	}
}
