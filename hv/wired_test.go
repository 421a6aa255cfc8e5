package hv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/asm"
)

// TestPIT: a timer interrupt through the PIC wakes a halted guest.
func TestPIT(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		idt32(a, 0x20, "tick")
		out := func(port, v int64) {
			a.Mov(asm.AL, asm.Imm(v))
			a.Out(asm.Imm(port), asm.AL)
		}
		out(0x20, 0x11)
		out(0x21, 0x20)
		out(0x21, 0x04)
		out(0x21, 0x01)
		out(0x21, 0xFE) // only IRQ 0
		out(0x43, 0x34)
		out(0x40, 0xA9) // 1 ms
		out(0x40, 0x04)
		a.Sti()
		a.Hlt()
		a.Jmp("done")
		a.Label("tick")
		out(0x20, 0x20)
		a.Iret(32)
		a.Label("done")
	})
}

// TestIOAPIC: the PIT through the I/O APIC and the xAPIC's MMIO page.
func TestIOAPIC(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		idt32(a, 0x31, "tick")
		ioapic := func(index, v int64) {
			a.Mov(asm.Abs(int64(layout.IOAPICBase)).Dword(), asm.Imm(index))
			a.Mov(asm.Abs(int64(layout.IOAPICBase)+0x10).Dword(), asm.Imm(v))
		}
		a.Mov(asm.Abs(int64(layout.LAPICBase)+0xF0).Dword(), asm.Imm(0x1FF))
		ioapic(0x10+2*layout.PITGSI, 0x31)
		a.Mov(asm.AL, asm.Imm(0x34))
		a.Out(asm.Imm(0x43), asm.AL)
		a.Mov(asm.AL, asm.Imm(0x40))
		a.Out(asm.Imm(0x40), asm.AL)
		a.Out(asm.Imm(0x40), asm.AL)
		for range 2 {
			a.Sti()
			a.Hlt()
			a.Cli()
		}
		a.Jmp("done")
		a.Label("tick")
		a.Mov(asm.Abs(int64(layout.LAPICBase)+0xB0).Dword(), asm.Imm(0))
		a.Iret(32)
		a.Label("done")
	})
}

// TestX2APICTimer: TSC-deadline mode by MSRs wakes a halted guest.
func TestX2APICTimer(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		idt32(a, 0x40, "tick")
		wrmsr(a, x86.MSRAPICBase, x86.APICBaseDefault|x86.APICBaseEnable|x86.APICBaseX2APIC|x86.APICBaseBSP)
		wrmsr(a, x86.MSRx2APICBase+vcpu.APICSVR, 0x1FF)
		wrmsr(a, x86.MSRx2APICBase+vcpu.APICLVTTimer, 2<<17|0x40)
		a.Rdtsc()
		a.Add(asm.EAX, asm.Imm(2_000_000))
		a.Adc(asm.EDX, asm.Imm(0))
		a.Mov(asm.ECX, asm.Imm(x86.MSRTSCDeadline))
		a.Wrmsr()
		a.Sti()
		a.Hlt()
		a.Jmp("done")
		a.Label("tick")
		wrmsr(a, x86.MSRx2APICBase+vcpu.APICEOI, 0)
		a.Iret(32)
		a.Label("done")
	})
}

// TestSMP: vCPU 0 starts the others, each in real mode where the start-up IPI
// says, and waits until all have counted.
func TestSMP(t *testing.T) {
	const cpus = 4
	v := newTestVM(t, func(c *Config) { c.VCPUs = cpus }, func(a *asm.Asm) {
		icr := func(v int64) { a.Mov(asm.Abs(int64(layout.LAPICBase)+0x300).Dword(), asm.Imm(v)) }
		a.Mov(asm.ESI, asm.Addr{Label: "ap"})
		a.Mov(asm.EDI, asm.Imm(0x8000))
		a.Mov(asm.ECX, asm.Imm(64))
		a.Cld()
		a.Rep()
		a.Movs(8)
		a.Mov(asm.Abs(0x7000).Dword(), asm.Imm(0))
		a.Mov(asm.Abs(int64(layout.LAPICBase)+0xF0).Dword(), asm.Imm(0x1FF))
		icr(0xC4500) // INIT, all but self
		icr(0xC4608) // start-up at 8000H
		icr(0xC4608) // the second one is ignored
		a.Label("wait")
		a.Cmp(asm.Abs(0x7000).Dword(), asm.Imm(cpus-1))
		a.Jcc(asm.NE, "wait")
		exit(a, 1)
		a.Jmp("halt")
		a.Label("ap")
		a.Bits(asm.Bits16)
		a.Xor(asm.AX, asm.AX)
		a.Mov(asm.DS, asm.AX)
		a.Lock()
		a.Inc(asm.Abs(0x7000).Dword())
		a.Hlt()
		a.Bits(asm.Bits32)
	})
	require.NoError(t, v.Start())
	require.EqualValues(t, 1, v.wait(t).Code)
	v.close(t)
}
