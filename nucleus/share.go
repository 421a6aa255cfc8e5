package nucleus

import "sync/atomic"

// Shares between CPUs. Run times are compared over all of them: what each
// CPU's first waiting guest and its running one have had is published, so that
// a CPU whose guest has had its turn takes the one that has had least.

var (
	// guestsWaiting is how many guests wait in all queues. While it is 0 no
	// guest has a time slice.
	guestsWaiting atomic.Uint32
	// headTime and runTime are virtual times plus 1; 0 stands for no guest.
	headTime, runTime [MaxCPUs]atomic.Uint64
)

// How far a guest may be behind the one that has had least, because it slept:
// enough to run at once, too little to be owed its sleep. And how far ahead,
// because it ran while nobody else wanted to.
const (
	wakeGainMicros = guestSliceMicros
	leadMicros     = 200_000
)

// publishHead tells the other CPUs about c's first waiting guest. c.lock is
// held.
func (c *CPU) publishHead() {
	v := uint64(0)
	if c.guestHead != 0 {
		v = guestAt(c.guestHead).vtime + 1
	}
	headTime[c.number].Store(v)
}

// leastTime is the least virtual time of all guests that run or wait.
func leastTime() (least uint64, any bool) {
	least = 1<<64 - 1
	for i := uint32(0); i < nCPU.Load(); i++ {
		if v := headTime[i].Load(); v != 0 && v-1 < least {
			least, any = v-1, true
		}
		if v := runTime[i].Load(); v != 0 && v-1 < least {
			least, any = v-1, true
		}
	}
	return least, any
}

// clampTime keeps a guest that begins to wait or run near the others.
func (g *Guest) clampTime() {
	least, any := leastTime()
	if !any {
		return
	}
	if gain := wakeGainMicros * ticksPerUs; least > gain && g.vtime < least-gain {
		g.vtime = least - gain
	}
	if lead := least + leadMicros*ticksPerUs; g.vtime > lead {
		g.vtime = lead
	}
}

// nextGuest takes the guest that has had least: c's own unless another CPU's
// has had clearly less.
func (c *CPU) nextGuest() *Guest {
	best, from := headTime[c.number].Load(), c
	for i := uint32(0); i < nCPU.Load(); i++ {
		h := headTime[i].Load()
		if h != 0 && (best == 0 || h+preferMicros*ticksPerUs < best) {
			best, from = h, &cpus[i]
		}
	}
	if best == 0 {
		return nil
	}
	return from.popGuest()
}

// tellRunning gives every guest that runs alone a time slice: another began to
// wait on CPU on.
func tellRunning(on *CPU) {
	self := thisCPU()
	for i := uint32(0); i < nCPU.Load(); i++ {
		c := &cpus[i]
		if c != self && c != on && atomic.LoadUintptr(&c.guest) != 0 {
			sendIPI(c, vectorResched)
		}
	}
}
