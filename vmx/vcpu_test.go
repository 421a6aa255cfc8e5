package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// run runs the vCPU once on an exit that the rig prepared.
func (r *rig) run(t *testing.T, e *vcpu.Exit) {
	t.Helper()
	require.NoError(t, r.v.Run(e))
}

func TestPortIO(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	var e vcpu.Exit
	a := &r.c.area
	port := func(q uint64) func(*vcpuMem) { return func(c *vcpuMem) { c.exit.qualification = q } }
	a.GPR[x86.RAX] = 0x11223344_55667788
	r.exit(ExitReasonIO, 2, port(0x3F8<<16))
	r.run(t, &e)
	require.Equal(t, vcpu.KindPIO, e.Kind)
	require.True(t, e.Write)
	require.EqualValues(t, 0x88, e.Data)
	require.EqualValues(t, 0x3F8, e.Port)
	require.EqualValues(t, 1, e.Size)
	require.EqualValues(t, 2, e.Len)
	require.Equal(t, "I/O instruction", vcpu.NameOf(r.v, &e))
	require.EqualValues(t, 0x1000, a.RIP)

	for _, x := range []struct{ size, want uint64 }{
		{1, 0x11223344_556677AA}, {2, 0x11223344_5566AAAA}, {4, 0xAAAAAAAA},
	} {
		r.long(t, 0x1000)
		e = vcpu.Exit{}
		a.GPR[x86.RAX] = 0x11223344_55667788
		r.exit(ExitReasonIO, 2, port(0x60<<16|ioTypeIN|x.size-1))
		r.run(t, &e)
		require.False(t, e.Write)
		require.EqualValues(t, x.size, e.Size)
		e.Data = 0xAAAAAAAA_AAAAAAAA
		r.run(t, &e) // completes, then the next exit
		require.Equal(t, x.want, a.GPR[x86.RAX])
		require.EqualValues(t, 0x1002, a.RIP)
	}

	// A string form is the caller's, RIP included.
	r.long(t, 0x1000)
	e = vcpu.Exit{}
	r.exit(ExitReasonIO, 2, port(0x60<<16|ioString|ioREP|ioTypeIN))
	r.run(t, &e)
	require.True(t, e.String && e.Rep)
	a.RIP, e.Emulated = 0x1234, true
	r.run(t, &e)
	require.EqualValues(t, 0x1234, a.RIP)
}

func TestCompletion(t *testing.T) {
	r := newRig(t)
	a := &r.c.area
	for reason, kind := range map[ExitReason]vcpu.Kind{
		ExitReasonVMCALL: vcpu.KindHypercall, ExitReasonCPUID: vcpu.KindCPUID,
		ExitReasonRDMSR: vcpu.KindRDMSR, ExitReasonWRMSR: vcpu.KindWRMSR, ExitReasonXSETBV: vcpu.KindXSETBV,
	} {
		r.long(t, 0x1000)
		a.GPR[x86.RCX], a.GPR[x86.RAX], a.GPR[x86.RDX] = 0x123, 3, 0
		e := vcpu.Exit{}
		r.exit(reason, 3, nil)
		r.run(t, &e)
		require.Equal(t, kind, e.Kind)
		e.Data = 7
		r.run(t, &e)
		require.EqualValues(t, 0x1003, a.RIP, reason)
		if kind == vcpu.KindRDMSR {
			require.EqualValues(t, 7, a.GPR[x86.RAX])
		}
		if kind == vcpu.KindXSETBV {
			require.EqualValues(t, 7, r.c.xcr0)
		}
		// A copy of the exit steps over nothing twice.
		copied := e
		copied.Kind = vcpu.KindPAUSE
		r.run(t, &copied)
		require.EqualValues(t, 0x1003, a.RIP)
	}
}

// TestXCR0 takes only what XSETBV of the host would take.
func TestXCR0(t *testing.T) {
	r := newRig(t)
	for v, want := range map[uint64]uint64{
		7: 7, 1: 1, 3: 3, 5: 1 /* AVX without SSE */, 0: 1, ^uint64(0): 7, 1 << 18: 1,
	} {
		r.c.setXCR0(v)
		require.Equal(t, want, r.c.xcr0, "%#x", v)
	}
}

func TestEPTViolation(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	for q, want := range map[uint64]vcpu.Exit{
		eptRead | eptLinearValid | eptFinal:  {},
		eptWrite | eptLinearValid | eptFinal: {Write: true},
		eptFetch | eptLinearValid | eptFinal: {Fetch: true},
		eptRead | eptWrite | eptLinearValid:  {Write: true, Walk: true},
		eptRead:                              {}, // by the processor for itself
	} {
		r.exit(ExitReasonEPTViolation, 0, func(c *vcpuMem) { c.exit.qualification, c.exit.gpa = q, 0xFEC0_0123 })
		var e vcpu.Exit
		r.run(t, &e)
		require.Equal(t, vcpu.KindStage2, e.Kind)
		require.EqualValues(t, 0xFEC0_0123, e.GPA)
		require.Equal(t, []bool{want.Write, want.Fetch, want.Walk}, []bool{e.Write, e.Fetch, e.Walk}, "%#x", q)
	}
}

func TestControlRegisterExit(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	r.exit(ExitReasonCR, 3, func(c *vcpuMem) { c.exit.qualification = 4 | 0<<4 | 9<<8 })
	var e vcpu.Exit
	r.run(t, &e)
	require.Equal(t, vcpu.KindCR, e.Kind)
	require.EqualValues(t, 4, e.CR)
	require.EqualValues(t, 9, e.Reg)
	require.True(t, e.Write)
	r.exit(ExitReasonCR, 3, func(c *vcpuMem) { c.exit.qualification = 4 | crTypeFrom<<4 })
	r.run(t, &e)
	require.False(t, e.Write)
}

