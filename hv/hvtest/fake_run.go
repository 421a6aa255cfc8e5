package hvtest

import (
	"errors"
	"sync/atomic"
	"time"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/insn"
)

// errExit says that the exit record is filled.
var errExit = errors.New("exit")

// Run implements vcpu.VCPU.
func (v *fakeCPU) Run(e *vcpu.Exit) error {
	if v.closed.Load() {
		return vcpu.ErrClosed
	}
	a := v.area
	v.s.GPR, v.s.RIP, v.s.RFLAGS = a.GPR, a.RIP, a.RFLAGS
	if !e.Emulated {
		v.complete(e)
	}
	if v.pending.Type != vcpu.EventNone && !e.Cancel && v.queued.Type == vcpu.EventNone {
		v.queued = v.pending
	}
	v.pending = vcpu.Event{}
	*e, v.why = vcpu.Exit{}, ""
	v.exit = e
	for !v.turn() {
	}
	a.GPR, a.RIP, a.RFLAGS = v.s.GPR, v.s.RIP, v.s.RFLAGS
	atomic.AddUint64(&a.Exits[e.Kind], 1)
	return nil
}

// complete finishes the instruction of the exit in e.
func (v *fakeCPU) complete(e *vcpu.Exit) {
	g := &v.s.GPR
	switch e.Kind {
	case vcpu.KindPIO:
		if !e.Write {
			switch e.Size {
			case 1:
				g[x86.RAX] = g[x86.RAX]&^0xFF | e.Data&0xFF
			case 2:
				g[x86.RAX] = g[x86.RAX]&^0xFFFF | e.Data&0xFFFF
			default:
				g[x86.RAX] = e.Data & 0xFFFF_FFFF
			}
		}
	case vcpu.KindRDMSR:
		g[x86.RAX], g[x86.RDX] = e.Data&0xFFFF_FFFF, e.Data>>32
	case vcpu.KindXSETBV:
		v.s.XCR0 = e.Data
	case vcpu.KindCPUID, vcpu.KindWRMSR, vcpu.KindCR, vcpu.KindHLT, vcpu.KindPAUSE, vcpu.KindHypercall:
	default:
		return
	}
	v.emul.Skip(&v.s)
}

// leave fills the exit's kind and ends the turn.
func (v *fakeCPU) leave(k vcpu.Kind) bool {
	v.exit.Kind = k
	return true
}

// turn does one step of the processor. It says true when there is an exit.
func (v *fakeCPU) turn() bool {
	if v.attend() {
		return true
	}
	apic.TimerDue(v.area, v.vm.fake.TSC())
	if x86.Activity(v.area.Activity) != x86.ActivityRunning && !v.awake() {
		v.sleep()
		return false
	}
	if exit, delivered := v.events(); exit || delivered {
		return exit
	}
	return v.step()
}

// attend serves what other CPUs asked for.
func (v *fakeCPU) attend() bool {
	if r := v.area.Request.Load(); r != 0 {
		v.area.Request.And(^uint32(vcpu.RequestFlush))
		switch {
		case r&vcpu.RequestExit != 0:
			v.area.Request.And(^uint32(vcpu.RequestExit))
			return v.leave(vcpu.KindKick)
		case r&vcpu.RequestINIT != 0:
			v.area.Request.And(^uint32(vcpu.RequestINIT))
			return v.leave(vcpu.KindINIT)
		case r&vcpu.RequestSIPI != 0:
			v.area.Request.And(^uint32(vcpu.RequestSIPI))
			if x86.Activity(v.area.Activity) != x86.ActivityWaitSIPI {
				return false
			}
			v.exit.Data = uint64(v.area.SIPI.Load())
			return v.leave(vcpu.KindSIPI)
		case r&vcpu.RequestNMI != 0:
			v.area.Request.And(^uint32(vcpu.RequestNMI))
			v.nmi = true
		}
	}
	if until := v.vm.area.RunUntil.Load(); until != 0 && v.vm.fake.TSC() >= until {
		return v.leave(vcpu.KindDeadline)
	}
	return false
}

