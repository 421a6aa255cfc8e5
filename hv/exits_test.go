package hv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/x86"
	"ringo/x86/asm"
)

// expect ends the guest with code 0xBA unless EAX is v.
func expect(a *asm.Asm, v int64) {
	good := a.Unique("good")
	a.Cmp(asm.EAX, asm.Imm(v))
	a.Jcc(asm.E, good)
	exit(a, 0xBA)
	a.Label(good)
}

// passes runs a guest that checks itself.
func passes(t *testing.T, code func(*asm.Asm)) *testVM {
	t.Helper()
	v, r := run(t, func(a *asm.Asm) {
		a.Mov(asm.ESP, asm.Imm(0x280000))
		code(a)
		exit(a, 1)
	})
	require.Equal(t, CauseDebugExit, r.Cause, "%v\n%v", r, r.Report)
	require.EqualValues(t, 1, r.Code, "the guest found something wrong; RAX %#x", v.Stats())
	return v
}

const window = int64(layout.DebugWindowBase)

func TestDeviceMemory(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(window))
		a.Mov(asm.EAX, asm.Ptr(asm.EBX, 0)) // 1st access: the counter says 1
		expect(a, 1)
		a.Mov(asm.Ptr(asm.EBX, 8), asm.EAX) // 2nd
		a.Xor(asm.EAX, asm.EAX)
		a.Add(asm.EAX, asm.Ptr(asm.EBX, 16)) // 3rd
		expect(a, 3)
		a.Push(asm.Ptr(asm.EBX, 4).Dword()) // 4th
		a.Pop(asm.EAX)
		expect(a, 4)
		a.Movzx(asm.EAX, asm.Ptr(asm.EBX, 0).Byte()) // 5th
		expect(a, 5)
		a.Mov(asm.EAX, asm.Abs(0xFED00000)) // nobody's: all ones
		expect(a, 0xFFFFFFFF)
	})
}

// TestStringDeviceMemory: REP MOVS reads device memory into RAM.
func TestStringDeviceMemory(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.ESI, asm.Imm(window))
		a.Mov(asm.EDI, asm.Imm(0x210000))
		a.Mov(asm.ECX, asm.Imm(4))
		a.Cld()
		a.Rep()
		a.Movs(32)
		a.Mov(asm.EAX, asm.Abs(0x21000C))
		expect(a, 4)
		a.Mov(asm.EAX, asm.ECX)
		expect(a, 0)
	})
}

func TestStringPorts(t *testing.T) {
	v := passes(t, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(layout.COM1Port))
		a.Mov(asm.ESI, asm.Addr{Label: "text"})
		a.Mov(asm.ECX, asm.Imm(5))
		a.Cld()
		a.Rep()
		a.Outs(8)
		a.Mov(asm.DX, asm.Imm(layout.DebugExitPort))
		a.Mov(asm.EDI, asm.Imm(0x210000))
		a.Mov(asm.ECX, asm.Imm(2))
		a.Rep()
		a.Ins(32)
		a.Mov(asm.EAX, asm.Abs(0x210004))
		expect(a, 2)
		a.Jmp("done")
		a.Label("text")
		a.String("outs!")
		a.Label("done")
	})
	require.Equal(t, "outs!", v.printed())
}

// TestCPUID: the guest sees the policy's answers, and OSXSAVE is not among
// what a host without XSAVE shows.
func TestCPUID(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(x86.CPUIDKVMSignature))
		a.Cpuid()
		a.Mov(asm.EAX, asm.EBX)
		expect(a, 0x4B4D564B)
		a.Mov(asm.EAX, asm.Imm(1))
		a.Cpuid()
		a.Mov(asm.EAX, asm.ECX)
		a.And(asm.EAX, asm.Imm(x86.CPUID1ECXXSAVE|x86.CPUID1ECXX2APIC|x86.CPUID1ECXSSE3))
		expect(a, x86.CPUID1ECXX2APIC|x86.CPUID1ECXSSE3)
		a.Mov(asm.EAX, asm.Imm(0x12345678)) // no such leaf
		a.Cpuid()
		expect(a, 0)
		a.Mov(asm.EAX, asm.EBX)
		expect(a, 0)
	})
}

