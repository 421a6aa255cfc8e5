package tiny

import (
	. "ringo/x86/asm"
)

const (
	tickVector = 0x40
	tickCount  = 1_000_000       // APIC timer ticks in a period
	tickBudget = 120_000_000_000 // TSC ticks to wait at most
)

// TickCheck checks that ticks periodic timer interrupts arrive while the
// processor computes, that as many arrive while it halts, and that the time
// stamp counter never goes back.
func TickCheck(ticks int) []byte { return Long(tickCheck(ticks)) }

func tickCheck(ticks int) func(g *Guest) {
	return func(g *Guest) {
		g.APIC()
		g.StartTimer(timerPeriodic|tickVector, tickCount)
		g.Sti()
		g.tsc(RBX)
		g.Mov(R13, RBX) // the last reading
		g.Label("busy")
		g.checkClock()
		g.Interrupts(tickVector)
		g.Cmp(RAX, Imm(int64(ticks)))
		g.Jcc(B, "busy")
		g.Print("ticks while busy\n")
		g.Label("halted")
		g.Hlt()
		g.checkClock()
		g.Interrupts(tickVector)
		g.Cmp(RAX, Imm(int64(2*ticks)))
		g.Jcc(B, "halted")
		g.Cli()
		g.Print("ticks while halted\n")
		g.Exit(ExitOK)

		g.Label("late")
		g.Fail("timer interrupts do not arrive")
		g.Label("back")
		g.Fail("the time stamp counter went back")
	}
}

// StartTimer arms the APIC timer: the LVT entry, a divider of 1, the count.
func (g *Guest) StartTimer(lvt, count int64) {
	g.APICWrite(apicTimerDivide, Imm(divideBy1))
	g.APICWrite(apicLVTTimer, Imm(lvt))
	g.APICWrite(apicTimerCount, Imm(count))
}

// tsc reads the time stamp counter to r. It changes RAX and RDX.
func (g *Guest) tsc(r Reg) {
	g.Rdtsc()
	g.Shl(RDX, Imm(32))
	g.Or(RAX, RDX)
	g.Mov(r, RAX)
}

// checkClock fails at "back" or "late"; RBX is when the wait began, R13 the
// last reading.
func (g *Guest) checkClock() {
	g.tsc(RDI)
	g.Cmp(RDI, R13)
	g.Jcc(B, "back")
	g.Mov(R13, RDI)
	g.Sub(RDI, RBX)
	g.Mov(RAX, Imm(tickBudget))
	g.Cmp(RDI, RAX)
	g.Jcc(A, "late")
}
