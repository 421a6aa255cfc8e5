package vmx

import (
	"errors"
	"fmt"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// errBusy is returned where an event waits that must be delivered first.
var errBusy = errors.New("another event waits for delivery")

var (
	_ vcpu.VM     = (*VM)(nil)
	_ vcpu.VCPU   = (*VCPU)(nil)
	_ vcpu.Sharer = (*VCPU)(nil)
	_ vcpu.Pager  = (*VCPU)(nil)
	_ vcpu.Namer  = (*VCPU)(nil)
)

// VCPU is one virtual processor; see vcpu.VCPU for who may call what.
type VCPU struct {
	c    *vcpuMem // nil when closed
	pa   memory.HPA
	vm   *VM
	next uint64 // RIP behind the instruction of the last exit
	last vcpu.Kind
	told int // the next entry of the page-modification log to tell; stage2.lock guards it
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
	if err := enterGuest(&c.guest); err != nil || c.reason >= reasonMoved {
		if err = v.enterAgain(err); err != nil {
			return err
		}
	}
	c.leaveState()
	if port && v.portExit(e) {
		return nil
	}
	fill(c, e)
	v.last = e.Kind
	c.area.Exits[e.Kind]++
	switch {
	case steps[e.Kind]:
		v.next = c.nextRIP()
		e.Len = uint8(c.exitLength)
	case e.Kind == vcpu.KindInvalid:
		return v.refused()
	}
	return nil
}

// begin completes the exit in e, whatever it was. Only what Run itself
// returned is completed: a fresh Exit of the caller has KindNone, and a copied
// one must not step over anything twice.
func (v *VCPU) begin(e *vcpu.Exit) {
	c := v.c
	step := c.complete(e) && v.last == e.Kind
	c.enterState()
	if step {
		c.stepTo(v.next)
	}
	if quiet := step && v.last == vcpu.KindPIO || e.Emulated && e.Quiet; !quiet || e.Cancel {
		c.busy, c.statusDue = 1, statusAll // whoever served the exit may have changed anything
	}
}

// enter has the nucleus run the loop.
func (v *VCPU) enter() error { return v.enterAgain(enterGuest(&v.c.guest)) }

// enterAgain is what follows an Enter that gave err. If another CPU holds the
// VMCS, it gives it back first, and the loop runs again; it does so too when the
// page-modification log was full.
func (v *VCPU) enterAgain(err error) error {
	for err == nil && v.c.reason >= reasonMoved {
		if v.c.reason == reasonLogFull {
			v.emptyLog()
		} else {
			v.c.area.Recalls++
			v.release()
		}
		err = enterGuest(&v.c.guest)
	}
	if err != nil {
		return fmt.Errorf("entering the guest: %w", err)
	}
	return nil
}

// release has the CPU that holds the VMCS write it to memory.
func (v *VCPU) release() {
	b := v.vm.backend
	b.releaseLock.Lock()
	defer b.releaseLock.Unlock()
	releasing = v.c.addr()
	onEachCPU(releaseThisCPU)
	releasing = 0
}

// need makes copies of guest fields valid. Only nucleus code on a CPU with the
// VMCS can read them.
func (v *VCPU) need(parts uint32) error {
	c := v.c
	if parts&^c.valid == 0 {
		return nil
	}
	last := c.reason
	c.wantParts = parts &^ c.valid
	err := v.enter()
	c.wantParts, c.reason = 0, last
	return err
}

// refused is the error of a failed VM entry, which names the check.
func (v *VCPU) refused() error {
	return fmt.Errorf("%w: %s", vcpu.ErrInvalidState, v.vm.backend.limits().explain(v.c))
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
		c.nmi = 1
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
	e := uint32(ev.Vector) | EventValid
	switch ev.Type {
	case vcpu.EventInterrupt:
		e |= EventTypeExternal
	case vcpu.EventSoftInt:
		e |= EventTypeSoftInt
	case vcpu.EventSoftException:
		e |= EventTypeSoftExc
	default:
		return fmt.Errorf("event type %d: unknown", ev.Type)
	}
	c.event, c.eventHasCR2, c.eventLen = e, 0, uint32(ev.Len)
	return nil
}

// eventTypes are the contract's types by the manual's.
var eventTypes = [8]vcpu.EventType{
	EventTypeExternal >> 8:  vcpu.EventInterrupt,
	EventTypeNMI >> 8:       vcpu.EventNMI,
	EventTypeException >> 8: vcpu.EventException,
	EventTypeSoftInt >> 8:   vcpu.EventSoftInt,
	EventTypePrivSoft >> 8:  vcpu.EventSoftException,
	EventTypeSoftExc >> 8:   vcpu.EventSoftException,
}

// Pending is the event that waits to be delivered again.
func (v *VCPU) Pending() (vcpu.Event, bool) {
	c := v.c
	if c == nil || c.event == 0 {
		return vcpu.Event{}, false
	}
	ev := vcpu.Event{Type: eventTypes[eventType(c.event)>>8], Vector: eventVector(c.event)}
	if eventType(c.event) >= EventTypeSoftInt {
		ev.Len = uint8(c.eventLen)
	}
	if c.event&EventErrorCode != 0 {
		ev.HasError, ev.ErrorCode = true, c.eventError
	}
	if ev.Vector == x86.VectorPF && ev.Type == vcpu.EventException {
		ev.CR2 = c.cr2
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
	if v.c.loadedOn.Load() != 0 {
		v.release() // a CPU writes to the VMCS until it is cleared
	}
	v.vm.remove(v)
	freeContiguous(v.pa, vcpuBytes)
	return nil
}
