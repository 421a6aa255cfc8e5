package tiny

import (
	. "ringo/x86/asm"
)

// APIC timer ticks, which are nanoseconds here.
const (
	moveWait = 20_000_000 // of a round
	moveTick = 2_000_000  // until the interrupt that comes while the program runs

	// What the paravirtual clock may say of a round. A busy host can make one
	// longer, but not many in a row.
	moveLeast    = moveWait * 95 / 100
	moveMost     = 3 * moveWait
	movePatience = 8
)

// moveService is the system call: checks, and for callRound a round of the
// clocks.
func (g *Guest) moveService(o MoveOptions) {
	g.Label("move.service") // RAX = call
	g.Mov(Abs(varMoveCall), RAX)
	g.Call("move.check")
	g.Cmp(Abs(varMoveCall).Dword(), Imm(callCheck))
	g.JccShort(NE, "move.round")
	g.Ret()
	g.Label("move.round")
	g.Call("move.now")
	g.Cmp(RAX, Abs(varMoveTime))
	g.moveFail(B, "the paravirtual clock went back")
	g.Mov(Abs(varMoveTime), RAX)
	g.Call("move.wall")
	g.Mov(RCX, RAX)
	g.Inc(RCX) // for the fraction of a second
	g.Cmp(RCX, Abs(varMoveWall))
	g.moveFail(B, "the time of day went back")
	g.Mov(Abs(varMoveWall), RAX)
	g.Inc(Abs(varMoveSeq).Qword())
	g.Print("seq ")
	g.Mov(RAX, Abs(varMoveSeq))
	g.PrintDecimal()
	g.Print("\n")
	g.Cmp(Abs(varMoveSeq).Dword(), Imm(int64(o.Rounds)))
	g.Jcc(AE, "move.done")

	g.APICWrite(apicTimerCount, Imm(0)) // a tick that is due must not end the wait
	g.Sti()
	g.Nop()
	g.Cli()
	g.Interrupts(tickVector)
	g.Mov(RBX, RAX)
	g.StartTimer(tickVector, moveWait)
	g.Label("move.sleep")
	g.Sti()
	g.Hlt()
	g.Cli()
	g.Interrupts(tickVector)
	g.Cmp(RAX, RBX)
	g.JccShort(E, "move.sleep")
	g.moveCompare()
	g.APICWrite(apicTimerCount, Imm(moveTick))
	g.Ret()

	g.Label("move.done")
	g.Print("moved well\n")
	g.Exit(ExitOK)
}

// moveCompare checks how long the wait was by the paravirtual clock.
func (g *Guest) moveCompare() {
	g.Call("move.now")
	g.Mov(RCX, RAX)
	g.Sub(RCX, Abs(varMoveTime))
	g.Mov(Abs(varMoveTime), RAX)
	g.Cmp(RCX, Imm(moveLeast))
	g.moveFail(B, "the paravirtual clock is slow")
	g.Inc(Abs(varMoveFast).Dword())
	g.Cmp(RCX, Imm(moveMost))
	g.JccShort(A, "move.late")
	g.Mov(Abs(varMoveFast).Dword(), Imm(0))
	g.Label("move.late")
	g.Cmp(Abs(varMoveFast).Dword(), Imm(movePatience))
	g.moveFail(A, "the paravirtual clock is fast")
}

// moveFail ends the guest with a reason if the condition holds.
func (g *Guest) moveFail(c Cond, reason string) {
	bad, good := g.Unique("move.bad"), g.Unique("move.good")
	g.JccShort(c, bad)
	g.JmpShort(good)
	g.Label(bad)
	g.Fail(reason)
	g.Label(good)
}

