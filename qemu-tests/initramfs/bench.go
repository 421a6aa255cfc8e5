package initramfs

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/u-root/u-root/pkg/cpio"

	"ringo/x86/asm"
)

// benchBase is where the bench program is loaded.
const benchBase = 0x400000

// Linux system calls and constants that the bench program uses.
const (
	sysWrite  = 1
	sysIoctl  = 16
	sysReboot = 169

	ioctlTCSBRK    = 0x5409
	rebootMagic1   = 0xfee1dead
	rebootMagic2   = 0x28121969
	rebootPowerOff = 0x4321fedc
)

// BenchLine is what the bench program prints, with the counter's value in 16
// hexadecimal digits in the place of the zeros.
const BenchLine = "RINGO-INIT tsc=0000000000000000\n"

// benchDigits is the offset of the digits in BenchLine.
const benchDigits = len("RINGO-INIT tsc=")

func benchFiles(context.Context, string) ([]cpio.Record, error) {
	program, err := benchProgram()
	if err != nil {
		return nil, err
	}
	return []cpio.Record{cpio.StaticFile("init", string(program), 0o755)}, nil
}

// benchProgram makes a static program whose first instruction reads the time
// stamp counter. It is machine code alone: the start of any runtime would
// count as boot time.
func benchProgram() ([]byte, error) {
	headers := binary.Size(elf.Header64{}) + binary.Size(elf.Prog64{})
	entry := uint64(benchBase + headers)
	a := asm.New(asm.Bits64, entry)
	a.Rdtsc()
	a.Shl(asm.RDX, asm.Imm(32))
	a.Or(asm.RAX, asm.RDX)
	digits(a)
	call(a, sysWrite, asm.Imm(1), asm.Addr{Label: "line"}, asm.Imm(len(BenchLine)))
	call(a, sysIoctl, asm.Imm(1), asm.Imm(ioctlTCSBRK), asm.Imm(1)) // wait until it is out
	call(a, sysReboot, asm.Imm(rebootMagic1), asm.Imm(rebootMagic2), asm.Imm(rebootPowerOff))
	a.Label("end")
	a.Jmp("end")
	a.Label("line")
	a.String(BenchLine)
	code, err := a.Bytes()
	if err != nil {
		return nil, fmt.Errorf("the bench program: %w", err)
	}
	return executable(entry, code), nil
}

// digits writes RAX in hexadecimal to the line's digits.
func digits(a *asm.Asm) {
	a.Mov(asm.RDI, asm.Addr{Label: "line", Add: int64(benchDigits)})
	a.Mov(asm.ECX, asm.Imm(16))
	a.Label("digit")
	a.Rol(asm.RAX, asm.Imm(4))
	a.Mov(asm.EDX, asm.EAX)
	a.And(asm.EDX, asm.Imm(15))
	a.Add(asm.EDX, asm.Imm('0'))
	a.Cmp(asm.EDX, asm.Imm('9'))
	a.Jcc(asm.BE, "decimal")
	a.Add(asm.EDX, asm.Imm('a'-'9'-1))
	a.Label("decimal")
	a.Mov(asm.Ptr(asm.RDI, 0).Byte(), asm.DL)
	a.Inc(asm.RDI)
	a.Dec(asm.ECX)
	a.Jcc(asm.NE, "digit")
}

// call makes a Linux system call with three arguments.
func call(a *asm.Asm, number int64, x, y, z asm.Operand) {
	a.Mov(asm.RDI, x)
	a.Mov(asm.RSI, y)
	a.Mov(asm.RDX, z)
	a.Mov(asm.EAX, asm.Imm(number))
	a.Syscall()
}

// executable wraps code into an ELF file of one segment that may be written,
// since the line is beside the code.
func executable(entry uint64, code []byte) []byte {
	header := elf.Header64{
		Ident:     [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(elf.EM_X86_64),
		Version:   uint32(elf.EV_CURRENT),
		Entry:     entry,
		Phoff:     uint64(binary.Size(elf.Header64{})),
		Ehsize:    uint16(binary.Size(elf.Header64{})),
		Phentsize: uint16(binary.Size(elf.Prog64{})),
		Phnum:     1,
	}
	size := entry - benchBase + uint64(len(code))
	segment := elf.Prog64{
		Type:  uint32(elf.PT_LOAD),
		Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X),
		Vaddr: benchBase, Paddr: benchBase,
		Filesz: size, Memsz: size, Align: 0x1000,
	}
	var out bytes.Buffer
	for _, part := range []any{header, segment, code} {
		// A bytes.Buffer takes everything, and the sizes are fixed.
		_ = binary.Write(&out, binary.LittleEndian, part)
	}
	return out.Bytes()
}
