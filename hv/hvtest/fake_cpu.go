package hvtest

import (
	"fmt"
	"sync/atomic"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/insn"
)

// fakeCPU is a vCPU of a Fake.
type fakeCPU struct {
	vm     *fakeVM
	area   *vcpu.Area
	closed atomic.Bool
	kick   chan struct{}

	s        x86.State // inside Run also GPR, RIP and RFLAGS
	emul     insn.Emulator
	mem      fakeMemory
	paging   insn.PagingState // of accesses that no instruction makes
	queued   vcpu.Event       // enters the guest next
	pending  vcpu.Event       // was being delivered at the last exit
	deferred vcpu.Event       // an interrupt that an exception overtook
	nmi      bool             // an NMI waits
	window   bool
	exit     *vcpu.Exit // of the Run that goes on
	why      string     // more about it, for reports
}

// Area implements vcpu.VCPU.
func (v *fakeCPU) Area() *vcpu.Area { return v.area }

// ExitName implements vcpu.Namer.
func (v *fakeCPU) ExitName(*vcpu.Exit) string { return v.why }

// Load implements vcpu.VCPU.
func (v *fakeCPU) Load(g x86.Groups, s *x86.State) error {
	if v.closed.Load() {
		return vcpu.ErrClosed
	}
	if g&x86.GroupGPR != 0 {
		v.area.GPR = s.GPR
	}
	if g&x86.GroupIP != 0 {
		v.area.RIP, v.area.RFLAGS = s.RIP, s.RFLAGS
	}
	if g&x86.GroupCR != 0 {
		apic.SetTPR(v.area, uint8(s.CR8<<x86.CR8TPRShift))
	}
	if g&x86.GroupTSC != 0 {
		v.area.SetGuestTSC(s.TSC, v.vm.fake.TSC())
	}
	if g&x86.GroupInterrupt != 0 {
		v.area.Activity = uint32(s.Activity)
	}
	copyGroups(&v.s, s, g)
	return nil
}

// Store implements vcpu.VCPU.
func (v *fakeCPU) Store(g x86.Groups, s *x86.State) error {
	if v.closed.Load() {
		return vcpu.ErrClosed
	}
	v.s.GPR, v.s.RIP, v.s.RFLAGS = v.area.GPR, v.area.RIP, v.area.RFLAGS
	v.s.CR8 = uint64(*v.area.APIC.Reg(vcpu.APICTPR) >> x86.CR8TPRShift)
	v.s.TSC = v.area.GuestTSC(v.vm.fake.TSC())
	v.s.Activity = x86.Activity(v.area.Activity)
	copyGroups(s, &v.s, g)
	return nil
}

// copyGroups copies the groups g from one state to another.
func copyGroups(to, from *x86.State, g x86.Groups) {
	if g&x86.GroupGPR != 0 {
		to.GPR = from.GPR
	}
	if g&x86.GroupIP != 0 {
		to.RIP, to.RFLAGS = from.RIP, from.RFLAGS
	}
	if g&x86.GroupCR != 0 {
		to.CR0, to.CR2, to.CR3, to.CR4, to.CR8 = from.CR0, from.CR2, from.CR3, from.CR4, from.CR8
		to.EFER, to.PDPTE = from.EFER, from.PDPTE
	}
	if g&x86.GroupDR != 0 {
		to.DR, to.DR6, to.DR7, to.DebugCtl = from.DR, from.DR6, from.DR7, from.DebugCtl
	}
	if g&x86.GroupSeg != 0 {
		to.Seg, to.CPL = from.Seg, from.CPL
	}
	if g&x86.GroupTable != 0 {
		to.GDTR, to.IDTR = from.GDTR, from.IDTR
	}
	if g&x86.GroupSyscall != 0 {
		to.STAR, to.LSTAR, to.CSTAR, to.SFMASK = from.STAR, from.LSTAR, from.CSTAR, from.SFMASK
		to.KernelGSBase = from.KernelGSBase
	}
	if g&x86.GroupSysenter != 0 {
		to.SysenterCS, to.SysenterESP, to.SysenterEIP = from.SysenterCS, from.SysenterESP, from.SysenterEIP
	}
	if g&x86.GroupMSR != 0 {
		to.PAT, to.TSCAux, to.SpecCtrl = from.PAT, from.TSCAux, from.SpecCtrl
	}
	if g&x86.GroupTSC != 0 {
		to.TSC = from.TSC
	}
	if g&x86.GroupFPU != 0 {
		to.XCR0, to.XSS, to.XSAVE = from.XCR0, from.XSS, from.XSAVE
	}
	if g&x86.GroupInterrupt != 0 {
		to.Interrupt, to.Activity = from.Interrupt, from.Activity
	}
}

// Inject implements vcpu.VCPU.
func (v *fakeCPU) Inject(ev vcpu.Event) error {
	switch {
	case v.closed.Load():
		return vcpu.ErrClosed
	case ev.Type == vcpu.EventNone || ev.Type == vcpu.EventException && ev.Vector >= x86.NumExceptions:
		return fmt.Errorf("inject event %d of type %d: %w", ev.Vector, ev.Type, vcpu.ErrUnsupported)
	case ev.Type == vcpu.EventNMI:
		v.nmi = true
	case ev.Type == vcpu.EventException && v.pending.Type != vcpu.EventNone:
		v.overtake(ev)
	default:
		v.queued = ev
	}
	return nil
}

// overtake injects an exception while another event was being delivered.
func (v *fakeCPU) overtake(ev vcpu.Event) {
	switch first := v.pending; first.Type {
	case vcpu.EventException:
		v.queued = combine(first, ev)
	case vcpu.EventNMI:
		v.nmi, v.queued = true, ev
	case vcpu.EventInterrupt:
		v.deferred, v.queued = first, ev
	default: // the instruction will be executed again
		v.queued = ev
	}
	v.pending = vcpu.Event{}
}

// eventShutdown stands for a triple fault.
const eventShutdown vcpu.EventType = 0xFF

// combine is what comes of the exception second during the delivery of first.
func combine(first, second vcpu.Event) vcpu.Event {
	switch x86.Combine(first.Vector, second.Vector) {
	case x86.CombineDoubleFault:
		return vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorDF, HasError: true}
	case x86.CombineShutdown:
		return vcpu.Event{Type: eventShutdown}
	}
	return second
}

// Pending implements vcpu.VCPU.
func (v *fakeCPU) Pending() (vcpu.Event, bool) {
	ev := v.pending
	if ev.Type == vcpu.EventNone {
		ev = v.queued
	}
	return ev, ev.Type != vcpu.EventNone
}

// Window implements vcpu.VCPU.
func (v *fakeCPU) Window(on bool) { v.window = on }

// Kick implements vcpu.VCPU.
func (v *fakeCPU) Kick() {
	select {
	case v.kick <- struct{}{}:
	default:
	}
}

// Close implements vcpu.VCPU.
func (v *fakeCPU) Close() error {
	if v.closed.Swap(true) {
		return vcpu.ErrClosed
	}
	return nil
}