// TestMove: a vCPU whose VMCS is on another CPU has that CPU give it back.
func TestMove(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	r.c.loadedOn.Store(2)
	r.enter = func(c *vcpuMem) {
		if c.loadedOn.Load() != 0 {
			c.reason = reasonMoved
			return
		}
		r.left(ExitReasonHLT, 1)
	}
	var e vcpu.Exit
	r.run(t, &e)
	require.Equal(t, vcpu.KindHLT, e.Kind)
	require.Equal(t, 1, r.releases)
	require.EqualValues(t, 1, r.v.Area().Recalls)
	require.Zero(t, releasing)
	require.NoError(t, r.v.Close())
	require.Equal(t, 1, r.releases, "nobody holds it")
}

func TestCloseReleases(t *testing.T) {
	r := newRig(t)
	r.c.loadedOn.Store(1)
	require.NoError(t, r.v.Close())
	require.Equal(t, 1, r.releases)
	require.ErrorIs(t, r.v.Close(), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Run(&vcpu.Exit{}), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Load(x86.GroupAll, new(x86.State)), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Store(x86.GroupAll, new(x86.State)), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Inject(vcpu.Event{}), vcpu.ErrClosed)
	require.Nil(t, r.v.Area())
	r.v.Kick()
	require.NoError(t, r.vm.Close())
	require.ErrorIs(t, r.vm.Close(), vcpu.ErrClosed)
}

// TestFetch: fields that no exit read are asked of the nucleus once.
func TestFetch(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	r.exit(ExitReasonVMCALL, 3, nil)
	var e vcpu.Exit
	r.run(t, &e)
	r.c.valid = partExit | partSP
	var asked uint32
	r.enter = func(c *vcpuMem) {
		asked |= c.wantParts
		c.valid |= c.wantParts
		c.regs[regCR3] = 0x5000
		c.wantParts, c.reason = 0, reasonFetched
	}
	var s x86.State
	require.NoError(t, r.v.Store(x86.GroupCR|x86.GroupGPR, &s))
	require.EqualValues(t, partCR|partPDPTE, asked, "the mode is always known")
	require.EqualValues(t, 0x5000, s.CR3)
	asked = 0
	require.NoError(t, r.v.Store(x86.GroupCR, &s))
	require.Zero(t, asked)
	require.Equal(t, reasonExit, r.c.reason)
	var p vcpu.Paging
	r.v.Paging(&p)
	require.EqualValues(t, partAR|partInterrupt, asked)
	require.EqualValues(t, 64, p.Mode)
	require.True(t, p.Flat && p.Plain)
}

func TestInjectAndPending(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorPF, HasError: true, ErrorCode: 2, CR2: 0x77}))
	ev, ok := r.v.Pending()
	require.True(t, ok)
	require.Equal(t, vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorPF, HasError: true, ErrorCode: 2, CR2: 0x77}, ev)
	require.ErrorIs(t, r.v.Inject(vcpu.Event{Type: vcpu.EventInterrupt, Vector: 0x40}), errBusy)
	require.Error(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: 32}))
	// #PF, then #GP: double fault; then another: triple fault.
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true}))
	ev, _ = r.v.Pending()
	require.EqualValues(t, x86.VectorDF, ev.Vector)
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true}))
	require.NotZero(t, r.c.tripleFault)

	r.long(t, 0x1000) // drops events
	require.Zero(t, r.c.tripleFault)
	_, ok = r.v.Pending()
	require.False(t, ok)
	soft := vcpu.Event{Type: vcpu.EventSoftInt, Vector: 0x80, Len: 2}
	require.NoError(t, r.v.Inject(soft))
	ev, _ = r.v.Pending()
	require.Equal(t, soft, ev)
	require.Error(t, r.v.Inject(vcpu.Event{Type: 99}))
}

// TestInvalid: the error names the check that failed.
func TestInvalid(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	r.exit(0, 0, func(c *vcpuMem) {
		c.exitReason = entryFailure | uint32(ExitReasonInvalidGuestState)
		c.regs[regCR0] &^= x86.CR0PE
	})
	var e vcpu.Exit
	err := r.v.Run(&e)
	require.Equal(t, vcpu.KindInvalid, e.Kind)
	require.ErrorIs(t, err, vcpu.ErrInvalidState)
	require.ErrorContains(t, err, "VM-entry failure due to invalid guest state; CR0.PG is set and CR0.PE is zero (CR0 0x8")
	r.long(t, 0x1000)
	r.exit(0, 0, func(c *vcpuMem) { c.reason, c.exit.instructionError = reasonFailed, 7 })
	err = r.v.Run(&e)
	require.ErrorContains(t, err, "VM-instruction error 7, VM entry with invalid control field(s)")
	require.Equal(t, "VM-instruction error 7, VM entry with invalid control field(s)", vcpu.NameOf(r.v, &e))
}

func TestVCPUNumbers(t *testing.T) {
	r := newRig(t)
	_, err := r.vm.NewVCPU(0)
	require.ErrorContains(t, err, "exists already")
	_, err = r.vm.NewVCPU(vcpu.MaxVCPUs)
	require.ErrorContains(t, err, "at most")
	second, err := r.vm.NewVCPU(5)
	require.NoError(t, err)
	require.NotEqual(t, r.c.vpid, second.(*VCPU).c.vpid, "vCPUs of a VM share no translations")
	require.Equal(t, r.c.eptp, second.(*VCPU).c.eptp)
	require.ErrorIs(t, r.vm.Close(), errInUse)
}
