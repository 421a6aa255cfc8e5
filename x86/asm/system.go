package asm

// In reads a port to AL, AX or EAX. port is DX or an Imm up to 255.
func (a *Asm) In(dst Reg, port Operand) { a.io("in", 0xe4, dst, port) }

// Out writes AL, AX or EAX to a port.
func (a *Asm) Out(port Operand, src Reg) { a.io("out", 0xe6, src, port) }

func (a *Asm) io(name string, op byte, r Reg, port Operand) {
	if r != AL && r != AX && r != EAX {
		a.badOperands(name)
		return
	}
	op = wide(op, r.size())
	if port == DX {
		a.emit(inst{name: name, size: r.size(), op: []byte{op + 8}})
		return
	}
	if n, ok := port.(Imm); !ok || n < 0 || n > 255 {
		a.badOperands(name)
		return
	}
	a.emit(inst{name: name, size: r.size(), op: []byte{op}, imm: port, immLen: 8})
}

// Sgdt stores GDTR.
func (a *Asm) Sgdt(m Mem) { a.emit(inst{name: "sgdt", op: []byte{0x0f, 0x01}, reg: 0, rm: m}) }

// Sidt stores IDTR.
func (a *Asm) Sidt(m Mem) { a.emit(inst{name: "sidt", op: []byte{0x0f, 0x01}, reg: 1, rm: m}) }

// Lgdt loads GDTR from a 16-bit limit and a base; in 16-bit mode with all 32
// bits of the base.
func (a *Asm) Lgdt(m Mem) { a.loadTable("lgdt", 2, m) }

// Lidt loads IDTR.
func (a *Asm) Lidt(m Mem) { a.loadTable("lidt", 3, m) }

func (a *Asm) loadTable(name string, ext Reg, m Mem) {
	size := 0
	if a.mode == Bits16 {
		size = 32 // without the prefix only 24 bits of the base are loaded
	}
	a.emit(inst{name: name, size: size, op: []byte{0x0f, 0x01}, reg: ext, rm: m})
}

// Lldt loads LDTR from a 16-bit register or memory.
func (a *Asm) Lldt(src Operand) { a.selector("lldt", 2, src) }

// Ltr loads the task register.
func (a *Asm) Ltr(src Operand) { a.selector("ltr", 3, src) }

func (a *Asm) selector(name string, ext Reg, src Operand) {
	if r, ok := src.(Reg); isImm(src) || ok && r.size() != 16 {
		a.badOperands(name)
		return
	}
	a.emit(inst{name: name, op: []byte{0x0f, 0x00}, reg: ext, rm: src})
}

// Invlpg drops the translation of m's address.
func (a *Asm) Invlpg(m Mem) { a.emit(inst{name: "invlpg", op: []byte{0x0f, 0x01}, reg: 7, rm: m}) }

// Fxsave stores the x87 and SSE state; m is 16-byte aligned.
func (a *Asm) Fxsave(m Mem) { a.emit(inst{name: "fxsave", op: []byte{0x0f, 0xae}, reg: 0, rm: m}) }

// Fxrstor loads the x87 and SSE state.
func (a *Asm) Fxrstor(m Mem) { a.emit(inst{name: "fxrstor", op: []byte{0x0f, 0xae}, reg: 1, rm: m}) }

// Wrfsbase, Wrgsbase, Rdfsbase and Rdgsbase move FS.base and GS.base.
func (a *Asm) Wrfsbase(r Reg) { a.base("wrfsbase", 2, r) }

// Wrgsbase writes GS.base.
func (a *Asm) Wrgsbase(r Reg) { a.base("wrgsbase", 3, r) }

// Rdfsbase reads FS.base.
func (a *Asm) Rdfsbase(r Reg) { a.base("rdfsbase", 0, r) }

// Rdgsbase reads GS.base.
func (a *Asm) Rdgsbase(r Reg) { a.base("rdgsbase", 1, r) }

func (a *Asm) base(name string, ext, r Reg) {
	if !a.need64(name) {
		return
	}
	if r.size() < 32 {
		a.badOperands(name)
		return
	}
	a.emit(inst{name: name, size: r.size(), prefix: 0xf3, op: []byte{0x0f, 0xae}, reg: ext, rm: r})
}