// TestXSAVE: the size of the XSAVE image that CPUID tells follows XCR0, and
// XSETBV takes only what the policy has.
func TestXSAVE(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		a.Mov(asm.ESP, asm.Imm(0x280000))
		idt32(a, x86.VectorGP, "refused")
		a.Mov(asm.EAX, asm.CR4)
		a.Or(asm.EAX, asm.Imm(x86.CR4OSXSAVE))
		a.Mov(asm.CR4, asm.EAX)
		size := func(want int64) {
			a.Mov(asm.EAX, asm.Imm(x86.CPUIDXSAVE))
			a.Xor(asm.ECX, asm.ECX)
			a.Cpuid()
			a.Mov(asm.EAX, asm.EBX)
			expect(a, want)
		}
		set := func(xcr0 int64) {
			a.Xor(asm.ECX, asm.ECX)
			a.Xor(asm.EDX, asm.EDX)
			a.Mov(asm.EAX, asm.Imm(xcr0))
			a.Xsetbv()
		}
		size(576)
		set(x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX)
		size(832)
		set(x86.XCR0X87 | x86.XCR0PKRU) // the host has it, without room to save it
		exit(a, 0xBB)
		a.Label("refused")
		exit(a, 1)
	})
	v.host.CPUID = func(leaf, sub uint32) (a, b, c, d uint32) {
		a, b, c, d = hostCPUID(leaf, sub)
		switch {
		case leaf == 1:
			c |= x86.CPUID1ECXXSAVE | x86.CPUID1ECXAVX
		case leaf == x86.CPUIDXSAVE && sub == 0:
			a, b, c = 0x207, 832, 832
		case leaf == x86.CPUIDXSAVE && sub == 2:
			a, b = 256, 576
		}
		return a, b, c, d
	}
	require.NoError(t, v.Start())
	require.EqualValues(t, 1, v.wait(t).Code, "%v", v.Reason().Report)
	v.close(t)
}

func rdmsr(a *asm.Asm, number int64) {
	a.Mov(asm.ECX, asm.Imm(number))
	a.Rdmsr()
}

func wrmsr(a *asm.Asm, number, low int64) {
	a.Mov(asm.ECX, asm.Imm(number))
	a.Mov(asm.EAX, asm.Imm(low))
	a.Xor(asm.EDX, asm.EDX)
	a.Wrmsr()
}

func TestMSRs(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		rdmsr(a, x86.MSRMTRRCap)
		expect(a, 0x508)
		wrmsr(a, x86.MSRMTRRPhysBase0+2, 0xF0000006)
		rdmsr(a, x86.MSRMTRRPhysBase0+2)
		expect(a, 0xF0000006)
		wrmsr(a, x86.MSREFER, x86.EFERSCE|x86.EFERNXE)
		rdmsr(a, x86.MSREFER)
		expect(a, x86.EFERSCE|x86.EFERNXE)
		wrmsr(a, x86.MSRLSTAR, 0x1234)
		rdmsr(a, x86.MSRLSTAR)
		expect(a, 0x1234)
		wrmsr(a, x86.MSRTSCAux, 3)
		rdmsr(a, x86.MSRTSCAux)
		expect(a, 3)
		wrmsr(a, x86.MSRNBCfg, 0x77) // ignored
		rdmsr(a, x86.MSRNBCfg)
		expect(a, 0)
		rdmsr(a, x86.MSRAPICBase)
		expect(a, x86.APICBaseDefault|x86.APICBaseEnable|x86.APICBaseBSP)
		wrmsr(a, x86.MSRKVMSystemTimeNew, 0x220001)
		a.Mov(asm.EAX, asm.Abs(0x220000+24)) // tsc_to_system_mul of 1 GHz
		expect(a, 0x80000000)
	})
}

// TestTSCAdjust: writes of TSC and TSC_ADJUST move both.
func TestTSCAdjust(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.ECX, asm.Imm(x86.MSRTSCAdjust))
		a.Xor(asm.EAX, asm.EAX)
		a.Mov(asm.EDX, asm.Imm(0x100))
		a.Wrmsr()
		a.Rdtsc()
		a.Mov(asm.EAX, asm.EDX)
		a.And(asm.EAX, asm.Imm(-0x10)) // up to 64 s may have passed
		expect(a, 0x100)
		rdmsr(a, x86.MSRTSC)
		a.Mov(asm.EAX, asm.EDX)
		a.And(asm.EAX, asm.Imm(-0x10))
		expect(a, 0x100)
		a.Mov(asm.ECX, asm.Imm(x86.MSRTSC))
		a.Xor(asm.EAX, asm.EAX)
		a.Mov(asm.EDX, asm.Imm(0x300))
		a.Wrmsr()
		rdmsr(a, x86.MSRTSCAdjust)
		a.Mov(asm.EAX, asm.EDX)
		a.Add(asm.EAX, asm.Imm(0x10))
		a.And(asm.EAX, asm.Imm(-0x20))
		expect(a, 0x300)
	})
}

