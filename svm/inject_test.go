package svm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
)

// entered runs what comes before an entry and demands that it comes to one.
func (r *rig) entered(t *testing.T) {
	t.Helper()
	_, stop := r.c.prepare()
	require.False(t, stop, "reason %d", r.c.reason)
}

// left runs what comes after an exit.
func (r *rig) left(code ExitCode, f func(*ControlArea)) (nucleus.Verdict, bool) {
	ctl := &r.c.vmcb.Control
	ctl.ExitCode, ctl.ExitInfo1, ctl.ExitInfo2, ctl.ExitIntInfo = uint64(code), 0, 0, 0
	if f != nil {
		f(ctl)
	}
	r.c.afterExit()
	return r.c.handle()
}

// enableAPIC puts the APIC in x2APIC mode, software-enabled.
func (r *rig) enableAPIC(t *testing.T) {
	t.Helper()
	require.Zero(t, apic.WriteBase(&r.c.area, r.c.area.APICBase|1<<10, 0)&apic.ActionGP)
	require.Zero(t, apic.WriteMSR(&r.c.area, x86.MSRx2APICBase+vcpu.APICSVR, 0x1FF, 0)&apic.ActionGP)
}

func injected(r *rig) uint64 { return r.c.vmcb.Control.EventInj }

const flagsIF = x86.FlagIF | x86.FlagReserved1

func TestInterruptIsPulled(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.enableAPIC(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	apic.SetIRR(&r.c.area, 0x52, false)

	// IF is clear: a window is opened at the priority of the higher one.
	r.entered(t)
	require.Zero(t, injected(r))
	v := r.c.vmcb.Control.VIntr
	require.NotZero(t, v&VIRQ)
	require.Zero(t, v&VIgnTPR)
	require.EqualValues(t, 5, v&VINTRPrioMask>>VINTRPrioShift)
	require.NotZero(t, r.c.vmcb.Control.InterceptMisc1&InterceptVINTR)
	require.EqualValues(t, InterceptCR8Write, r.c.vmcb.Control.InterceptCRWrite)

	// The window opens: the interrupt goes in, and none is left above it.
	_, stop := r.left(ExitVINTR, nil)
	require.False(t, stop)
	r.c.vmcb.Save.RFLAGS = flagsIF
	r.entered(t)
	require.EqualValues(t, 0x52|EventV, injected(r))
	require.Zero(t, r.c.vmcb.Control.VIntr&VIRQ)
	require.Zero(t, r.c.vmcb.Control.InterceptMisc1&InterceptVINTR)

	// After its EOI the other follows, and then none.
	r.left(ExitINTR, nil)
	r.c.area.GPR[x86.RCX] = x86.MSRx2APICBase + vcpu.APICEOI
	r.c.resumeLen = 2
	_, stop = r.left(ExitMSR, func(c *ControlArea) { c.ExitInfo1 = 1; r.c.vmcb.Save.RAX, r.c.area.GPR[x86.RDX] = 0, 0 })
	require.False(t, stop)
	require.EqualValues(t, 0x1002, r.c.vmcb.Save.RIP)
	r.entered(t)
	require.EqualValues(t, 0x41|EventV, injected(r))
	r.left(ExitINTR, nil)
	r.entered(t)
	require.Zero(t, injected(r))
	require.Zero(t, r.c.vmcb.Control.InterceptCRWrite)
}

func TestInterruptInShadowIsStepped(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.enableAPIC(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.c.vmcb.Save.RFLAGS = flagsIF
	r.c.vmcb.Control.InterruptShadow = ShadowActive
	r.entered(t)
	require.Zero(t, injected(r))
	require.NotZero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF)
	require.Zero(t, r.c.vmcb.Control.VIntr&VIRQ)

	// The step ends: the guest sees neither TF nor BS nor a #DB.
	r.c.vmcb.Control.InterruptShadow = 0
	r.c.vmcb.Save.DR6 |= x86.DR6BS
	_, stop := r.left(ExitExcp+x86.VectorDB, nil)
	require.False(t, stop)
	require.Zero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF)
	require.Zero(t, r.c.vmcb.Save.DR6&x86.DR6BS)
	r.entered(t)
	require.EqualValues(t, 0x41|EventV, injected(r))
}

// TestShadowOutlivesAnExit: TCG forgets the shadow when an exit comes before the
// instruction in it has completed.
func TestShadowOutlivesAnExit(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.c.vmcb.Control.InterruptShadow = ShadowActive
	r.c.noteShadow()
	r.c.vmcb.Control.InterruptShadow = 0
	r.left(ExitINTR, nil)
	require.True(t, r.c.shadow())
	r.c.noteShadow()
	r.c.vmcb.Control.InterruptShadow = 0
	r.c.vmcb.Save.RIP = 0x1001
	r.left(ExitINTR, nil)
	require.False(t, r.c.shadow())
}

