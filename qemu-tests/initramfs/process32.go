package initramfs

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"ringo/x86/asm"
)

// Process32 is the file of the 32-bit program in the test image.
const Process32 = "process32"

// process32Base is where it is loaded.
const process32Base = 0x08048000

// Linux system calls of 32-bit programs, and the entry of the auxiliary vector
// that says where the kernel's page with the fast system call is.
const (
	sys32Exit         = 1
	sys32Write        = 4
	sys32GetPID       = 20
	sys32Nanosleep    = 162
	sys32ClockGettime = 265

	atSysinfo      = 32
	clockMonotonic = 1
)

// process32Program makes a static 32-bit program that counts for ever. Each
// round makes system calls in the way that the kernel has chosen for this
// processor (SYSENTER on Intel's, SYSCALL on AMD's), looks whether x87 and XMM
// registers keep their values and the clock does not go back, and writes the
// round's number, 4 bytes, to standard output. It ends with code 1 if
// something is wrong.
func process32Program() ([]byte, error) {
	headers := binary.Size(elf.Header32{}) + binary.Size(elf.Prog32{})
	entry := uint64(process32Base + headers)
	a := asm.New(asm.Bits32, entry)
	findSysinfo(a)
	loadRegisters(a)
	a.Label("round")
	repeatGetPID(a)
	compareRegisters(a)
	compareTime(a)
	a.Inc(asm.At("count").Dword())
	call32(a, sys32Write, asm.Imm(1), asm.Addr{Label: "count"}, asm.Imm(4))
	a.Cmp(asm.EAX, asm.Imm(4))
	a.Jcc(asm.NE, "bad")
	call32(a, sys32Nanosleep, asm.Addr{Label: "pause"}, asm.Imm(0), asm.Imm(0))
	a.Jmp("round")
	a.Label("bad")
	call32(a, sys32Exit, asm.Imm(1), asm.Imm(0), asm.Imm(0))
	process32Data(a)
	code, err := a.Bytes()
	if err != nil {
		return nil, fmt.Errorf("the 32-bit program: %w", err)
	}
	return executable32(entry, code), nil
}

// findSysinfo walks over the arguments and the environment on the stack to the
// auxiliary vector.
func findSysinfo(a *asm.Asm) {
	a.Mov(asm.ESI, asm.ESP)
	a.Lods(32) // the number of arguments; they end with a null pointer
	a.Lea(asm.ESI, asm.Ptr(asm.ESI, 4).Plus(asm.EAX, 4))
	a.Label("environment")
	a.Lods(32)
	a.Test(asm.EAX, asm.EAX)
	a.Jcc(asm.NE, "environment")
	a.Label("auxiliary")
	a.Lods(32)
	a.Mov(asm.ECX, asm.EAX)
	a.Lods(32)
	a.Mov(asm.At("sysinfo"), asm.EAX)
	a.Cmp(asm.ECX, asm.Imm(atSysinfo))
	a.Jcc(asm.NE, "auxiliary")
}

// loadRegisters gives x87 and XMM registers the values that they shall keep.
func loadRegisters(a *asm.Asm) {
	for n := range 8 {
		a.Movups(asm.XMM(n), asm.At("pattern").Off(int64(n)))
	}
	a.Raw(0xD9, 0xEB) // FLDPI
}

// repeatGetPID asks for the process's number many times.
func repeatGetPID(a *asm.Asm) {
	a.Mov(asm.EDI, asm.Imm(10))
	a.Label("again")
	call32(a, sys32GetPID, asm.Imm(0), asm.Imm(0), asm.Imm(0))
	a.Cmp(asm.At("pid").Dword(), asm.Imm(0))
	a.Jcc(asm.NE, "known")
	a.Mov(asm.At("pid"), asm.EAX)
	a.Label("known")
	a.Cmp(asm.EAX, asm.At("pid"))
	a.Jcc(asm.NE, "bad")
	a.Dec(asm.EDI)
	a.Jcc(asm.NE, "again")
}

