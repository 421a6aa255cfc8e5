package svm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// apicRig is a vCPU in xAPIC mode with the code at 9000H that is given; access
// makes the exit of an access to a register as the processor reports it.
func apicRig(t *testing.T, code string) (r *rig, access func(reg uint64, write bool) (toGo bool)) {
	r = newRig(t, 0)
	ram := r.ram(t)
	paging(ram)
	copy(ram[0x9000:], code)
	*r.c.area.APIC.Reg(vcpu.APICSVR) = 0x1FF
	access = func(reg uint64, write bool) bool {
		flags := r.c.vmcb.Save.RFLAGS
		r.long(0x9000)
		r.c.vmcb.Save.CR3 = 0x1000
		r.c.vmcb.Save.RFLAGS |= flags & unusualFlags
		r.c.area.RFLAGS = r.c.vmcb.Save.RFLAGS
		r.c.area.GPR[x86.RDI] = 0xFFFF_8000_1230_0000 + reg
		toGo := false
		r.enter = func(c *vcpuMem) {
			_, toGo = r.left(ExitNPF, func(ctl *ControlArea) {
				ctl.ExitInfo1, ctl.ExitInfo2 = npfFinal|x86.PFUser, x86.APICBaseDefault+reg
				if write {
					ctl.ExitInfo1 |= x86.PFWrite
				}
			})
			if !toGo {
				c.reason = reasonKick
			}
		}
		var e vcpu.Exit
		r.run(t, &e)
		if toGo {
			require.Equal(t, vcpu.KindStage2, e.Kind)
			require.Equal(t, write, e.Write)
		}
		return toGo
	}
	return r, access
}

const (
	storeEAX  = "\x89\x07\x90\x90\x90\x90\x90\x90"             // MOV [RDI], EAX
	loadR9    = "\x44\x8B\x0F\x90\x90\x90\x90\x90"             // MOV R9D, [RDI]
	storeImm  = "\xC7\x07\x55\x00\x00\x00\x90\x90"             // MOV dword [RDI], 55H
	storeLong = "\xC7\x04\x25\x80\x00\xE0\xFE\x66\x00\x00\x00" // MOV dword [FEE00080H], 66H
	storeAL   = "\x88\x07\x90\x90\x90\x90\x90\x90"             // MOV [RDI], AL
	addMemory = "\x01\x07\x90\x90\x90\x90\x90\x90"             // ADD [RDI], EAX
	tprOffset = vcpu.APICTPR << 4
)

// TestAPICPageAccess: Go sees the first access of an instruction and no other.
func TestAPICPageAccess(t *testing.T) {
	r, access := apicRig(t, storeEAX)
	r.c.area.GPR[x86.RAX] = 0x1234_5678_0000_0035
	require.True(t, access(tprOffset, true), "the first time")
	require.False(t, access(tprOffset, true))
	require.EqualValues(t, 0x35, *r.c.area.APIC.Reg(vcpu.APICTPR))
	require.EqualValues(t, 0x9002, r.c.area.RIP)
	require.EqualValues(t, 1, r.c.area.Fast[vcpu.KindStage2])

	r, access = apicRig(t, storeImm)
	access(tprOffset, true)
	require.False(t, access(tprOffset, true))
	require.EqualValues(t, 0x55, *r.c.area.APIC.Reg(vcpu.APICTPR))
	require.EqualValues(t, 0x9006, r.c.area.RIP)

	r, access = apicRig(t, storeLong)
	access(tprOffset, true)
	require.False(t, access(tprOffset, true))
	require.EqualValues(t, 0x66, *r.c.area.APIC.Reg(vcpu.APICTPR))
	r.ramAt(0x9000)[10] = 1 // the last byte
	require.True(t, access(tprOffset, true))

	r, access = apicRig(t, loadR9)
	*r.c.area.APIC.Reg(vcpu.APICLDR) = 0x7700_0000
	r.c.area.GPR[x86.R9] = ^uint64(0)
	access(vcpu.APICLDR<<4, false)
	require.False(t, access(vcpu.APICLDR<<4, false))
	require.EqualValues(t, 0x7700_0000, r.c.area.GPR[x86.R9], "the upper half is cleared")
}

// TestAPICPageIPI: a vector that the vCPU sends itself waits for the next entry.
func TestAPICPageIPI(t *testing.T) {
	const self, vector = 1 << 18, 0x61
	r, access := apicRig(t, storeEAX)
	r.c.area.GPR[x86.RAX] = self | vector
	access(vcpu.APICICR<<4, true)
	require.False(t, access(vcpu.APICICR<<4, true))
	r.c.vmcb.Save.RFLAGS = flagsIF
	r.entered(t)
	require.EqualValues(t, vector|EventV, injected(r))
}

// TestAPICPageToGo: whatever is not a plain MOV of a register goes to Go.
func TestAPICPageToGo(t *testing.T) {
	for _, code := range []string{storeAL, addMemory} {
		_, access := apicRig(t, code)
		access(tprOffset, true)
		require.True(t, access(tprOffset, true), "% x", code)
	}
	for name, spoil := range map[string]func(r *rig){
		"x2APIC mode":     func(r *rig) { r.enableAPIC(t) },
		"a disabled APIC": func(r *rig) { r.c.area.APICBase &^= x86.APICBaseEnable },
		"single-step":     func(r *rig) { r.c.vmcb.Save.RFLAGS |= x86.FlagTF },
		"changed code":    func(r *rig) { r.ramAt(0x9000)[1] = 0x47 },
	} {
		r, access := apicRig(t, storeEAX)
		access(tprOffset, true)
		require.False(t, access(tprOffset, true))
		spoil(r)
		require.True(t, access(tprOffset, true), name)
	}
	_, access := apicRig(t, storeEAX)
	access(tprOffset, true)
	require.True(t, access(tprOffset+4, true), "between registers")
	require.True(t, access(tprOffset, false), "the processor says that it reads")
}

// TestCodeBeside: two instructions of the same slot do not drive each other out.
func TestCodeBeside(t *testing.T) {
	r := newRig(t, 0)
	ram := r.ram(t)
	paging(ram)
	learn := func(rip uint64) {
		copy(ram[rip:], "\x0F\xA2\x90\x90\x90\x90\x90\x90")
		r.long(rip)
		r.c.vmcb.Save.CR3 = 0x1000
		require.EqualValues(t, 2, r.v.fetch.length(r.c, r.c.ack.Load()))
	}
	known := func(rip uint64) bool {
		r.c.vmcb.Save.RIP = rip
		_, ok := r.c.nextRIP()
		return ok
	}
	a, b, c := uint64(0x9000), uint64(0), uint64(0)
	for rip := a + 8; c == 0; rip += 8 { // code of 8 bytes each
		switch {
		case codeSlot(rip) != codeSlot(a):
		case b == 0:
			b = rip
		default:
			c = rip
		}
	}
	learn(a)
	learn(b)
	learn(b)
	require.True(t, known(a) && known(b))
	learn(c)
	require.True(t, known(b) && known(c))
	require.False(t, known(a), "the oldest has gone")
}