func TestStepKeepsTheGuestsOwn(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.c.vmcb.Save.RFLAGS |= x86.FlagTF
	r.c.startStep()
	r.c.vmcb.Save.DR6 |= x86.DR6BS
	_, stop := r.left(ExitExcp+x86.VectorDB, nil)
	require.False(t, stop)
	require.NotZero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF)
	require.EqualValues(t, exceptionEvent(x86.VectorDB, false, 0), r.c.event, "the guest steps itself")

	// An exit in between undoes the step.
	r.long(0x1000)
	r.c.event = 0
	r.c.startStep()
	r.left(ExitINTR, nil)
	require.Zero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF)
	require.Zero(t, r.c.step.on)
}

func TestTaskPriority(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.enableAPIC(t)
	r.c.vmcb.Save.RFLAGS = flagsIF
	// The guest raises CR8, which costs no exit; the next exit shows it.
	r.c.vmcb.Control.VIntr |= 7
	r.left(ExitINTR, nil)
	require.EqualValues(t, 0x70, *r.c.area.APIC.Reg(vcpu.APICTPR))
	// A lower interrupt waits; the write of CR8 that lets it in is intercepted.
	apic.SetIRR(&r.c.area, 0x65, false)
	r.entered(t)
	require.Zero(t, injected(r))
	require.Zero(t, r.c.vmcb.Control.VIntr&VIRQ)
	require.EqualValues(t, InterceptCR8Write, r.c.vmcb.Control.InterceptCRWrite)
	r.c.area.GPR[x86.RBX] = 3
	require.True(t, r.c.writeCR8(x86.RBX))
	r.entered(t)
	require.EqualValues(t, 3, r.c.vmcb.Control.VIntr&VTPRMask)
	require.EqualValues(t, 0x65|EventV, injected(r))
	r.c.area.GPR[x86.RBX] = 16
	require.False(t, r.c.writeCR8(x86.RBX))
	require.EqualValues(t, exceptionEvent(x86.VectorGP, true, 0), r.c.event)
}

func TestNMI(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	nmi := uint64(x86.VectorNMI | EventTypeNMI | EventV)
	r.c.area.Request.Or(vcpu.RequestNMI)
	r.entered(t)
	require.Equal(t, nmi, injected(r))
	require.NotZero(t, r.c.vmcb.Control.InterceptMisc1&InterceptIRET)
	r.left(ExitINTR, nil)

	// Another waits for IRET, is stepped over it, and goes in behind it.
	r.c.area.Request.Or(vcpu.RequestNMI)
	r.entered(t)
	require.Zero(t, injected(r))
	_, stop := r.left(ExitIRET, nil)
	require.False(t, stop)
	r.entered(t)
	require.Zero(t, injected(r))
	require.NotZero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF)
	require.Zero(t, r.c.vmcb.Control.InterceptMisc1&InterceptIRET)
	var s x86.State
	require.NoError(t, r.v.Store(x86.GroupInterrupt, &s))
	require.True(t, s.Interrupt.NMIBlocked)
	r.c.vmcb.Save.RIP = 0x2000
	r.c.vmcb.Save.RFLAGS = flagsIF | x86.FlagTF // popped: the guest's own TF
	r.c.vmcb.Save.DR6 |= x86.DR6BS
	_, stop = r.left(ExitExcp+x86.VectorDB, nil)
	require.False(t, stop)
	require.NotZero(t, r.c.vmcb.Save.RFLAGS&x86.FlagTF, "IRET loaded it")
	r.entered(t)
	require.Equal(t, nmi, injected(r))
}

func TestNMIBehindEvent(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD}))
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventNMI}))
	r.entered(t)
	require.EqualValues(t, exceptionEvent(x86.VectorUD, false, 0), injected(r))
	require.NotZero(t, r.c.vmcb.Control.InterceptMisc1&InterceptIRET)
	_, stop := r.left(ExitIRET, nil)
	require.False(t, stop)
	r.entered(t)
	require.EqualValues(t, x86.VectorNMI|EventTypeNMI|EventV, injected(r))
}