// compareRegisters compares what loadRegisters has loaded.
func compareRegisters(a *asm.Asm) {
	const piLow, piHigh = 0x54442D18, 0x400921FB // FLDPI as a double
	for n := range 8 {
		a.Movups(asm.At("scratch"), asm.XMM(n))
		a.Mov(asm.ESI, asm.Addr{Label: "scratch"})
		a.Mov(asm.EDI, asm.Addr{Label: "pattern", Add: int64(n)})
		a.Mov(asm.ECX, asm.Imm(16))
		a.Raw(0xF3) // REPE
		a.Cmps(8)
		a.Jcc(asm.NE, "bad")
	}
	a.Mov(asm.EDX, asm.Addr{Label: "scratch"})
	a.Raw(0xDD, 0x12) // FST, double precision, to [EDX]
	a.Cmp(asm.At("scratch").Dword(), asm.Imm(piLow))
	a.Jcc(asm.NE, "bad")
	a.Cmp(asm.At("scratch").Off(4).Dword(), asm.Imm(piHigh))
	a.Jcc(asm.NE, "bad")
}

// compareTime reads the monotonic clock: seconds, then nanoseconds.
func compareTime(a *asm.Asm) {
	call32(a, sys32ClockGettime, asm.Imm(clockMonotonic), asm.Addr{Label: "now"}, asm.Imm(0))
	a.Mov(asm.EAX, asm.At("now"))
	a.Mov(asm.EDX, asm.At("now").Off(4))
	a.Cmp(asm.EAX, asm.At("last"))
	a.Jcc(asm.B, "bad")
	a.Jcc(asm.A, "later")
	a.Cmp(asm.EDX, asm.At("last").Off(4))
	a.Jcc(asm.B, "bad")
	a.Label("later")
	a.Mov(asm.At("last"), asm.EAX)
	a.Mov(asm.At("last").Off(4), asm.EDX)
}

// call32 makes a system call with three arguments through the kernel's page.
func call32(a *asm.Asm, number int64, x, y, z asm.Operand) {
	a.Mov(asm.EAX, asm.Imm(number))
	a.Mov(asm.EBX, x)
	a.Mov(asm.ECX, y)
	a.Mov(asm.EDX, z)
	a.CallTo(asm.At("sysinfo").Dword())
}

func process32Data(a *asm.Asm) {
	const pauseNanos = 20_000_000
	a.Align(16, 0)
	for _, word := range []string{"sysinfo", "pid", "count"} {
		a.Label(word)
		a.Data32(0)
	}
	a.Label("pause") // struct timespec
	a.Data32(0, pauseNanos)
	a.Label("now")
	a.Data32(0, 0)
	a.Label("last")
	a.Data32(0, 0)
	a.Label("pattern") // registers begin one byte apart
	for n := range byte(24) {
		a.Data8(0xA5 ^ n*7)
	}
	a.Label("scratch")
	a.Space(16)
}

// executable32 wraps code into an ELF file of one segment that may be written.
func executable32(entry uint64, code []byte) []byte {
	header := elf.Header32{
		Ident:     [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(elf.EM_386),
		Version:   uint32(elf.EV_CURRENT),
		Entry:     uint32(entry),
		Phoff:     uint32(binary.Size(elf.Header32{})),
		Ehsize:    uint16(binary.Size(elf.Header32{})),
		Phentsize: uint16(binary.Size(elf.Prog32{})),
		Phnum:     1,
	}
	size := uint32(entry) - process32Base + uint32(len(code))
	segment := elf.Prog32{
		Type:  uint32(elf.PT_LOAD),
		Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X),
		Vaddr: process32Base, Paddr: process32Base,
		Filesz: size, Memsz: size, Align: 0x1000,
	}
	var out bytes.Buffer
	for _, part := range []any{header, segment, code} {
		// A bytes.Buffer takes everything, and the sizes are fixed.
		_ = binary.Write(&out, binary.LittleEndian, part)
	}
	return out.Bytes()
}
