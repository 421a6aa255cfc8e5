package vmx

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// enterState moves the registers that the Area holds outside of Run to the
// copies of the VMCS.
func (c *vcpuMem) enterState() {
	a := &c.area
	c.enterRegister(regRIP, partIP, a.RIP)
	c.enterRegister(regRFLAGS, partFlags, a.RFLAGS)
	c.enterRegister(regRSP, partSP, a.GPR[x86.RSP])
}

func (c *vcpuMem) enterRegister(i int, part uint32, v uint64) {
	if c.regs[i] != v || c.valid&part == 0 {
		c.regs[i] = v
		c.changed(part)
	}
}

// leaveState moves them back.
func (c *vcpuMem) leaveState() {
	a := &c.area
	a.RIP, a.RFLAGS, a.GPR[x86.RSP] = c.regs[regRIP], c.regs[regRFLAGS], c.regs[regRSP]
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
// The state is in the Area; enterState follows, then stepTo if step.
func (c *vcpuMem) complete(e *vcpu.Exit) (step bool) {
	if e.Cancel {
		c.event, c.eventHasCR2 = 0, 0
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
		c.setXCR0(e.Data)
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
