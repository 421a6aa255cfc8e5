package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ringo/x86/asm"
)

// ErrKernel says that a file is not a kernel that can be measured.
var ErrKernel = errors.New("not a bzImage")

// firmwareFile is the kernel that prints the counter, in the build folder.
const firmwareFile = "cache/firmware"

// firmware gives the ticks from power-on to the kernel's entry: what firmware
// and boot loader take for the same files, with a kernel that prints the
// counter at its entry and does nothing else.
func (l *lab) firmware(ctx context.Context, options string) (uint64, error) {
	kernel, err := os.ReadFile(filepath.Join(l.Build, kernelFile))
	if err != nil {
		return 0, fmt.Errorf("%w (make install fetches it)", err)
	}
	if kernel, err = stopwatch(kernel); err != nil {
		return 0, fmt.Errorf("%s: %w", kernelFile, err)
	}
	if err := os.WriteFile(filepath.Join(l.Build, firmwareFile), kernel, 0o644); err != nil {
		return 0, err
	}
	console, err := l.run(ctx, l.bareRun("bench-firmware", firmwareFile, options, firmwareLine))
	if err != nil {
		return 0, err
	}
	return counter(console, firmwareLine)
}

// Fields of the kernel's header: The Linux/x86 Boot Protocol, section "The
// Real-Mode Kernel Header".
const (
	setupSects   = 0x1f1
	headerMagic  = 0x202
	headerEnd    = headerMagic + 4
	magicHdrS    = 0x53726448
	sectorSize   = 512
	defaultSects = 4
)

// stopwatch replaces what a bzImage executes at its 32-bit entry by code that
// prints the time stamp counter and stops. The file keeps its size, so that it
// takes as long to load.
func stopwatch(kernel []byte) ([]byte, error) {
	if len(kernel) < headerEnd || binary.LittleEndian.Uint32(kernel[headerMagic:]) != magicHdrS {
		return nil, fmt.Errorf("%w: no HdrS at %#x", ErrKernel, headerMagic)
	}
	sects := int(kernel[setupSects])
	if sects == 0 {
		sects = defaultSects
	}
	code, err := stopwatchCode()
	if err != nil {
		return nil, err
	}
	entry := (sects + 1) * sectorSize
	if len(kernel) < entry+len(code) {
		return nil, fmt.Errorf("%w: %d bytes end before the entry at %#x", ErrKernel, len(kernel), entry)
	}
	patched := append([]byte(nil), kernel...)
	copy(patched[entry:], code)
	return patched, nil
}

// stopwatchStack is in low memory, which nothing needs any more.
const stopwatchStack = 0x7c00

// stopwatchCode is 32-bit code that runs at any address.
func stopwatchCode() ([]byte, error) {
	a := asm.New(asm.Bits32, 0)
	a.Rdtsc()
	a.Mov(asm.EDI, asm.EAX)
	a.Mov(asm.ESI, asm.EDX)
	a.Mov(asm.ESP, asm.Imm(stopwatchStack))
	for _, c := range []byte("\nfirmware tsc=") {
		a.Mov(asm.AL, asm.Imm(int64(c)))
		a.Call("putc")
	}
	printDigits(a, asm.ESI)
	printDigits(a, asm.EDI)
	a.Mov(asm.AL, asm.Imm('\n'))
	a.Call("putc")
	a.Label("stop")
	a.Cli()
	a.Hlt()
	a.Jmp("stop")
	putc(a)
	return a.Bytes()
}

// printDigits prints a register with eight hexadecimal digits.
func printDigits(a *asm.Asm, r asm.Reg) {
	next, decimal := a.Unique("digit"), a.Unique("decimal")
	a.Mov(asm.ECX, asm.Imm(8))
	a.Label(next)
	a.Rol(r, asm.Imm(4))
	a.Mov(asm.EAX, r)
	a.And(asm.EAX, asm.Imm(15))
	a.Add(asm.EAX, asm.Imm('0'))
	a.Cmp(asm.EAX, asm.Imm('9'))
	a.Jcc(asm.BE, decimal)
	a.Add(asm.EAX, asm.Imm('a'-'9'-1))
	a.Label(decimal)
	a.Call("putc")
	a.Loop(next)
}

// putc emits a function that sends AL and changes EAX and EDX.
func putc(a *asm.Asm) {
	const port, lineStatus, empty = 0x3f8, 5, 1 << 5
	a.Label("putc")
	a.Mov(asm.AH, asm.AL)
	a.Mov(asm.EDX, asm.Imm(port+lineStatus))
	a.Label("putc.wait")
	a.In(asm.AL, asm.DX)
	a.Test(asm.AL, asm.Imm(empty))
	a.Jcc(asm.Z, "putc.wait")
	a.Mov(asm.EDX, asm.Imm(port))
	a.Mov(asm.AL, asm.AH)
	a.Out(asm.DX, asm.AL)
	a.Ret()
}