// Instructions without operands.

// Nop does nothing.
func (a *Asm) Nop() { a.op(0x90) }

// Pause hints that this is a spin loop.
func (a *Asm) Pause() { a.op(0xf3, 0x90) }

// Hlt waits for an interrupt.
func (a *Asm) Hlt() { a.op(0xf4) }

// Cli clears RFLAGS.IF.
func (a *Asm) Cli() { a.op(0xfa) }

// Sti sets RFLAGS.IF.
func (a *Asm) Sti() { a.op(0xfb) }

// Clc clears the carry flag.
func (a *Asm) Clc() { a.op(0xf8) }

// Stc sets the carry flag.
func (a *Asm) Stc() { a.op(0xf9) }

// Lock makes the next read-modify-write of memory atomic.
func (a *Asm) Lock() { a.prefixOp(0xf0) }

// Ud2 raises #UD.
func (a *Asm) Ud2() { a.op(0x0f, 0x0b) }

// Cpuid reads leaf EAX, subleaf ECX.
func (a *Asm) Cpuid() { a.op(0x0f, 0xa2) }

// Rdtsc reads the time stamp counter to EDX:EAX.
func (a *Asm) Rdtsc() { a.op(0x0f, 0x31) }

// Rdtscp is Rdtsc with TSC_AUX in ECX.
func (a *Asm) Rdtscp() { a.op(0x0f, 0x01, 0xf9) }

// Rdpmc reads performance counter ECX.
func (a *Asm) Rdpmc() { a.op(0x0f, 0x33) }

// Rdmsr reads MSR ECX to EDX:EAX.
func (a *Asm) Rdmsr() { a.op(0x0f, 0x32) }

// Wrmsr writes EDX:EAX to MSR ECX.
func (a *Asm) Wrmsr() { a.op(0x0f, 0x30) }

// Xgetbv reads XCR ECX to EDX:EAX.
func (a *Asm) Xgetbv() { a.op(0x0f, 0x01, 0xd0) }

// Xsetbv writes EDX:EAX to XCR ECX.
func (a *Asm) Xsetbv() { a.op(0x0f, 0x01, 0xd1) }

// Wbinvd writes back and empties the caches.
func (a *Asm) Wbinvd() { a.op(0x0f, 0x09) }

// Clts clears CR0.TS.
func (a *Asm) Clts() { a.op(0x0f, 0x06) }

// Swapgs exchanges GS.base and KernelGSBase.
func (a *Asm) Swapgs() {
	if a.need64("swapgs") {
		a.op(0x0f, 0x01, 0xf8)
	}
}

// Syscall enters the kernel at LSTAR.
func (a *Asm) Syscall() { a.op(0x0f, 0x05) }

// Sysret returns from Syscall, to 64-bit code in 64-bit mode.
func (a *Asm) Sysret() {
	if a.mode == Bits64 {
		a.op(0x48, 0x0f, 0x07)
		return
	}
	a.op(0x0f, 0x07)
}

// Sysenter enters the kernel at IA32_SYSENTER_EIP.
func (a *Asm) Sysenter() { a.op(0x0f, 0x34) }

// Sysexit returns from Sysenter.
func (a *Asm) Sysexit() { a.op(0x0f, 0x35) }

// Vmcall calls the hypervisor on Intel processors.
func (a *Asm) Vmcall() { a.op(0x0f, 0x01, 0xc1) }

// Vmmcall calls the hypervisor on AMD processors.
func (a *Asm) Vmmcall() { a.op(0x0f, 0x01, 0xd9) }

// Mfence orders loads and stores.
func (a *Asm) Mfence() { a.op(0x0f, 0xae, 0xf0) }

// Lfence waits for earlier instructions.
func (a *Asm) Lfence() { a.op(0x0f, 0xae, 0xe8) }

// Fninit puts the x87 unit in its initial state.
func (a *Asm) Fninit() { a.op(0xdb, 0xe3) }
