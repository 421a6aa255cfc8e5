package tiny

import (
	. "ringo/x86/asm"
)

// Local APIC registers, offsets in the xAPIC page; x2APIC has MSR 0x800 +
// offset/16 (SDM volume 3A, table "Local APIC Register Address Map").
const (
	apicID          = 0x20
	apicTPR         = 0x80
	apicEOI         = 0xb0
	apicSVR         = 0xf0
	apicICR         = 0x300
	apicICRHigh     = 0x310
	apicLVTTimer    = 0x320
	apicTimerCount  = 0x380
	apicTimerNow    = 0x390
	apicTimerDivide = 0x3e0

	apicPage = 0xfee00000

	svrEnable     = 1 << 8
	timerPeriodic = 1 << 17
	timerDeadline = 2 << 17
	divideBy1     = 0xb

	icrInit      = 5 << 8
	icrStartup   = 6 << 8
	icrAssert    = 1 << 14
	icrSelf      = 1 << 18
	icrAllButMe  = 3 << 18
	icrDelivery  = 1 << 12 // xAPIC: not yet sent
	spuriousVect = 0xff

	msrAPICBase    = 0x1b
	apicBaseEnable = 1 << 11
	apicBaseX2     = 1 << 10
	msrX2APIC      = 0x800
	msrDeadline    = 0x6e0

	cpuid1X2APIC   = 21 // ECX bits of CPUID leaf 1
	cpuid1Deadline = 24
	cpuid1XSAVE    = 26
	cpuid1AVX      = 28
)

// APIC enables the local APIC in the mode that it is in, with interrupts of
// every priority.
func (g *Guest) APIC() { g.Call("apic") }

// X2APIC switches to x2APIC mode if the processor has it: ZF is set if not.
func (g *Guest) X2APIC() { g.Call("x2apic") }

// APICWrite writes a value to a register, in whichever mode the APIC is.
func (g *Guest) APICWrite(reg int64, value Operand) {
	g.Mov(EAX, value)
	g.Mov(ECX, Imm(reg))
	g.Call("apic.write")
}

// APICRead reads a register to EAX.
func (g *Guest) APICRead(reg int64) {
	g.Mov(ECX, Imm(reg))
	g.Call("apic.read")
}

// SendIPI writes the interrupt command register: command to the processor with
// the APIC ID in ESI.
func (g *Guest) SendIPI(command int64) {
	g.Mov(EAX, Imm(command))
	g.Call("ipi")
}

// SpinTicks waits until the time stamp counter has advanced.
func (g *Guest) SpinTicks(n int64) {
	g.Mov(ESI, Imm(n))
	g.Call("spin")
}

func (g *Guest) apicCode() {
	g.Label("apic")
	g.APICWrite(apicTPR, Imm(0))
	g.APICWrite(apicSVR, Imm(svrEnable|spuriousVect))
	g.Ret()

	g.Label("x2apic")
	g.Push(RBX) // CPUID changes it
	g.Mov(EAX, Imm(1))
	g.Cpuid()
	g.Pop(RBX)
	g.And(ECX, Imm(1<<cpuid1X2APIC))
	g.JccShort(Z, "x2apic.end")
	g.Mov(ECX, Imm(msrAPICBase))
	g.Rdmsr()
	g.Or(EAX, Imm(apicBaseEnable|apicBaseX2))
	g.Wrmsr()
	g.Mov(Abs(varX2APIC).Byte(), Imm(1))
	g.Or(EAX, EAX)
	g.Label("x2apic.end")
	g.Ret()

	g.apicRegisters()

	g.Label("spin") // ESI ticks
	g.Rdtsc()
	g.Shl(RDX, Imm(32))
	g.Or(RAX, RDX)
	g.Add(RSI, RAX)
	g.Label("spin.more")
	g.Pause()
	g.Rdtsc()
	g.Shl(RDX, Imm(32))
	g.Or(RAX, RDX)
	g.Cmp(RAX, RSI)
	g.JccShort(B, "spin.more")
	g.Ret()
}

// apicRegisters are the accesses that look at the mode. They change RAX, RCX,
// RDX and RDI.
func (g *Guest) apicRegisters() {
	g.Label("eoi")
	g.Xor(EAX, EAX)
	g.Mov(ECX, Imm(apicEOI))
	g.Label("apic.write") // ECX = register, EAX = value
	g.Cmp(Abs(varX2APIC).Byte(), Imm(0))
	g.JccShort(NE, "apic.write.x2")
	g.Mov(EDI, Imm(apicPage))
	g.Mov(Ptr(RDI, 0).Plus(RCX, 1), EAX)
	g.Ret()
	g.Label("apic.write.x2")
	g.Xor(EDX, EDX)
	g.Label("apic.write.msr")
	g.Shr(ECX, Imm(4))
	g.Add(ECX, Imm(msrX2APIC))
	g.Wrmsr()
	g.Ret()

	g.Label("apic.read")
	g.Cmp(Abs(varX2APIC).Byte(), Imm(0))
	g.JccShort(NE, "apic.read.x2")
	g.Mov(EDI, Imm(apicPage))
	g.Mov(EAX, Ptr(RDI, 0).Plus(RCX, 1))
	g.Ret()
	g.Label("apic.read.x2")
	g.Shr(ECX, Imm(4))
	g.Add(ECX, Imm(msrX2APIC))
	g.Rdmsr()
	g.Ret()

	g.Label("ipi") // EAX = command, ESI = APIC ID
	g.Mov(ECX, Imm(apicICR))
	g.Mov(EDX, ESI)
	g.Cmp(Abs(varX2APIC).Byte(), Imm(0))
	g.JccShort(NE, "apic.write.msr")
	g.Mov(EDI, Imm(apicPage))
	g.Label("ipi.busy")
	g.Test(Ptr(RDI, apicICR).Dword(), Imm(icrDelivery))
	g.JccShort(NZ, "ipi.busy")
	g.Shl(EDX, Imm(24))
	g.Mov(Ptr(RDI, apicICRHigh), EDX)
	g.Mov(Ptr(RDI, apicICR), EAX)
	g.Ret()
}
