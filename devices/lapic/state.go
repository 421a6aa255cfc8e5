package lapic

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/snapshot"
)

var schema = snapshot.Schema{Name: "lapic", Version: 1}

// requests are what other CPUs asked for and the vCPU has not served; the
// others are about a run that has ended.
const requests = vcpu.RequestNMI | vcpu.RequestINIT | vcpu.RequestSIPI

// state is version 1 of the saved state.
type state struct {
	base     uint64                 // IA32_APIC_BASE
	regs     [apic.StateRegs]uint32 // by x2APIC register number
	errors   uint32                 // not yet shown in ESR
	deadline uint64                 // IA32_TSC_DEADLINE
	timerNS  uint64                 // until a counting timer fires
	timerOn  bool
	request  uint32
	sipi     uint32
	extINT   bool // the PIC's INTR line is up
}

// Schema names the saved state.
func (l *LAPIC) Schema() snapshot.Schema { return schema }

// Save writes the state; the vCPU does not run.
func (l *LAPIC) Save(e *snapshot.Encoder) error {
	s := state{
		base: l.a.APICBase, deadline: l.a.TSCDeadline, timerNS: l.ns, timerOn: l.armed,
		request: l.a.Request.Load() & requests, sipi: l.a.SIPI.Load(), extINT: l.a.ExtINT.Load() != 0,
	}
	s.errors = apic.Export(l.a, &s.regs)
	if !l.paused {
		s.timerNS, s.timerOn = apic.Remaining(l.a, l.host.TSC())
	}
	e.Uint64("base", s.base)
	e.Uint32s("registers", s.regs[:])
	e.Uint32("errors", s.errors)
	e.Uint64("deadline", s.deadline)
	e.Uint64("timer-ns", s.timerNS)
	e.Bool("timer-armed", s.timerOn)
	e.Uint32("request", s.request)
	e.Uint32("sipi", s.sipi)
	e.Bool("extint", s.extINT)
	return e.Err()
}

// Restore takes back a state. The APIC is paused then: Resume arms the timer.
func (l *LAPIC) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	var s state
	s.base = d.Uint64("base")
	d.Uint32s("registers", s.regs[:])
	s.errors = d.Uint32("errors")
	s.deadline = d.Uint64("deadline")
	s.timerNS = d.Uint64("timer-ns")
	s.timerOn = d.Bool("timer-armed")
	s.request = d.Uint32("request")
	s.sipi = d.Uint32("sipi")
	s.extINT = d.Bool("extint")
	if err := d.Done(); err != nil {
		return err
	}
	if !apic.Import(l.a, s.base, &s.regs, s.errors) {
		d.Refuse("registers", "IA32_APIC_BASE %#x, ID %#x, version %#x are not a state of vCPU %d's APIC",
			s.base, s.regs[vcpu.APICID], s.regs[vcpu.APICVersion], l.a.ID)
		return d.Err()
	}
	l.a.TSCDeadline = s.deadline
	l.a.Request.Store(s.request & requests)
	l.a.SIPI.Store(s.sipi & 0xFF)
	l.a.ExtINT.Store(0)
	if s.extINT {
		l.a.ExtINT.Store(1)
	}
	l.ns, l.armed, l.paused = s.timerNS, s.timerOn, true
	return nil
}