func TestEventIsDeliveredAgain(t *testing.T) {
	pf := exceptionEvent(x86.VectorPF, true, 2)
	for name, x := range map[string]struct{ info, want uint64 }{
		"interrupt":          {0x41 | EventTypeINTR | EventV, 0x41 | EventTypeINTR | EventV},
		"NMI":                {2 | EventTypeNMI | EventV, 2 | EventTypeNMI | EventV},
		"page fault":         {pf, pf},
		"INT n runs again":   {0x80 | EventTypeSoft | EventV, 0},
		"INT3 runs again":    {exceptionEvent(x86.VectorBP, false, 0), 0},
		"nothing was cut":    {0x41, 0},
		"general protection": {exceptionEvent(x86.VectorGP, true, 0x10), exceptionEvent(x86.VectorGP, true, 0x10)},
	} {
		r := newRig(t, 0)
		r.long(0x1000)
		_, stop := r.left(ExitNPF, func(c *ControlArea) { c.ExitIntInfo = x.info })
		require.True(t, stop)
		require.Equal(t, x.want, r.c.event, name)
		r.entered(t)
		require.Equal(t, x.want, injected(r), name)
	}
}

// TestSoftEvents checks the return address of software events on processors
// with and without NRIPS, and that a delivery cut short is repeated.
func TestSoftEvents(t *testing.T) {
	for _, nrips := range []uint32{0, x86.CPUID8000000AEDXNRIPS} {
		r := newRig(t, nrips)
		r.long(0x1000)
		require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventSoftInt, Vector: 0x80, Len: 2}))
		want := uint64(0x80 | EventTypeSoft | EventV)
		for range 2 {
			ev, ok := r.v.Pending()
			require.True(t, ok)
			require.Equal(t, vcpu.EventSoftInt, ev.Type)
			r.entered(t)
			require.Equal(t, want, injected(r))
			if nrips != 0 {
				require.EqualValues(t, 0x1000, r.c.vmcb.Save.RIP)
				require.EqualValues(t, 0x1002, r.c.vmcb.Control.NRIP)
			} else {
				require.EqualValues(t, 0x1002, r.c.vmcb.Save.RIP)
			}
			r.c.vmcb.Control.NRIP = 0
			r.left(ExitNPF, func(c *ControlArea) { c.ExitIntInfo = want })
		}
	}
}

func TestExceptionsCombine(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	gp := vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true, ErrorCode: 8}
	require.NoError(t, r.v.Inject(gp))
	ev, ok := r.v.Pending()
	require.True(t, ok)
	require.Equal(t, gp, ev)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorPF, HasError: true, CR2: 0xDEAD}))
	require.EqualValues(t, exceptionEvent(x86.VectorPF, true, 0), r.c.event, "serial")
	require.NoError(t, r.v.Inject(gp))
	require.EqualValues(t, exceptionEvent(x86.VectorDF, true, 0), r.c.event)
	require.NoError(t, r.v.Inject(gp))
	_, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, reasonShutdown, r.c.reason)
	require.Error(t, r.v.Inject(vcpu.Event{Type: vcpu.EventInterrupt, Vector: 0x40}), "an event waits")
	require.Error(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: 32}))
}

func TestPageFaultLoadsCR2(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorPF, HasError: true, ErrorCode: 3, CR2: 0xDEAD0000}))
	r.entered(t)
	require.EqualValues(t, 0xDEAD0000, r.c.vmcb.Save.CR2)
	require.EqualValues(t, 3, injected(r)>>EventErrorCodeShift)
	// Real mode pushes no error code.
	r.c.vmcb.Save.CR0 = x86.CR0ET
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true}))
	r.entered(t)
	require.Zero(t, injected(r)&EventEV)
}

// TestReflected checks the exceptions that are intercepted for the host's sake.
func TestReflected(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	_, stop := r.left(ExitExcp+x86.VectorDB, nil)
	require.False(t, stop)
	r.entered(t)
	require.EqualValues(t, exceptionEvent(x86.VectorDB, false, 0), injected(r))
	_, stop = r.left(ExitExcp+x86.VectorAC, func(c *ControlArea) { c.ExitIntInfo = injected(r) })
	require.False(t, stop)
	r.entered(t)
	require.EqualValues(t, exceptionEvent(x86.VectorAC, true, 0), injected(r))
	_, stop = r.left(ExitExcp+x86.VectorMC, nil)
	require.True(t, stop, "a machine check is Go's")
}

func TestPICInterruptGoesToGo(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	apic.VirtualWire(&r.c.area)
	require.True(t, apic.Signal(&r.c.area, apic.LINT0, true))
	r.entered(t)
	require.NotZero(t, r.c.vmcb.Control.VIntr&VIgnTPR)
	r.c.vmcb.Save.RFLAGS = flagsIF
	_, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, reasonIntrWindow, r.c.reason)
	apic.Signal(&r.c.area, apic.LINT0, false)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventInterrupt, Vector: 0x20}))
	r.entered(t)
	require.EqualValues(t, 0x20|EventV, injected(r))
	require.Zero(t, r.c.vmcb.Control.VIntr&VIRQ)
}
