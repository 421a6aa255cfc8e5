package nucleus

import "ringo/nucleus/reg"

// The cap of a guest: at most CapPercent of one CPU in each period. A guest
// that has used its part rests until the period ends; wake-ups do not shorten
// the rest.

const capPeriodMicros = 50_000

// capLeft begins a new period if one is due, and gives the ticks that g may
// still run in it.
func (g *Guest) capLeft(now uint64) uint64 {
	period := capPeriodMicros * ticksPerUs
	if now-g.capStart >= period {
		g.capStart, g.capUsed = now, 0
	}
	quota := period / 100 * uint64(g.CapPercent)
	if g.capUsed >= quota {
		return 0
	}
	return quota - g.capUsed
}

// throttle sends g to rest if it has used its part of the period. g is taken
// from a queue; c is the calling CPU.
func (c *CPU) throttle(g *Guest) bool {
	if g.capLeft(reg.ReadTSC()) != 0 {
		return false
	}
	c.sleepUntil(threadAt(g.thread), g.capStart+capPeriodMicros*ticksPerUs)
	g.state.Store(guestResting)
	return true
}
