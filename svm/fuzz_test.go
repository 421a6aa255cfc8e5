package svm

import (
	"testing"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/x86"
)

// FuzzExit lets a hostile processor and guest choose what an exit looks like:
// nothing may panic or go on for ever.
func FuzzExit(f *testing.F) {
	for _, code := range []ExitCode{ExitCPUID, ExitMSR, ExitHLT, ExitIOIO, ExitNPF, ExitVMMCALL, ExitIRET, 0x18, 0x23, 0x41, ExitInvalid} {
		f.Add(uint64(code), uint64(1), uint64(0x1000), uint64(0), uint64(0x9000), uint64(0x1000), uint64(0x830), []byte{0x0F, 0xA2})
	}
	f.Add(uint64(ExitNPF), uint64(1)<<33, ^uint64(0), uint64(exceptionEvent(x86.VectorPF, true, 2)), uint64(0x1FFFFF), ^uint64(0), uint64(0), []byte{0x66})
	f.Fuzz(func(t *testing.T, code, info1, info2, intinfo, rip, mode, rcx uint64, insn []byte) {
		r := newRig(t, 0)
		ram := r.ram(t)
		paging(ram)
		copy(ram[rip%uint64(len(ram)):], insn)
		r.long(rip)
		s := &r.c.vmcb.Save
		s.CR3 = 0x1000 ^ mode&0xF000
		s.EFER ^= mode >> 16 & x86.EFERLMA
		s.CR4 ^= mode >> 24 & (x86.CR4PAE | x86.CR4LA57)
		s.CR0 ^= mode >> 32 & (x86.CR0PG | x86.CR0PE)
		s.RFLAGS ^= mode >> 8 & x86.FlagsValid
		r.c.area.RFLAGS = s.RFLAGS
		r.c.area.GPR[x86.RCX] = rcx
		entries := 0
		r.enter = func(c *vcpuMem) {
			if entries++; entries > maxTries+1 {
				t.Fatal("Run does not come back")
			}
			if c.again != 0 {
				c.again = 0
				v, stop := c.handle()
				c.resumeLen = 0
				if !stop || v != nucleus.VerdictExit {
					c.reason = reasonKick
				}
				return
			}
			if _, stop := c.prepare(); stop {
				if c.area.Activity != uint32(x86.ActivityRunning) {
					c.reason = reasonKick // whoever halts for good is kicked
				}
				return
			}
			ctl := &c.vmcb.Control
			ctl.ExitCode, ctl.ExitInfo1, ctl.ExitInfo2, ctl.ExitIntInfo = code, info1, info2, intinfo
			c.noteShadow()
			c.afterExit()
			if code >= uint64(ExitDRRead) && code < uint64(ExitExcp) {
				c.reason = reasonKick // the handler needs CPL0
				return
			}
			if v, stop := c.handle(); !stop || v != nucleus.VerdictExit {
				c.reason = reasonKick
			}
		}
		var e vcpu.Exit
		for range 3 {
			entries = 0
			_ = r.v.Run(&e)
			if e.Kind >= vcpu.NumKinds {
				t.Fatalf("kind %d", e.Kind)
			}
		}
	})
}
