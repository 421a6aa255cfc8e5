package lapic

import (
	"context"
	"fmt"

	"ringo/devices"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// Host is what a local APIC needs from the VM.
type Host struct {
	TSC  func() uint64      // reads the host's TSC
	Wake func(*vcpu.Area)   // makes that vCPU look at its Area; from any goroutine
	EOI  func(vector uint8) // a level-triggered interrupt has ended
}

// LAPIC is the local APIC of one vCPU. Read, Write and the MSR methods belong
// to the goroutine that runs the vCPU; the lines may be set from anywhere.
type LAPIC struct {
	devices.Passive
	a    *vcpu.Area
	vm   *vcpu.VMArea
	host Host

	// The timer as Pause or Restore left it.
	paused bool
	ns     uint64
	armed  bool
}

// New makes the local APIC of vCPU a in its power-up state.
func New(vm *vcpu.VMArea, a *vcpu.Area, h Host) *LAPIC {
	l := &LAPIC{a: a, vm: vm, host: h}
	l.Reset()
	return l
}

// Name is "lapic" and the vCPU's number.
func (l *LAPIC) Name() string { return fmt.Sprintf("lapic%d", l.a.ID) }

// Reset is a power-up reset.
func (l *LAPIC) Reset() {
	apic.Reset(l.a)
	l.ns, l.armed = 0, false
}

// Pause stops the timer; its deadline is kept as a time span.
func (l *LAPIC) Pause(context.Context) error {
	if !l.paused {
		l.ns, l.armed = apic.Remaining(l.a, l.host.TSC())
		l.paused = true
	}
	return nil
}

// Resume lets the timer run on. Area.TSCOffset is right already.
func (l *LAPIC) Resume() error {
	if l.paused {
		apic.Resume(l.a, l.host.TSC(), l.ns, l.armed)
		l.paused = false
	}
	return nil
}

// pageReg is the register of an offset into the page, and where in its 16
// bytes the access starts.
func pageReg(off uint64) (reg uint32, at uint64) { return uint32(off >> 4), off & 15 }

// mmio says whether the page is the APIC's now.
func (l *LAPIC) mmio() bool { return apic.Enabled(l.a) && !apic.X2APIC(l.a) }

// Read serves a load from the xAPIC page.
func (l *LAPIC) Read(off uint64, p []byte) { devices.PutValue(p, l.Load(off)) }

// Write serves a store to the xAPIC page.
func (l *LAPIC) Write(off uint64, p []byte) { l.Store(off, uint8(len(p)), devices.Value(p)) }

// Load is what the xAPIC page holds at off, of which the access takes as many
// bytes as it has. Only the first four bytes of each 16 are a register; the
// rest reads as zero.
func (l *LAPIC) Load(off uint64) uint64 {
	if !l.mmio() {
		return ^uint64(0)
	}
	reg, at := pageReg(off)
	v, _ := apic.Read(l.a, reg, l.host.TSC())
	return v >> (8 * at)
}

// Store is a store of size bytes to the xAPIC page. One that is not 32 bits
// at the start of a register is undefined (SDM) and has no effect here.
func (l *LAPIC) Store(off uint64, size uint8, v uint64) {
	reg, at := pageReg(off)
	if !l.mmio() || at != 0 || size < 4 {
		return
	}
	l.act(apic.Write(l.a, reg, v&0xFFFF_FFFF, l.host.TSC()))
}

// ReadMSR reads an x2APIC register, IA32_APIC_BASE or IA32_TSC_DEADLINE; ok is
// false for #GP.
func (l *LAPIC) ReadMSR(msr uint32) (v uint64, ok bool) {
	switch msr {
	case x86.MSRAPICBase:
		return l.a.APICBase, true
	case x86.MSRTSCDeadline:
		return apic.ReadDeadline(l.a), true
	}
	return apic.ReadMSR(l.a, msr, l.host.TSC())
}

// WriteMSR writes what ReadMSR reads; ok is false for #GP.
func (l *LAPIC) WriteMSR(msr uint32, v uint64) (ok bool) {
	now := l.host.TSC()
	var act apic.Action
	switch msr {
	case x86.MSRAPICBase:
		act = apic.WriteBase(l.a, v, now)
	case x86.MSRTSCDeadline:
		act = apic.WriteDeadline(l.a, v, now)
	default:
		act = apic.WriteMSR(l.a, msr, v, now)
	}
	l.act(act)
	return act&apic.ActionGP == 0
}

// act does what an access left to do. The timer and pending interrupts need
// nothing: the vCPU looks at its Area before it enters the guest.
func (l *LAPIC) act(act apic.Action) {
	if act&apic.ActionIPI != 0 {
		apic.Send(l.vm, l.a, apic.ICR(l.a), l.host.Wake)
	}
	if act&apic.ActionEOI != 0 {
		l.host.EOI(act.Vector())
	}
}

// LINT is a local interrupt pin, apic.LINT0 (the PIC's INTR) or apic.LINT1
// (NMI).
func (l *LAPIC) LINT(pin uint32) devices.Line {
	return devices.LineFunc(func(level bool) {
		if apic.Signal(l.a, pin, level) {
			l.host.Wake(l.a)
		}
	})
}