// idt32 gives the guest an IDT whose handler for vector is at a label.
func idt32(a *asm.Asm, vector int64, handler string) {
	const idt, tmp = 0x290000, 0x2A0000
	a.Mov(asm.Abs(tmp).Dword(), asm.Addr{Label: handler})
	a.Mov(asm.AX, asm.Abs(tmp).Word())
	a.Mov(asm.Abs(idt+8*vector).Word(), asm.AX)
	a.Mov(asm.Abs(idt+8*vector+2).Word(), asm.Imm(0x10))
	a.Mov(asm.Abs(idt+8*vector+4).Word(), asm.Imm(0x8E00))
	a.Mov(asm.AX, asm.Abs(tmp+2).Word())
	a.Mov(asm.Abs(idt+8*vector+6).Word(), asm.AX)
	over, gdtr, idtr, gdt := a.Unique("over"), a.Unique("gdtr"), a.Unique("idtr"), a.Unique("gdt")
	a.Lgdt(asm.At(gdtr))
	a.Lidt(asm.At(idtr))
	a.Jmp(over)
	a.Label(gdtr)
	a.Data16(0x17)
	a.DataAddr(32, gdt, 0)
	a.Label(idtr)
	a.Data16(0x7FF)
	a.Data32(idt)
	a.Label(gdt)
	a.Data64(0, 0, 0x00CF9B000000FFFF)
	a.Label(over)
}

// faults runs a guest whose instruction must raise the vector.
func faults(t *testing.T, vector int64, insn func(*asm.Asm)) *testVM {
	t.Helper()
	return passes(t, func(a *asm.Asm) {
		idt32(a, vector, "handler")
		insn(a)
		exit(a, 0xBB)
		a.Label("handler")
	})
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		vector int64
		insn   func(*asm.Asm)
	}{
		"unknown MSR read":    {x86.VectorGP, func(a *asm.Asm) { rdmsr(a, 0x1234567) }},
		"unknown MSR write":   {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, 0x1234567, 1) }},
		"read-only MSR":       {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, x86.MSRMTRRCap, 1) }},
		"reserved EFER":       {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, x86.MSREFER, x86.EFERSVME) }},
		"bad PAT":             {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, x86.MSRPAT, 3) }},
		"bad APIC base":       {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, x86.MSRAPICBase, 0x800) }},
		"x2APIC when xAPIC":   {x86.VectorGP, func(a *asm.Asm) { rdmsr(a, x86.MSRx2APICBase+2) }},
		"kvmclock beyond RAM": {x86.VectorGP, func(a *asm.Asm) { wrmsr(a, x86.MSRKVMSystemTimeNew, 0xF0000001) }},
		"non-canonical LSTAR": {x86.VectorGP, func(a *asm.Asm) {
			a.Mov(asm.ECX, asm.Imm(x86.MSRLSTAR))
			a.Mov(asm.EDX, asm.Imm(0x800000))
			a.Wrmsr()
		}},
		"XSETBV without XSAVE": {x86.VectorUD, func(a *asm.Asm) {
			a.Xor(asm.ECX, asm.ECX)
			a.Raw(0x0F, 0x01, 0xD1)
		}},
		"VMRUN": {x86.VectorUD, func(a *asm.Asm) { a.Raw(0x0F, 0x01, 0xD8) }},
		"MWAIT": {x86.VectorUD, func(a *asm.Asm) { a.Raw(0x0F, 0x01, 0xC9) }},
		"RDPMC": {x86.VectorGP, func(a *asm.Asm) { a.Rdpmc() }},
	} {
		t.Run(name, func(t *testing.T) {
			v := faults(t, c.vector, c.insn)
			if name == "unknown MSR read" {
				require.True(t, v.host.logged("RDMSR 0x1234567: no such register, #GP (1 times)"))
			}
		})
	}
}

func TestHypercall(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(1))
		a.Vmmcall()
		expect(a, -1000)
	})
}

// TestHarmlessInstructions: what is intercepted and does nothing here.
func TestHarmlessInstructions(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Wbinvd()
		a.Raw(0x0F, 0x08) // INVD
		a.Invlpg(asm.Abs(0x1000))
	})
}
