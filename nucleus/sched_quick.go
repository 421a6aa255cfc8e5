package nucleus

import (
	"syscall"
	"unsafe"

	"ringo/nucleus/reg"
)

// The quick form of Enter: a guest runs for a moment under a host thread that
// keeps its P (docs/decisions/0002).

// quickMicros bounds how long a guest runs while its thread still holds a P: no
// longer than twice that.
const quickMicros = 50

// limitQuick ends the quick entry that runs at the end of quickMicros, if it is
// still the same one then.
func (c *CPU) limitQuick(now uint64) {
	c.quickLimited = c.quickEntries
	c.guestSlice = now + quickMicros*ticksPerUs
	c.armBy(c.guestSlice)
}

// quickEnter serves the first, hopeful form of Enter: the thread keeps its P,
// because most guests that need Go once need it again soon. It is a host
// thread all the while. EAGAIN says that the time is up, the guest waits, or
// something else is due: Enter then calls again in the patient form.
//
// The time is not taken anew for each entry. When the limit that an earlier one
// has set is reached, guestTimer sets another: an entry lasts between one and
// two times quickMicros.
func quickEnter(t *Thread) *Thread {
	c := thisCPU()
	c.stats.Syscalls++
	g := guestAt(uintptr(t.Regs.RDI))
	if c.runCount.Load()|guestsWaiting.Load()|g.CapPercent != 0 || t.sigPending.Load() != 0 {
		t.Regs.RAX = errno(syscall.EAGAIN)
		return c.leave(t)
	}
	g.thread = t.id
	if g.cpu.Load() != c.number {
		g.cpu.Store(c.number)
	}
	g.state.Store(guestRunning) // before the run function looks for kicks
	c.guestOver, c.quick = 0, 1
	c.quickEntries++
	if c.guestSlice == 0 {
		c.limitQuick(reg.ReadTSC())
	}
	if w := g.WakeTSC; w != 0 && (c.armed == 0 || w < c.armed) {
		c.armBy(w)
	}
	c.guest = g.addr()
	before := g.RunTicks
	t.Regs.RAX = 0
	if guestRunFn(g) != VerdictExit {
		t.Regs.RAX = errno(syscall.EAGAIN)
	}
	c.guest, c.quick = 0, 0
	// Nobody acts on the end of the running state but by a needless IPI, so
	// a plain store will do.
	*(*uint32)(unsafe.Pointer(&g.state)) = guestIdle
	c.charge(g, g.RunTicks-before)
	if c.resched.Load() == 0 && t.sigPending.Load() == 0 {
		return t
	}
	return c.leave(t)
}
