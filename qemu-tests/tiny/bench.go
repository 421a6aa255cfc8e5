package tiny

import (
	. "ringo/x86/asm"
)

// BenchOptions say what Bench measures with.
type BenchOptions struct {
	// Iterations of each row, after a warm-up of an eighth of them. At least 8.
	Iterations int
	// Port is read for the row "port-read"; the host has a device model there.
	Port uint16
	// MMIO is written for the row "mmio-write": the physical address, below
	// 4 GiB, of a device model's register. 0: no such row.
	MMIO uint32
	// Hypercalls adds the row "vmcall" on Intel processors and "vmmcall" on
	// others. Without a hypervisor these instructions fault.
	Hypercalls bool
	// TimerCount is the APIC timer's initial count for the row "hlt-timer".
	TimerCount uint32
}

const (
	benchVector  = 0x41
	msrTSCAdjust = 0x3b
	hypercallNop = 1 // KVM_HC_VAPIC_POLL_IRQ: does nothing but exit
	deadlineWait = 20_000

	varTaken    = programData        // interrupts taken
	varLateness = programData + 0x08 // sum of ticks from deadline to wake-up
	varDeadline = programData + 0x10
)

// Bench prints a line "bench NAME TICKS" for each kind of exit: time stamp
// counter ticks per iteration, loop overhead included (row "loop" shows it).
//
// Rows with the suffix -xapic and -x2apic come once per mode of the local
// APIC; a processor without x2APIC has no -x2apic rows. "self-ipi" is the
// write of the interrupt command register with interrupts off, then STI, the
// handler with its EOI, and back; "self-ipi-hlt" does it with HLT. "hlt-timer"
// is from arming the timer with TimerCount to the end of the handler;
// "hlt-deadline", where the timer has TSC-deadline mode, is from the deadline
// to the instruction after HLT. "cr0-wp" is one clearing and one setting.
func Bench(o BenchOptions) []byte { return Long(bench(o)) }

func bench(o BenchOptions) func(g *Guest) {
	return func(g *Guest) {
		g.Gate(benchVector, "taken", 0)
		g.row(o, "loop", func() {})
		g.row(o, "cpuid", func() {
			g.Xor(EAX, EAX)
			g.Cpuid()
		})
		if o.Hypercalls {
			g.benchHypercall(o)
		}
		g.Mov(R8D, Imm(int64(o.Port)))
		g.row(o, "port-read", func() {
			g.Mov(EDX, R8D)
			g.In(AL, DX)
		})
		if o.MMIO != 0 {
			g.Mov(EDI, Imm(int64(o.MMIO)))
			g.row(o, "mmio-write", func() { g.Mov(Ptr(RDI, 0), EAX) })
		}
		g.benchMSR(o)
		g.row(o, "cr0-wp", func() {
			g.Mov(RAX, CR0)
			g.Btr(EAX, Imm(16))
			g.Mov(CR0, RAX)
			g.Bts(EAX, Imm(16))
			g.Mov(CR0, RAX)
		})
		g.benchAPIC(o, "-xapic")
		g.X2APIC()
		g.Jcc(Z, "bench.end")
		g.benchAPIC(o, "-x2apic")
		g.Label("bench.end")
		g.Exit(ExitOK)
		g.takenHandler()
	}
}

// row measures body. body may change RAX, RBX, RCX, RDX, RSI, R9 to R11.
func (g *Guest) row(o BenchOptions, name string, body func()) {
	n := max(o.Iterations, 8)
	g.Mov(R15D, Imm(int64(n/8)))
	loop := func() {
		label := g.Unique("again")
		g.Label(label)
		body()
		g.Dec(R15D)
		g.Jcc(NZ, label)
	}
	loop()
	g.Mov(R15D, Imm(int64(n)))
	g.tsc(R14)
	loop()
	g.tsc(R13)
	g.Sub(R13, R14)
	g.result(n, name, R13)
}

// result prints the total in r divided by n.
func (g *Guest) result(n int, name string, r Reg) {
	g.Push(RDI)
	g.Mov(RAX, r)
	g.Xor(EDX, EDX)
	g.Mov(ECX, Imm(int64(n)))
	g.Div(RCX)
	g.Push(RAX)
	g.Print("bench " + name + " ")
	g.Pop(RAX)
	g.PrintDecimal()
	g.Print("\n")
	g.Pop(RDI)
}

// benchHypercall chooses the processor's own instruction.
func (g *Guest) benchHypercall(o BenchOptions) {
	const genuineIntelEBX = 0x756e6547
	g.Xor(EAX, EAX)
	g.Cpuid()
	g.Cmp(EBX, Imm(genuineIntelEBX))
	g.Jcc(E, "intel")
	g.row(o, "vmmcall", func() {
		g.Mov(EAX, Imm(hypercallNop))
		g.Vmmcall()
	})
	g.Jmp("called")
	g.Label("intel")
	g.row(o, "vmcall", func() {
		g.Mov(EAX, Imm(hypercallNop))
		g.Vmcall()
	})
	g.Label("called")
}

