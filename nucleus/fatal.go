package nucleus

import (
	"sync/atomic"
	"unsafe"

	"ringo/nucleus/reg"
	"ringo/x86"
)

// The end: reports on the serial line, then a halt or a reboot as the command
// line says (panic=halt, panic=reboot).

// nestFrame is what the stubs save on a nested handler's stack.
type nestFrame struct {
	xmm    [32]uint64
	gpr    [15]uint64 // AX CX DX BX BP SI DI R8 ... R15
	fsBase uint64
	vector uint64
	code   uint64
	rip    uint64
	cs     uint64
	rflags uint64
	rsp    uint64
	ss     uint64
}

var (
	dying atomic.Uint32 // CPU number + 1 of the one that reports
)

var exceptionNames = [32]string{
	0: "divide error", 1: "debug", 2: "NMI", 3: "breakpoint", 4: "overflow", 5: "bound range",
	6: "invalid opcode", 7: "device not available", 8: "double fault", 10: "invalid TSS",
	11: "segment not present", 12: "stack fault", 13: "general protection", 14: "page fault",
	16: "x87 error", 17: "alignment check", 18: "machine check", 19: "SIMD error",
	21: "control protection",
}

// fatal stops the machine because a host invariant is broken.
func fatal(msg string) {
	beginReport()
	earlyPrint(msg)
	earlyPrint("\n")
	finish()
}

func outOfMemory() {
	fatal("nucleus: the host is out of memory: no frame is left for the Go heap. Give the VMs less memory or the machine more.")
}

// beginReport makes this CPU the only one that speaks, and stops the others.
func beginReport() {
	self := uint32(1)
	if c := thisCPUSafe(); c != nil {
		self = c.number + 1
	}
	if !dying.CompareAndSwap(0, self) {
		if dying.Load() != self {
			haltForever()
		}
		earlyPrint("\nnucleus: another failure during the report\n")
		finish()
	}
	for i := uint32(0); i < nCPU.Load(); i++ {
		if i+1 != self {
			sendICR(cpus[i].apicID, icrNMI|icrAssert)
		}
	}
	earlyPrint("\n\nRINGO STOPPED: ")
}

// thisCPUSafe is thisCPU, or nil before GS is set up.
func thisCPUSafe() *CPU {
	if reg.ReadMSR(x86.MSRGSBase) == 0 {
		return nil
	}
	return thisCPU()
}

func finish() {
	if options.rebootOnPanic {
		earlyPrint("rebooting\n")
		reboot()
	}
	earlyPrint("halted\n")
	haltForever()
}

// fatalInside reports an exception in nucleus code, or a double fault.
func fatalInside(f *nestFrame) {
	beginReport()
	reportException(f.vector, f.code)
	r := Registers{
		RAX: f.gpr[0], RCX: f.gpr[1], RDX: f.gpr[2], RBX: f.gpr[3], RSP: f.rsp, RBP: f.gpr[4],
		RSI: f.gpr[5], RDI: f.gpr[6], R8: f.gpr[7], R9: f.gpr[8], R10: f.gpr[9], R11: f.gpr[10],
		R12: f.gpr[11], R13: f.gpr[12], R14: f.gpr[13], R15: f.gpr[14], RIP: f.rip, RFLAGS: f.rflags,
	}
	reportWhere("nucleus code")
	reportRegisters(&r)
	reportStack(&r)
	finish()
}

// fatalThread reports a signal of a thread that no handler takes.
func fatalThread(t *Thread, info *sigInfo) {
	beginReport()
	if info.code == 0xfffffffa {
		earlyPrint("signal ")
		earlyDec(uint64(info.sig))
		earlyPrint(" without a handler\n")
	} else {
		reportException(info.trap, info.err)
	}
	reportWhere("a Go thread, which cannot take a signal")
	reportRegisters(&t.Regs)
	reportStack(&t.Regs)
	finish()
}

func reportException(vector, code uint64) {
	earlyPrint("exception ")
	earlyDec(vector)
	if vector < 32 {
		earlyPrint(" (")
		earlyPrint(exceptionNames[vector])
		earlyPrint(")")
	}
	earlyPrint(", error code ")
	earlyHex(code)
	earlyPrint(", CR2 ")
	earlyHex(reg.ReadCR2())
	earlyPrint("\n")
}

func reportWhere(what string) {
	c := thisCPU()
	earlyPrint("in ")
	earlyPrint(what)
	earlyPrint(", CPU ")
	earlyDec(uint64(c.number))
	if c.current != 0 {
		earlyPrint(", thread ")
		earlyDec(uint64((*Thread)(unsafe.Pointer(c.current)).id))
	}
	earlyPrint("\n")
}

func reportRegisters(r *Registers) {
	names := [18]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15", "RIP", "RFL"}
	values := (*[18]uint64)(unsafe.Pointer(r))
	for i := range names {
		earlyPrint(names[i])
		earlyPrint(" ")
		earlyHex(values[i])
		if i%3 == 2 {
			earlyPrint("\n")
		} else {
			earlyPrint("  ")
		}
	}
	earlyPrint("CR0 ")
	earlyHex(reg.ReadCR0())
	earlyPrint("  CR3 ")
	earlyHex(reg.ReadCR3())
	earlyPrint("  CR4 ")
	earlyHex(reg.ReadCR4())
	earlyPrint("\n")
}

// nmi serves NMI and machine check. An NMI while another CPU reports a failure
// stops this one; any other is counted. A machine check is fatal unless the
// processor says that the interrupted program can go on.
func nmi(f *nestFrame) {
	if dying.Load() != 0 {
		haltForever()
	}
	if f.vector == 18 {
		machineCheck(f)
		return
	}
	thisCPU().stats.NMIs++
}

func machineCheck(f *nestFrame) {
	const ripv, mcip = 1, 4
	status := reg.ReadMSR(x86.MSRMCGStatus)
	banks := uint32(reg.ReadMSR(x86.MSRMCGCap) & 0xff)
	const valid, uncorrected, corrupt = 1 << 63, 1 << 61, 1 << 57
	bad := status&ripv == 0
	for i := uint32(0); i < banks; i++ {
		s := reg.ReadMSR(mcBank0 + 4*i + 1)
		if s&valid == 0 {
			continue
		}
		earlyPrint("\nmachine check, bank ")
		earlyDec(uint64(i))
		earlyPrint(", status ")
		earlyHex(s)
		earlyPrint("\n")
		if s&uncorrected != 0 && s&corrupt != 0 {
			bad = true
		}
		reg.WriteMSR(mcBank0+4*i+1, 0)
	}
	if bad {
		fatalInside(f)
	}
	reg.WriteMSR(x86.MSRMCGStatus, status&^mcip)
}

// exitProgram ends everything after the runtime's own exit, whose message, if
// it was a panic, is on the serial line already.
func exitProgram(code int32) {
	if code == 0 {
		powerOff()
	}
	beginReport()
	earlyPrint("the program ended with exit code ")
	earlyDec(uint64(uint32(code)))
	earlyPrint("\n")
	finish()
}
