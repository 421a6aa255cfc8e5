package svm

import (
	"errors"
	"fmt"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// maxTries bounds how often a guest may run an instruction again that cannot
// be read: its tables or its code would have to change each time.
const maxTries = 1000

// errBusy is returned where an event waits that must be delivered first.
var errBusy = errors.New("another event waits for delivery")

var _ vcpu.Sharer = (*VCPU)(nil)

// VCPU is one virtual processor; see vcpu.VCPU for who may call what.
type VCPU struct {
	c     *vcpuMem // nil when closed
	pa    memory.HPA
	vm    *VM
	fetch fetcher
	next  uint64 // RIP behind the instruction of the last exit
	last  vcpu.Kind
	tries int // how often in a row an instruction could not be read
}

// Area is the vCPU's shared memory.
func (v *VCPU) Area() *vcpu.Area {
	if v.c == nil {
		return nil
	}
	return &v.c.area
}

// Run enters the guest and returns at the first exit that needs Go.
func (v *VCPU) Run(e *vcpu.Exit) error {
	c := v.c
	if c == nil {
		return vcpu.ErrClosed
	}
	port := v.portAgain(e)
	if !port {
		v.begin(e)
	}
	for {
		if err := enterGuest(&c.guest); err != nil {
			return fmt.Errorf("entering the guest: %w", err)
		}
		c.leaveState()
		if port && v.portExit(e) {
			return nil
		}
		fill(c, e)
		if v.resolve(e) {
			v.last = e.Kind
			c.area.Exits[e.Kind]++
			if e.Kind != vcpu.KindInvalid {
				return nil
			}
			return v.check(e)
		}
		port = false
		c.enterState()
		c.busy = 1
	}
}

// begin completes the exit in e, whatever it was. Only what Run itself
// returned is completed: a fresh Exit of the caller has KindNone, and a copied
// one must not step over anything twice.
func (v *VCPU) begin(e *vcpu.Exit) {
	c := v.c
	step := c.complete(e) && v.last == e.Kind
	c.enterState()
	if step {
		c.stepOver(v.next)
	}
	if !e.Emulated || !e.Quiet || e.Cancel {
		c.busy = 1 // whoever served the exit may have changed anything
	}
}

// resolve finds where the guest continues behind the exit's instruction. It
// reports false if the exit is settled and the guest goes on.
func (v *VCPU) resolve(e *vcpu.Exit) bool {
	c := v.c
	switch {
	case e.Kind == vcpu.KindPIO:
		v.setNext(e, c.vmcb.Control.ExitInfo2)
		return true
	case e.Kind == vcpu.KindCR:
		return v.resolveCR(e)
	case c.reason == reasonMove:
		v.learnMove()
		return true
	case c.reason == reasonLength:
		n, ok := v.length(e)
		if ok {
			v.tries = 0
			c.again, c.resumeLen = 1, n
			return false
		}
		return e.Kind != vcpu.KindNone
	case e.Kind >= vcpu.NumKinds || !steps[e.Kind]:
		return true
	}
	if next, ok := c.nextRIP(); ok {
		v.setNext(e, next)
		return true
	}
	n, ok := v.length(e)
	if !ok {
		return e.Kind != vcpu.KindNone
	}
	v.setNext(e, advance(&c.vmcb.Save, uint64(n)))
	return true
}

func (v *VCPU) setNext(e *vcpu.Exit, next uint64) {
	v.next, v.tries = next, 0
	e.Len = uint8(next - v.c.area.RIP)
}

// length finds the instruction's length. If ok is false, e says what to do
// instead: KindStage2 where stage-2 lacks a page of it, else what unreadable
// says.
func (v *VCPU) length(e *vcpu.Exit) (n uint8, ok bool) {
	n = v.fetch.length(v.c, v.vm.area.Stage2Generation.Load())
	switch {
	case n != 0:
		return n, true
	case v.fetch.missing:
		*e = vcpu.Exit{Kind: vcpu.KindStage2, GPA: v.fetch.missingAt, Fetch: true, Raw: e.Raw}
	default:
		v.unreadable(e)
	}
	return 0, false
}

// unreadable is for an instruction that is not what the processor executed:
// the guest has changed its code or its tables meanwhile and runs it again
// (KindNone), unless that happens each time.
func (v *VCPU) unreadable(e *vcpu.Exit) {
	kind := vcpu.KindNone
	if v.tries++; v.tries >= maxTries {
		v.tries, kind = 0, vcpu.KindUnknown
	}
	*e = vcpu.Exit{Kind: kind, Raw: e.Raw}
}

// resolveCR settles a write of CR8, the one control register access that is
// intercepted here; any other is the caller's.
func (v *VCPU) resolveCR(e *vcpu.Exit) bool {
	c := v.c
	if !e.Write || e.CR != 8 {
		return true
	}
	next, ok := c.nextRIP()
	reg, named := e.Reg, c.features&featureDecode != 0
	if !ok || !named {
		n, ok := v.length(e)
		if !ok {
			return e.Kind != vcpu.KindNone
		}
		next = advance(&c.vmcb.Save, uint64(n))
		if reg, ok = crSource(v.fetch.bytes[:n]); !ok {
			v.unreadable(e)
			return e.Kind != vcpu.KindNone
		}
	}
	v.tries = 0
	c.area.Fast[vcpu.KindCR]++
	c.area.Exits[vcpu.KindCR]++
	if c.writeCR8(reg) {
		c.stepOver(next)
		c.leaveState()
	}
	return false
}

// check turns a refused guest state into an error that names the rule.
func (v *VCPU) check(e *vcpu.Exit) error {
	if e.Kind != vcpu.KindInvalid {
		return nil
	}
	return fmt.Errorf("%w: %s", vcpu.ErrInvalidState, v.vm.backend.limits().explain(&v.c.vmcb))
}

// Inject queues an event for the next entry.
func (v *VCPU) Inject(ev vcpu.Event) error {
	c := v.c
	if c == nil {
		return vcpu.ErrClosed
	}
	c.busy = 1
	switch ev.Type {
	case vcpu.EventNone:
	case vcpu.EventNMI:
		c.nmi.pending = 1
	case vcpu.EventException:
		if ev.Vector >= x86.NumExceptions {
			return fmt.Errorf("exception vector %d: vectors of exceptions end at %d", ev.Vector, x86.NumExceptions-1)
		}
		c.raise(ev.Vector, ev.HasError, ev.ErrorCode)
		if ev.Vector == x86.VectorPF && eventVector(c.event) == x86.VectorPF {
			c.eventCR2, c.eventHasCR2 = ev.CR2, 1
		}
	default:
		return c.injectOther(ev)
	}
	return nil
}

// injectOther queues an interrupt or a software event, which combine with
// nothing.
func (c *vcpuMem) injectOther(ev vcpu.Event) error {
	if c.event != 0 {
		return fmt.Errorf("event type %d, vector %d: %w", ev.Type, ev.Vector, errBusy)
	}
	e := uint64(ev.Vector) | EventV
	switch ev.Type {
	case vcpu.EventInterrupt:
		e |= EventTypeINTR
	case vcpu.EventSoftInt:
		e |= EventTypeSoft
	case vcpu.EventSoftException:
		e |= EventTypeExcept
	default:
		return fmt.Errorf("event type %d: unknown", ev.Type)
	}
	c.event, c.eventHasCR2, c.eventSoft = e, 0, 0
	if ev.Type != vcpu.EventInterrupt {
		c.eventSoft, c.eventRIP = 1, c.area.RIP+uint64(ev.Len)
	}
	return nil
}

// Pending is the event that waits to be delivered again.
func (v *VCPU) Pending() (vcpu.Event, bool) {
	c := v.c
	if c == nil || c.event == 0 {
		return vcpu.Event{}, false
	}
	ev := vcpu.Event{Vector: eventVector(c.event)}
	switch eventType(c.event) {
	case EventTypeINTR:
		ev.Type = vcpu.EventInterrupt
	case EventTypeNMI:
		ev.Type = vcpu.EventNMI
	case EventTypeSoft:
		ev.Type = vcpu.EventSoftInt
	default:
		ev.Type = vcpu.EventException
		if c.eventSoft != 0 {
			ev.Type = vcpu.EventSoftException
		}
	}
	if c.eventSoft != 0 {
		ev.Len = uint8(c.eventRIP - c.area.RIP)
	}
	ev.HasError = c.event&EventEV != 0
	ev.ErrorCode = uint32(c.event >> EventErrorCodeShift)
	if ev.Vector == x86.VectorPF && ev.Type == vcpu.EventException {
		ev.CR2 = c.vmcb.Save.CR2
		if c.eventHasCR2 != 0 {
			ev.CR2 = c.eventCR2
		}
	}
	return ev, true
}

// SetShare sets the vCPU's weight against other guests and its limit in percent
// of one CPU, 0 for none. It is called before the vCPU first runs.
func (v *VCPU) SetShare(weight, capPercent uint32) {
	v.c.guest.Weight, v.c.guest.CapPercent = weight, capPercent
}

// Window asks for KindIntrWindow as soon as the guest can take an interrupt.
func (v *VCPU) Window(on bool) {
	if v.c == nil {
		return
	}
	v.c.window, v.c.busy = 0, 1
	if on {
		v.c.window = 1
	}
}

// Kick makes the vCPU leave the guest or a halt and look at its Area.
func (v *VCPU) Kick() {
	v.vm.lock.RLock()
	defer v.vm.lock.RUnlock()
	if v.c != nil {
		kickGuest(&v.c.guest)
	}
}

// Close frees the vCPU's memory. It does not run any more, and no IPI of
// another vCPU of the VM can be under way: the VM has stopped.
func (v *VCPU) Close() error {
	if v.c == nil {
		return vcpu.ErrClosed
	}
	v.vm.remove(v)
	freeContiguous(v.pa, vcpuBytes)
	return nil
}
