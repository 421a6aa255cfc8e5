package hv

import (
	"errors"
	"fmt"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/insn"
)

// Register groups that an instruction may use, and those that any may change.
const (
	groupsUsed = x86.GroupGPR | x86.GroupIP | x86.GroupCR | x86.GroupDR | x86.GroupSeg | x86.GroupTable |
		x86.GroupInterrupt
	groupsChanged = x86.GroupGPR | x86.GroupIP
)

// deviceMemory serves an access to guest-physical memory that is no RAM.
func (c *cpu) deviceMemory(e *vcpu.Exit) bool { return c.transfer(e) || c.device(e) }

// device emulates such an access.
func (c *cpu) device(e *vcpu.Exit) bool {
	if ev, ok := c.v.Pending(); ok {
		return c.crash(CauseGuest, fmt.Sprintf(
			"delivery of event %d touches %#x, where no RAM is", ev.Vector, uint64(e.GPA)))
	}
	// The processor has translated the address of the access.
	c.emul.insn.Known = insn.Known{Valid: !e.Walk && !e.Fetch, Write: e.Write, GPA: uint64(e.GPA)}
	return c.emulate(e, 0)
}

// stringPort emulates INS and OUTS.
func (c *cpu) stringPort(e *vcpu.Exit) bool { return c.emulate(e, 0) }

// control emulates a move to or from a control register. CR8, the task
// priority, is the one that guests use often.
func (c *cpu) control(e *vcpu.Exit) bool {
	if e.CR != 8 {
		return c.emulate(e, x86.GroupCR)
	}
	r := &c.area.GPR[e.Reg%x86.NumGPR]
	switch {
	case !e.Write:
		*r = uint64(*c.area.APIC.Reg(vcpu.APICTPR) >> x86.CR8TPRShift)
	case *r > x86.CR8Valid:
		return c.raiseGP(e)
	default:
		apic.SetTPR(c.area, uint8(*r<<x86.CR8TPRShift))
	}
	return true
}

// instruction emulates or refuses an intercepted instruction of another kind.
func (c *cpu) instruction(e *vcpu.Exit) bool {
	return c.emulate(e, groupsUsed)
}

// emulate finishes the instruction at RIP; changed names the register groups
// that it may change besides the general ones.
func (c *cpu) emulate(e *vcpu.Exit, changed x86.Groups) bool {
	s := c.store(groupsUsed)
	shadow := s.Interrupt
	r, err := c.emul.step(s, e.Insn[:e.InsnLen&15])
	switch {
	case err != nil:
		return c.cannotEmulate(e, err)
	case r.Status == insn.StatusFault:
		return c.raiseFault(e, &r.Fault)
	case r.Status == insn.StatusOwner:
		return c.privileged(e, &r)
	}
	if s.Interrupt != shadow {
		changed |= x86.GroupInterrupt
	}
	if c.emul.fpuChanged {
		changed |= x86.GroupFPU
	}
	c.load(groupsChanged | changed)
	e.Emulated = true
	if r.SingleStep {
		return c.raiseSingleStep(e)
	}
	return true
}

// cannotEmulate ends what cannot be carried out: a program gets #UD, and a
// kernel's instruction stops the VM.
func (c *cpu) cannotEmulate(e *vcpu.Exit, err error) bool {
	if errors.Is(err, insn.ErrUnsupported) && (e.Kind == vcpu.KindInsn || c.state.CPL == 3) {
		return c.raiseUD(e)
	}
	return c.crash(CauseGuest, fmt.Sprintf("cannot emulate the instruction at %#x that accesses %#x: %v",
		c.state.RIP, uint64(e.GPA), err))
}

// raiseFault injects what the emulator found.
func (c *cpu) raiseFault(e *vcpu.Exit, f *insn.Fault) bool {
	return c.raise(e, vcpu.Event{
		Type: vcpu.EventException, Vector: f.Vector, HasError: f.HasError, ErrorCode: f.ErrorCode, CR2: f.CR2,
	})
}

// raiseSingleStep is the trap after an instruction that began with RFLAGS.TF.
func (c *cpu) raiseSingleStep(e *vcpu.Exit) bool {
	c.state.DR6 |= x86.DR6BS
	c.load(x86.GroupDR)
	return c.raise(e, vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorDB})
}

// privileged finishes an instruction that the emulator leaves to its owner.
func (c *cpu) privileged(e *vcpu.Exit, r *insn.Result) bool {
	s := &c.state
	switch c.emul.insn.Inst().Op {
	case insn.INVD, insn.WBINVD, insn.WBNOINVD: // guest RAM is coherent
	case insn.INVLPG:
		c.area.Request.Or(vcpu.RequestFlush)
	case insn.RDTSC:
		t := c.area.GuestTSC(c.tsc())
		s.GPR[x86.RAX], s.GPR[x86.RDX] = t&0xFFFF_FFFF, t>>32
	case insn.RDPMC: // there are no counters
		return c.raiseGP(e)
	case insn.HLT:
		s.Activity = x86.ActivityHalted
	default: // what CPUID does not show
		return c.raiseUD(e)
	}
	c.emul.insn.Skip(s)
	c.load(groupsChanged | x86.GroupInterrupt)
	e.Emulated = true
	if r.SingleStep {
		return c.raiseSingleStep(e)
	}
	return true
}