// awake tells whether a vCPU that does not run has a reason to.
func (v *fakeCPU) awake() bool {
	if x86.Activity(v.area.Activity) == x86.ActivityWaitSIPI {
		return false
	}
	_, irq := apic.Pending(v.area)
	open := v.s.RFLAGS&x86.FlagIF != 0
	if v.nmi && !v.s.Interrupt.NMIBlocked || v.queued.Type != vcpu.EventNone ||
		open && (irq || v.window || apic.ExtINT(v.area) || v.deferred.Type != vcpu.EventNone) {
		v.area.Activity = uint32(x86.ActivityRunning)
		return true
	}
	return false
}

// sleep waits for a kick, the APIC timer or the run-until deadline. A kick
// from before is still in the channel.
func (v *fakeCPU) sleep() {
	const longest = time.Second // then it looks again
	wait, now := uint64(longest), v.vm.fake.TSC()
	for _, at := range []uint64{v.area.TimerTSC, v.vm.area.RunUntil.Load()} {
		if at != 0 {
			wait = min(wait, at-min(at, now))
		}
	}
	t := time.NewTimer(time.Duration(wait))
	defer t.Stop()
	select {
	case <-v.kick:
	case <-t.C:
	}
}

// events delivers what is due before the next instruction, in the order of
// SDM volume 3A, table "Priority Among Concurrent Events".
func (v *fakeCPU) events() (exit, delivered bool) {
	s := &v.s
	shadow := s.Interrupt.STIShadow || s.Interrupt.MovSSShadow
	open := s.RFLAGS&x86.FlagIF != 0 && !shadow
	switch {
	case v.queued.Type == eventShutdown:
		v.queued = vcpu.Event{}
		return v.leave(vcpu.KindShutdown), false
	case v.queued.Type != vcpu.EventNone:
		ev := v.queued
		v.queued = vcpu.Event{}
		return v.deliver(ev), true
	case v.nmi && !s.Interrupt.NMIBlocked && !shadow:
		v.nmi, s.Interrupt.NMIBlocked = false, true
		return v.deliver(vcpu.Event{Type: vcpu.EventNMI, Vector: x86.VectorNMI}), true
	case !open:
		return false, false
	case v.deferred.Type != vcpu.EventNone:
		ev := v.deferred
		v.deferred = vcpu.Event{}
		return v.deliver(ev), true
	case v.window, apic.ExtINT(v.area):
		return v.leave(vcpu.KindIntrWindow), false
	}
	if vector, ok := apic.Pending(v.area); ok {
		apic.Accept(v.area, vector)
		return v.deliver(vcpu.Event{Type: vcpu.EventInterrupt, Vector: vector}), true
	}
	return false, false
}

// step executes one instruction.
func (v *fakeCPU) step() bool {
	s := &v.s
	gpr, rip, rflags := s.GPR, s.RIP, s.RFLAGS
	v.mem.exited = false
	r, err := v.emul.Step(&v.mem, s, nil)
	in := v.emul.Inst()
	if errors.Is(err, insn.ErrUnsupported) && in != nil {
		if isHypervisors(in.Op) {
			v.why = in.Op.String()
			return v.leave(vcpu.KindInsn)
		}
		err = v.execute(in)
		r = insn.Result{}
	}
	var f *insn.Fault
	switch {
	case v.mem.exited:
		if in == nil || in.Rep == 0 {
			s.GPR, s.RIP, s.RFLAGS = gpr, rip, rflags
		}
		return true
	case errors.As(err, &f):
		s.GPR, s.RIP, s.RFLAGS = gpr, rip, rflags
		return v.raise(f)
	case err != nil:
		v.why = err.Error()
		return v.leave(vcpu.KindUnknown)
	case r.Status == insn.StatusFault:
		return v.raise(&r.Fault)
	case r.Status == insn.StatusOwner:
		return v.owner(in)
	case r.SingleStep:
		s.DR6 |= x86.DR6BS
		return v.raise(&insn.Fault{Vector: x86.VectorDB})
	}
	return false
}

// raise queues a fault of the guest's own. It says true if that is an exit.
func (v *fakeCPU) raise(f *insn.Fault) bool {
	if f.Vector == x86.VectorUD && v.vm.foreign {
		v.exit.Vector = f.Vector
		return v.leave(vcpu.KindException)
	}
	v.queued = vcpu.Event{
		Type: vcpu.EventException, Vector: f.Vector, HasError: f.HasError, ErrorCode: f.ErrorCode, CR2: f.CR2,
	}
	return false
}
