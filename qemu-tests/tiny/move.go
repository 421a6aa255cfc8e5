package tiny

import (
	. "ringo/x86/asm"
)

// MoveOptions say how long Move runs.
type MoveOptions struct {
	Rounds int // a round takes at least 22 ms of the guest's time
}

// Where Move keeps what it has to find again.
const (
	varMoveIntel = programData + 0x2000 // 1: CPUID names Intel, which has SYSENTER and VMCALL
	varMoveSeq   = programData + 0x2008 // rounds so far
	varMoveCall  = programData + 0x2010 // number of the system call
	varMoveTime  = programData + 0x2018 // the paravirtual clock's last reading, ns
	varMoveWall  = programData + 0x2020 // time of day at which it was 0, s
	varMoveFast  = programData + 0x2028 // rounds in a row that took too long
	varMoveCPUID = programData + 0x2030 // sum over CPUID
	varMoveUser  = programData + 0x2038 // the program's RSP during SYSCALL
	varMoveFPU   = programData + 0x2040 // ST0 as found
	varMoveMXCSR = programData + 0x2048 // MXCSR, likewise
	moveClock    = programData + 0x2080 // struct pvclock_vcpu_time_info
	moveWall     = programData + 0x20c0 // struct pvclock_wall_clock

	moveKernelStack = stacks + 3*stackBytes // of system calls
	moveIRQStack    = stacks + 4*stackBytes // of interrupts at CPL 3
	moveUserStack   = chaosPage - 16

	// moveHigh is where the first 512 GiB are mapped again, for addresses that
	// need 64 bits.
	moveHigh = -1 << 39
)

// Selectors of Move's GDT, in the order that SYSENTER and SYSCALL want. The
// first two are those of the runtime.
const (
	moveUser32 = 0x18 | 3
	moveUserD  = 0x20 | 3
	moveUser64 = 0x28 | 3
	moveTSS    = 0x38

	moveSTAR = (moveUser32&^3)<<48 | selCode64<<32
)

// What registers hold all the time, and what a system call returns.
const (
	movePi     = 0x4009_21fb_5444_2d18 // FLDPI as a double
	moveMXCSR  = 0x7f80                // rounds toward zero
	moveDR0    = 0x1234_5678
	moveResult = 0x600d

	callRound = 1 // from 32-bit code
	callCheck = 2 // from 64-bit code
)

// Move is a guest to be moved between processors of different vendors while
// it runs. A 32-bit and a 64-bit program call its kernel by SYSENTER or by
// SYSCALL, as the vendor's processors do best; the kernel makes a hypercall,
// checks vector registers, x87, MXCSR, debug registers and CPUID, compares the
// paravirtual clock with the APIC timer, and prints the round's number.
func Move(o MoveOptions) []byte { return Long(move(o)) }

func move(o MoveOptions) func(g *Guest) {
	return func(g *Guest) {
		g.moveVendor()
		g.moveMemory()
		g.moveMSRs()
		g.moveRegisters()
		g.APIC()
		g.Call("move.cpuid")
		g.Mov(Abs(varMoveCPUID), RAX)
		g.Call("move.wall")
		g.Mov(Abs(varMoveWall), RAX)
		g.moveToUser()

		g.moveEntries()
		g.moveService(o)
		g.moveChecks()
		g.moveTime()
		g.movePrograms()
		g.canaryCode()
	}
}

// moveVendor asks CPUID whose processor this is.
func (g *Guest) moveVendor() {
	const genu = 0x756e6547 // "Genu" of GenuineIntel
	g.Xor(EAX, EAX)
	g.Cpuid()
	g.Cmp(EBX, Imm(genu))
	g.Setcc(E, Abs(varMoveIntel).Byte())
}

