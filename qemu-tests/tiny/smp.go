package tiny

import (
	. "ringo/x86/asm"
)

const (
	tokenVector = 0x50
	smpBudget   = 120_000_000_000 // TSC ticks to wait at most: a guard against hanging

	varRounds = programData // times that the token came back to the first processor
)

// SMP checks that cpus processors come up, and passes a token by interrupts
// from each to the next and round again, rounds times.
func SMP(cpus, rounds int) []byte { return Long(smp(cpus, rounds)) }

func smp(cpus, rounds int) func(g *Guest) {
	return func(g *Guest) {
		g.APIC()
		g.Call("my_id")
		g.Mov(Abs(apicIDs).Dword(), EAX)
		g.Gate(tokenVector, "token", 0)
		g.StartAPs("other")
		g.tsc(RBX)
		g.Mov(R12D, Imm(0))
		g.Label("arriving")
		g.smpClock()
		g.Mov(EAX, Abs(varReady))
		g.Cmp(EAX, Imm(int64(cpus-1)))
		g.Jcc(B, "arriving")
		g.Print("processors: ")
		g.Mov(EAX, Abs(varCPUs))
		g.PrintDecimal()
		g.Print("\n")
		g.Cmp(Abs(varCPUs).Dword(), Imm(int64(cpus)))
		g.Jcc(NE, "many")

		g.Sti()
		g.Call("pass")
		g.Label("passing")
		g.smpClock()
		g.Cmp(Abs(varRounds).Dword(), Imm(int64(rounds)))
		g.Jcc(B, "passing")
		g.Cli()
		g.Print("rounds: ")
		g.Mov(EAX, Abs(varRounds))
		g.PrintDecimal()
		g.Print("\n")
		g.Exit(ExitOK)

		g.Label("other")
		g.Lock()
		g.Inc(Abs(varReady).Dword())
		g.Sti()
		g.Label("other.wait")
		g.Hlt()
		g.JmpShort("other.wait")

		g.Label("late")
		g.Fail("processors or interrupts do not arrive")
		g.Label("many")
		g.Fail("there are more processors")
		g.tokenHandler(cpus)
	}
}

// varReady counts the other processors that wait for the token.
const varReady = programData + 8

// tokenHandler passes the token on. R12 is the processor's number for good.
func (g *Guest) tokenHandler(cpus int) {
	g.Label("token")
	saved := []Reg{RAX, RCX, RDX, RSI, RDI}
	for _, r := range saved {
		g.Push(r)
	}
	g.Call("eoi")
	g.Test(R12D, R12D)
	g.JccShort(NZ, "token.pass")
	g.Inc(Abs(varRounds).Dword())
	g.Label("token.pass")
	g.Call("pass")
	for i := range saved {
		g.Pop(saved[len(saved)-1-i])
	}
	g.Iret(64)

	g.Label("pass") // to the next processor
	g.Lea(EAX, Ptr(R12, 1))
	g.Xor(ECX, ECX)
	g.Cmp(EAX, Imm(int64(cpus)))
	g.JccShort(B, "pass.next")
	g.Mov(EAX, ECX)
	g.Label("pass.next")
	g.Mov(ESI, Mem{Index: RAX, Scale: 4, Disp: apicIDs})
	g.SendIPI(icrAssert | tokenVector)
	g.Ret()
}

// smpClock fails at "late" when the wait that began at RBX lasts too long.
func (g *Guest) smpClock() {
	g.Pause()
	g.tsc(RDI)
	g.Sub(RDI, RBX)
	g.Mov(RAX, Imm(smpBudget))
	g.Cmp(RDI, RAX)
	g.Jcc(A, "late")
}
