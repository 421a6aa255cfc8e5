package hv

import (
	"errors"
	"fmt"
	"runtime"

	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/x86"
)

// cpuid answers a leaf that the fast path leaves to Go. Run steps over it.
func (c *cpu) cpuid(*vcpu.Exit) bool {
	a := c.area
	leaf, sub := uint32(a.GPR[x86.RAX]), uint32(a.GPR[x86.RCX])
	r := cpuid.Lookup(a.CPUID[:min(a.NumCPUID, vcpu.CPUIDEntries)], leaf, sub)
	s := c.store(x86.GroupCR | x86.GroupFPU)
	r = c.board.policy.Live(r, s.CR4, s.XCR0)
	a.GPR[x86.RAX], a.GPR[x86.RBX] = uint64(r.EAX), uint64(r.EBX)
	a.GPR[x86.RCX], a.GPR[x86.RDX] = uint64(r.ECX), uint64(r.EDX)
	return true
}

// halt lets the vCPU wait inside the backend: Run steps over HLT and comes
// back when there is something to do.
func (c *cpu) halt(*vcpu.Exit) bool {
	c.area.Activity = uint32(x86.ActivityHalted)
	return true
}

// pause gives other goroutines a turn while the guest spins.
func (c *cpu) pause(*vcpu.Exit) bool {
	runtime.Gosched()
	return true
}

// xsetbv checks what XSETBV checks (SDM volume 2D, XSETBV); Run then sets
// XCR0.
func (c *cpu) xsetbv(e *vcpu.Exit) bool {
	s := c.store(x86.GroupCR | x86.GroupSeg)
	if s.CR4&x86.CR4OSXSAVE == 0 {
		return c.raiseUD(e)
	}
	if s.CPL != 0 || uint32(c.area.GPR[x86.RCX]) != 0 || !x86.ValidXCR0(e.Data, c.board.policy.XCR0()) {
		return c.raiseGP(e)
	}
	return true
}

// Results of a hypercall, as KVM defines them (Linux documentation, "Linux
// KVM Hypercall").
const (
	hypercallNoSys = ^uint64(999) // -1000, KVM_ENOSYS
	hypercallPerm  = ^uint64(0)   // -1, KVM_EPERM
)

// hypercall answers that no hypercall is known; the features leaf promises
// none.
func (c *cpu) hypercall(*vcpu.Exit) bool {
	p := c.look()
	c.area.GPR[x86.RAX] = hypercallResult(p.CPL, p.Mode == 64)
	return true
}

// hypercallResult is the answer to code of that privilege level and mode.
func hypercallResult(cpl uint8, mode64 bool) uint64 {
	r := uint64(hypercallNoSys)
	if cpl != 0 {
		r = hypercallPerm
	}
	if !mode64 {
		r &= 0xFFFF_FFFF
	}
	return r
}

// exception gives an intercepted exception to the guest, whose own it is. A
// machine check is the host's: nobody can say what of the guest is still
// right.
func (c *cpu) exception(e *vcpu.Exit) bool {
	switch {
	case e.Vector == x86.VectorMC:
		return c.crash(CauseHost, "the processor reported a machine check while the guest ran")
	case e.Vector == x86.VectorUD && c.board.policy.Foreign():
		return c.invalidOpcode(e)
	}
	return c.raise(e, vcpu.Event{
		Type: vcpu.EventException, Vector: e.Vector, HasError: e.HasError, ErrorCode: e.ErrorCode, CR2: uint64(e.Fault),
	})
}

// shutdown is a triple fault.
func (c *cpu) shutdown(*vcpu.Exit) bool {
	return c.crash(CauseShutdown, "")
}

// cannotRun ends a VM that the backend does not run.
func (c *cpu) cannotRun(err error) {
	cause := CauseHost
	if errors.Is(err, vcpu.ErrInvalidState) {
		cause = CauseGuest
	}
	c.crash(cause, err.Error())
}

// invalid is a guest state that the processor refuses to run.
func (c *cpu) invalid(e *vcpu.Exit) bool {
	return c.crash(CauseGuest, fmt.Sprintf("the processor refused the guest's state: %s", c.nameOf(e)))
}

// unknown is an exit that nobody here knows.
func (c *cpu) unknown(e *vcpu.Exit) bool {
	return c.crash(CauseGuest, fmt.Sprintf("exit %s is not known to this hypervisor", c.nameOf(e)))
}

// nameOf is the manual's name of an exit with its raw words.
func (c *cpu) nameOf(e *vcpu.Exit) string {
	return fmt.Sprintf("%s (code %#x, info %#x %#x %#x)", vcpu.NameOf(c.v, e), e.Raw[0], e.Raw[1], e.Raw[2], e.Raw[3])
}