// moveMemory opens the first 4 MiB to CPL 3, maps the high copy, and loads GDT,
// TSS and the data segments of CPL 3.
func (g *Guest) moveMemory() {
	const user = 4
	for _, table := range []int64{pageTables, pageTables + 0x1000, pageTables + 0x2000, pageTables + 0x2008} {
		g.Or(Abs(table).Byte(), Imm(user))
	}
	g.Mov(RAX, Abs(pageTables))
	g.Mov(Abs(pageTables+8*511), RAX)
	g.Mov(RAX, CR3)
	g.Mov(CR3, RAX)
	g.Mov(Abs(tssBase+4).Qword(), Imm(moveIRQStack))
	g.Mov(Abs(tssBase+0x66).Word(), Imm(tssLimit+1)) // no I/O map
	g.Lgdt(At("move.gdtr"))
	g.Mov(EAX, Imm(moveTSS))
	g.Ltr(AX)
	g.Mov(EAX, Imm(moveUserD))
	g.Mov(DS, EAX)
	g.Mov(ES, EAX)
}

// moveMSRs sets up both kinds of system calls and the paravirtual clock.
func (g *Guest) moveMSRs() {
	const (
		sysenterCS, sysenterESP, sysenterEIP = 0x174, 0x175, 0x176
		star, lstar, cstar, sfmask           = 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084
		kvmSystemTime                        = 0x4b564d01
		flags                                = 0x700 // TF, IF, DF
		syscallEnable                        = 1
	)
	set := func(msr int64) { // to RAX
		g.Mov(RDX, RAX)
		g.Shr(RDX, Imm(32))
		g.Mov(ECX, Imm(msr))
		g.Wrmsr()
	}
	g.Mov(EAX, Imm(selCode64))
	set(sysenterCS)
	g.Mov(RAX, Imm(moveHigh+moveKernelStack))
	set(sysenterESP)
	g.Mov(RSI, Imm(moveHigh))
	for _, entry := range []struct {
		msr   int64
		label string
	}{{sysenterEIP, "move.sysenter"}, {lstar, "move.syscall64"}, {cstar, "move.syscall32"}} {
		g.Mov(RAX, Addr{Label: entry.label})
		g.Add(RAX, RSI)
		set(entry.msr)
	}
	g.Mov(RAX, Imm(moveSTAR))
	set(star)
	g.Mov(EAX, Imm(flags))
	set(sfmask)
	g.Mov(ECX, Imm(msrEFER))
	g.Rdmsr()
	g.Or(EAX, Imm(syscallEnable))
	g.Wrmsr()
	g.Mov(EAX, Imm(moveClock|1))
	set(kvmSystemTime)
}

// moveRegisters loads what every round looks for.
func (g *Guest) moveRegisters() {
	g.enableAVX()
	g.Seed(0x5eed)
	g.Call("fill")
	g.Mov(ESI, Imm(canaryGPR))
	g.Mov(EDI, Imm(foundGPR))
	g.Mov(ECX, Imm(16))
	g.Rep()
	g.Movs(64)
	g.Fninit()
	g.Raw(0xd9, 0xeb) // FLDPI
	g.Mov(Abs(varMoveMXCSR).Dword(), Imm(moveMXCSR))
	g.Raw(0x0f, 0xae, 0x14, 0x25) // LDMXCSR
	g.Data32(varMoveMXCSR)
	g.Mov(EAX, Imm(moveDR0))
	g.Mov(DR0, RAX)
}

// moveToUser starts the 32-bit program.
func (g *Guest) moveToUser() {
	const interruptsOn = 0x202
	g.Push(Imm(moveUserD))
	g.Push(Imm(moveUserStack))
	g.Push(Imm(interruptsOn))
	g.Push(Imm(moveUser32))
	g.Push(Addr{Label: "move.user32"})
	g.Iret(64)
	g.Align(16, 0)
	g.Label("move.gdt")
	g.Data64(
		0,
		0x00af_9b00_0000_ffff, // selCode64
		0x00cf_9300_0000_ffff, // selData
		0x00cf_fb00_0000_ffff, // moveUser32
		0x00cf_f300_0000_ffff, // moveUserD
		0x00af_fb00_0000_ffff, // moveUser64
		0x00cf_f300_0000_ffff, // its data segment after SYSEXIT
		tssBase<<16|0x0000_8900_0000_0000|tssLimit, 0, // moveTSS
	)
	g.Label("move.gdtr")
	g.Data16(9*8 - 1)
	g.DataAddr(64, "move.gdt", 0)
}