// moveChecks is "move.check": a hypercall, and the registers that nothing in
// this guest changes.
func (g *Guest) moveChecks() {
	const number, noSys = 99, -1000
	g.Label("move.check")
	g.Mov(EAX, Imm(number))
	g.Raw(0xdd, 0x14, 0x25) // FST, double precision
	g.Data32(varMoveFPU)
	g.Raw(0x0f, 0xae, 0x1c, 0x25) // STMXCSR
	g.Data32(varMoveMXCSR)
	g.Test(Abs(varMoveIntel).Byte(), Imm(1))
	g.JccShort(Z, "move.vmmcall")
	g.Vmcall()
	g.JmpShort("move.called")
	g.Label("move.vmmcall")
	g.Vmmcall()
	g.Label("move.called")
	g.Cmp(RAX, Imm(noSys))
	g.moveFail(NE, "the hypercall's answer")
	g.Call("compare")
	g.moveFail(NE, "a vector register changed")
	g.Mov(RAX, Imm(movePi))
	g.Cmp(RAX, Abs(varMoveFPU))
	g.moveFail(NE, "ST0 changed")
	g.Cmp(Abs(varMoveMXCSR).Dword(), Imm(moveMXCSR))
	g.moveFail(NE, "MXCSR changed")
	g.Mov(RAX, DR0)
	g.Cmp(RAX, Imm(moveDR0))
	g.moveFail(NE, "DR0 changed")
	g.Call("move.cpuid")
	g.Cmp(RAX, Abs(varMoveCPUID))
	g.moveFail(NE, "CPUID changed")
	g.Ret()

	g.Label("move.cpuid") // RAX = a sum over CPUID
	g.Push(RBX)
	g.Xor(R8, R8)
	for _, l := range [][2]int64{
		{0, 0}, {1, 0}, {7, 0}, {0xd, 0}, {0xd, 1}, {0xd, 2}, {0x40000000, 0}, {0x40000001, 0},
		{0x80000000, 0}, {0x80000001, 0}, {0x80000002, 0}, {0x80000007, 0}, {0x80000008, 0},
	} {
		g.Mov(EAX, Imm(l[0]))
		g.Mov(ECX, Imm(l[1]))
		g.Cpuid()
		for _, r := range []Reg{RAX, RBX, RCX, RDX} {
			g.Rol(R8, Imm(5))
			g.Add(R8, r)
		}
	}
	g.Mov(RAX, R8)
	g.Pop(RBX)
	g.Ret()
}

// moveTime reads the paravirtual clocks (Linux documentation, "KVM-specific
// MSRs").
func (g *Guest) moveTime() {
	const (
		version, tsc, system = moveClock, moveClock + 8, moveClock + 16
		mul, shift           = moveClock + 24, moveClock + 28
		kvmWallClock         = 0x4b564d00
	)
	g.Label("move.now") // RAX = ns; changes RCX, RDX, RSI
	g.Mov(ESI, Abs(version))
	g.Rdtsc()
	g.Shl(RDX, Imm(32))
	g.Or(RAX, RDX)
	g.Sub(RAX, Abs(tsc))
	g.Movsx(ECX, Abs(shift).Byte())
	g.Test(ECX, ECX)
	g.JccShort(S, "move.right")
	g.Shl(RAX, CL)
	g.JmpShort("move.scale")
	g.Label("move.right")
	g.Neg(ECX)
	g.Shr(RAX, CL)
	g.Label("move.scale")
	g.Mov(EDX, Abs(mul))
	g.Mul(RDX)
	g.Shr(RAX, Imm(32))
	g.Shl(RDX, Imm(32))
	g.Or(RAX, RDX)
	g.Add(RAX, Abs(system))
	g.Cmp(ESI, Abs(version))
	g.JccShort(NE, "move.now")
	g.Test(ESI, Imm(1)) // odd while the host writes
	g.JccShort(NZ, "move.now")
	g.Ret()

	g.Label("move.wall") // RAX = time of day when the clock was 0, s
	g.Mov(EAX, Imm(moveWall))
	g.Xor(EDX, EDX)
	g.Mov(ECX, Imm(kvmWallClock))
	g.Wrmsr()
	g.Mov(EAX, Abs(moveWall+4))
	g.Ret()
}