// benchMSR writes and reads IA32_TSC_ADJUST without a change of its value.
func (g *Guest) benchMSR(o BenchOptions) {
	g.Mov(ECX, Imm(msrTSCAdjust))
	g.Rdmsr()
	g.Mov(R8, RAX)
	g.Mov(R12, RDX)
	g.row(o, "tsc-adjust-write", func() {
		g.Mov(ECX, Imm(msrTSCAdjust))
		g.Mov(RAX, R8)
		g.Mov(RDX, R12)
		g.Wrmsr()
	})
	g.row(o, "tsc-adjust-read", func() {
		g.Mov(ECX, Imm(msrTSCAdjust))
		g.Rdmsr()
	})
}

// benchAPIC measures the local APIC in the mode that it is in.
func (g *Guest) benchAPIC(o BenchOptions, suffix string) {
	x2 := suffix == "-x2apic"
	write := func(reg, value int64) {
		if x2 {
			g.Mov(ECX, Imm(msrX2APIC+reg/16))
			g.Mov(EAX, Imm(value))
			g.Xor(EDX, EDX)
			g.Wrmsr()
		} else {
			g.Mov(Ptr(RDI, reg).Dword(), Imm(value))
		}
	}
	g.APIC()
	g.Mov(EDI, Imm(apicPage))
	g.row(o, "eoi"+suffix, func() { write(apicEOI, 0) })
	selfIPI := func() { write(apicICR, icrSelf|icrAssert|benchVector) }
	g.row(o, "self-ipi"+suffix, func() {
		selfIPI()
		g.Sti()
		g.Nop()
		g.Cli()
	})
	g.row(o, "self-ipi-hlt"+suffix, func() {
		selfIPI()
		g.Sti()
		g.Hlt()
		g.Cli()
	})
	g.APICWrite(apicTimerDivide, Imm(divideBy1))
	g.APICWrite(apicLVTTimer, Imm(benchVector))
	g.Mov(EDI, Imm(apicPage))
	g.row(o, "hlt-timer"+suffix, func() {
		write(apicTimerCount, int64(max(o.TimerCount, 1)))
		g.Sti()
		g.Hlt()
		g.Cli()
	})
	g.benchDeadline(o, suffix)
	// Every interrupt must have been taken: two self-IPI rows and the timer's.
	n := max(o.Iterations, 8)
	g.Cmp(Abs(varTaken).Dword(), Imm(int64(3*(n+n/8))))
	ok := g.Unique("taken")
	g.Jcc(AE, ok)
	g.Fail("interrupts were lost")
	g.Label(ok)
	g.Mov(Abs(varTaken).Dword(), Imm(0))
}

// benchDeadline measures how late a TSC deadline wakes the processor.
func (g *Guest) benchDeadline(o BenchOptions, suffix string) {
	none := g.Unique("none")
	g.Mov(EAX, Imm(1))
	g.Cpuid()
	g.Bt(ECX, Imm(cpuid1Deadline))
	g.Jcc(NC, none)
	g.APICWrite(apicLVTTimer, Imm(timerDeadline|benchVector))
	name := g.Unique("deadline")
	g.Mov(R15D, Imm(int64(max(o.Iterations, 8))))
	g.Mov(Abs(varLateness).Qword(), Imm(0))
	g.Label(name)
	g.Rdtsc()
	g.Shl(RDX, Imm(32))
	g.Lea(RAX, Ptr(RDX, deadlineWait).Plus(RAX, 1))
	g.Mov(Abs(varDeadline), RAX)
	g.Mov(RDX, RAX)
	g.Shr(RDX, Imm(32))
	g.Mov(ECX, Imm(msrDeadline))
	g.Wrmsr()
	g.Sti()
	g.Hlt()
	g.Cli()
	g.tsc(RCX)
	g.Sub(RCX, Abs(varDeadline))
	g.Add(Abs(varLateness), RCX)
	g.Dec(R15D)
	g.Jcc(NZ, name)
	g.Mov(R13, Abs(varLateness))
	g.result(max(o.Iterations, 8), "hlt-deadline"+suffix, R13)
	g.Label(none)
}

// takenHandler counts and acknowledges with as few instructions as it can: it
// runs inside the measured loops, whose registers are free.
func (g *Guest) takenHandler() {
	g.Label("taken")
	g.Push(RDI)
	g.Inc(Abs(varTaken).Dword())
	g.Call("eoi")
	g.Pop(RDI)
	g.Iret(64)
}