// moveEntries are where system calls arrive, with interrupts off. RAX is the
// number of the call.
func (g *Guest) moveEntries() {
	g.Label("move.sysenter") // RCX and RDX: the program's RSP and RIP
	for _, r := range []Reg{RCX, RDX, RAX} {
		g.Push(r)
	}
	g.Call("move.service")
	for _, r := range []Reg{RAX, RDX, RCX} {
		g.Pop(r)
	}
	g.Cmp(EAX, Imm(callCheck))
	g.Mov(EAX, Imm(moveResult))
	g.JccShort(E, "move.wide")
	g.Sti()
	g.Sysexit()
	g.Label("move.wide")
	g.Sti()
	g.Raw(0x48) // REX.W: to 64-bit code
	g.Sysexit()

	for _, entry := range []string{"move.syscall32", "move.syscall64"} {
		g.Label(entry) // RCX and R11: the program's RIP and flags
		g.Mov(Abs(varMoveUser), RSP)
		g.Mov(RSP, Imm(moveHigh+moveKernelStack))
		for _, r := range []Reg{RCX, R11, RAX} {
			g.Push(r)
		}
		g.Call("move.service")
		for _, r := range []Reg{RAX, R11, RCX} {
			g.Pop(r)
		}
		g.Mov(EAX, Imm(moveResult))
		g.Mov(RSP, Abs(varMoveUser))
		if entry == "move.syscall64" {
			g.Sysret()
		} else {
			g.Raw(0x0f, 0x07) // SYSRET to 32-bit code
		}
	}
}

// movePrograms are the code of CPL 3. Bad results end in UD2, which the
// kernel reports.
func (g *Guest) movePrograms() {
	const spin = 2_000_000
	g.Bits(Bits32)
	g.Label("move.user32")
	g.Mov(ECX, Imm(spin))
	g.Label("move.spin")
	g.Dec(ECX)
	g.JccShort(NZ, "move.spin")
	g.Test(Abs(varMoveIntel).Byte(), Imm(1))
	g.JccShort(Z, "move.amd32")
	g.Mov(EAX, Imm(callRound))
	g.Mov(ECX, ESP)
	g.Mov(EDX, Addr{Label: "move.back32"})
	g.Sysenter()
	g.Label("move.amd32")
	g.Mov(EAX, Imm(callRound))
	g.Raw(0x0f, 0x05) // SYSCALL, which the tests' disassembler knows in 64-bit code only
	g.Label("move.back32")
	g.Cmp(EAX, Imm(moveResult))
	g.JccShort(NE, "move.bad32")
	g.Cmp(ESP, Imm(moveUserStack))
	g.JccShort(NE, "move.bad32")
	g.JmpFar(moveUser64, "move.user64", 32)
	g.Label("move.bad32")
	g.Ud2()

	g.Bits(Bits64)
	g.Label("move.user64")
	g.Mov(EAX, Imm(callCheck))
	g.Test(Abs(varMoveIntel).Byte(), Imm(1))
	g.JccShort(Z, "move.amd64")
	g.Mov(RCX, RSP)
	g.Lea(RDX, At("move.back64"))
	g.Sysenter()
	g.Label("move.amd64")
	g.Syscall()
	g.Label("move.back64")
	g.Cmp(EAX, Imm(moveResult))
	g.JccShort(NE, "move.bad64")
	g.Cmp(RSP, Imm(moveUserStack))
	g.JccShort(NE, "move.bad64")
	g.Push(Imm(moveUser32))
	g.Push(Addr{Label: "move.user32"})
	g.RetFar(64)
	g.Label("move.bad64")
	g.Ud2()
}
