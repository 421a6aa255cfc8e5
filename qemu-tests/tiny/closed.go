package tiny

import (
	. "ringo/x86/asm"
)

const (
	closedVector = 0x41
	closedSpin   = 200_000 // rounds of a loop in the handler: a good part of a period
	flagIF       = 1 << 9
)

// Closed checks that interrupts come only where IF is set: a handler that has
// it clear takes its time, and looks in its frame whether it interrupted
// itself. It ends after ticks periodic timer interrupts.
func Closed(ticks int) []byte { return Long(closed(ticks)) }

func closed(ticks int) func(g *Guest) {
	return func(g *Guest) {
		g.APIC()
		g.Gate(closedVector, "closed", 0)
		g.StartTimer(timerPeriodic|closedVector, tickCount)
		g.Sti()
		g.tsc(RBX)
		g.Mov(R13, RBX)
		g.Label("open")
		g.checkClock()
		g.Interrupts(closedVector)
		g.Cmp(RAX, Imm(int64(ticks)))
		g.Jcc(B, "open")
		g.Cli()
		g.Print("interrupts only where IF was set\n")
		g.Exit(ExitOK)

		g.Label("closed")
		g.Test(Ptr(RSP, 16).Dword(), Imm(flagIF)) // RIP, CS, RFLAGS
		g.Jcc(Z, "closed.broken")
		g.Push(RCX)
		g.Mov(ECX, Imm(closedSpin))
		g.Label("closed.spin")
		g.Dec(ECX)
		g.JccShort(NZ, "closed.spin")
		g.Pop(RCX)
		g.Push(Imm(0))
		g.Push(Imm(closedVector))
		g.Jmp("count")

		g.Label("closed.broken")
		g.Fail("an interrupt came while IF was clear")
		g.Label("late")
		g.Fail("timer interrupts do not arrive")
		g.Label("back")
		g.Fail("the time stamp counter went back")
	}
}
