package svm

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// enterState moves the registers that the VMCB holds inside Run to it.
func (c *vcpuMem) enterState() {
	a, s := &c.area, &c.vmcb.Save
	s.RAX, s.RSP, s.RIP, s.RFLAGS = a.GPR[x86.RAX], a.GPR[x86.RSP], a.RIP, a.RFLAGS
}

// leaveState moves them back.
func (c *vcpuMem) leaveState() {
	a, s := &c.area, &c.vmcb.Save
	a.GPR[x86.RAX], a.GPR[x86.RSP], a.RIP, a.RFLAGS = s.RAX, s.RSP, s.RIP, s.RFLAGS
}

// steps tells for which kinds the next Run steps over the instruction.
var steps = [vcpu.NumKinds]bool{
	vcpu.KindPIO:       true,
	vcpu.KindCPUID:     true,
	vcpu.KindRDMSR:     true,
	vcpu.KindWRMSR:     true,
	vcpu.KindHLT:       true,
	vcpu.KindPAUSE:     true,
	vcpu.KindXSETBV:    true,
	vcpu.KindHypercall: true,
}

// complete finishes the exit that the last Run returned, as vcpu.Exit says.
// The state is in the Area; enterState follows, then stepOver if step.
func (c *vcpuMem) complete(e *vcpu.Exit) (step bool) {
	if e.Cancel {
		c.event, c.eventSoft, c.eventHasCR2 = 0, 0, 0
	}
	if e.Emulated {
		return false
	}
	switch e.Kind {
	case vcpu.KindPIO:
		if e.String {
			return false
		}
		if !e.Write {
			setAccumulator(&c.area.GPR[x86.RAX], e.Size, e.Data)
		}
	case vcpu.KindRDMSR:
		c.area.GPR[x86.RAX] = uint64(uint32(e.Data))
		c.area.GPR[x86.RDX] = e.Data >> 32
	case vcpu.KindXSETBV:
		c.xcr0 = e.Data&c.saveMask | x86.XCR0X87
	}
	return steps[e.Kind]
}

// setAccumulator merges the result of an IN of size bytes into RAX. A 32-bit
// result clears the upper half, as every 32-bit write does.
func setAccumulator(rax *uint64, size uint8, v uint64) {
	switch size {
	case 1:
		*rax = *rax&^0xFF | v&0xFF
	case 2:
		*rax = *rax&^0xFFFF | v&0xFFFF
	default:
		*rax = v & 0xFFFFFFFF
	}
}

// writeCR8 completes an intercepted MOV to CR8 from general register n. The
// state is in the Area.
func (c *vcpuMem) writeCR8(n uint8) (step bool) {
	v := c.area.GPR[n&0xF]
	if v&^x86.CR8Valid != 0 {
		c.raise(x86.VectorGP, true, 0)
		return false
	}
	apic.SetTPR(&c.area, uint8(v)<<x86.CR8TPRShift)
	return true
}

// crSource gives the general register of a MOV to a control register from its
// bytes: prefixes, 0F 22, then ModRM, whose rm field names it.
func crSource(code []byte) (n uint8, ok bool) {
	var rex uint8
	for i, b := range code {
		switch {
		case b == 0x0F && i+2 < len(code) && code[i+1] == 0x22:
			return code[i+2]&7 | rex&1<<3, true
		case b&0xF0 == 0x40:
			rex = b
		default:
			rex = 0 // a legacy prefix behind REX makes it void
		}
	}
	return 0, false
}
