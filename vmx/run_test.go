package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
)

const flagsIF = x86.FlagIF | x86.FlagReserved1

// exitTo handles an exit as the loop does.
func (r *rig) exitTo(why ExitReason, length uint32) (nucleus.Verdict, bool) {
	r.left(why, length)
	if why == ExitReasonWRMSR {
		return r.c.exitWRMSR()
	}
	return r.c.handle()
}

// entered prepares an entry that must come.
func (r *rig) entered(t *testing.T) {
	t.Helper()
	_, stop := r.c.prepare()
	require.False(t, stop)
	r.c.tscOffset = r.c.area.TSCOffset // writeControls
}

// taken gives the event of the next entry and takes it as the entry would.
func (r *rig) taken() uint32 {
	e := r.c.entryInfo()
	if r.c.event == 0 {
		e = 0
	}
	r.c.event = 0
	return e
}

func (r *rig) enableAPIC() {
	a := &r.c.area
	apic.WriteBase(a, x86.APICBaseDefault|x86.APICBaseEnable, 0)
	apic.Write(a, vcpu.APICSVR, 0x1FF, 0)
}

func ready(t *testing.T) *rig {
	r := newRig(t)
	r.long(t, 0x1000)
	r.enableAPIC()
	r.c.regs[regRFLAGS] = flagsIF
	r.c.busy = 1
	r.entered(t)
	return r
}

func TestHaltAndWake(t *testing.T) {
	r := ready(t)
	r.left(ExitReasonHLT, 1)
	r.c.regs[regInterruptibility] = BlockingSTI // STI; HLT
	_, stop := r.c.handle()
	require.False(t, stop)
	require.EqualValues(t, 0x1001, r.c.regs[regRIP])
	require.False(t, r.c.shadow())
	v, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictHalt, v)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	require.EqualValues(t, 0x41|EventTypeExternal|uint32(1)<<31, r.taken())
	require.EqualValues(t, x86.ActivityRunning, r.c.area.Activity)

	// With interrupts off only an NMI wakes it.
	r.exitTo(ExitReasonHLT, 1)
	r.c.regs[regRFLAGS] = x86.FlagReserved1
	apic.SetIRR(&r.c.area, 0x51, false)
	_, stop = r.c.prepare()
	require.True(t, stop)
	r.c.area.Request.Or(vcpu.RequestNMI)
	r.entered(t)
	require.EqualValues(t, x86.VectorNMI|EventTypeNMI|uint32(1)<<31, r.taken())
}

func TestWindows(t *testing.T) {
	r := ready(t)
	require.Zero(t, r.c.busy)
	r.left(ExitReasonCPUID, 2)
	r.c.regs[regRFLAGS] = x86.FlagReserved1
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	require.NotZero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting, "interrupts are closed")
	require.Zero(t, r.taken())
	r.exitTo(ExitReasonInterruptWindow, 0)
	r.c.regs[regRFLAGS] = flagsIF
	r.entered(t)
	require.Zero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)
	require.EqualValues(t, 0x41, eventVector(r.taken()))
	apic.EOI(&r.c.area)

	// An NMI waits for the handler of the last one, and for a shadow.
	for _, blocked := range []uint64{BlockingNMI, BlockingSTI, BlockingMovSS} {
		r.left(ExitReasonCPUID, 2)
		r.c.regs[regInterruptibility] = blocked
		require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventNMI}))
		r.entered(t)
		require.NotZero(t, r.c.wantPrimary&PrimaryNMIWindowExiting)
		require.Zero(t, r.taken())
		r.c.regs[regInterruptibility] = 0
		r.exitTo(ExitReasonNMIWindow, 0)
		r.entered(t)
		require.Zero(t, r.c.wantPrimary&PrimaryNMIWindowExiting)
		require.EqualValues(t, x86.VectorNMI, eventVector(r.taken()))
	}
}

// TestTPRThreshold: a guest whose task priority holds an interrupt back exits
// when it lowers it.
func TestTPRThreshold(t *testing.T) {
	r := ready(t)
	r.left(ExitReasonCPUID, 2)
	*r.c.area.APIC.Reg(vcpu.APICTPR) = 0x50 // MOV CR8
	r.c.syncTPR(0x50)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	require.EqualValues(t, 5, r.c.wantThreshold, "not above the task priority: VM entry would refuse it")
	require.Zero(t, r.taken())
	*r.c.area.APIC.Reg(vcpu.APICTPR) = 0
	r.c.syncTPR(0)
	r.exitTo(ExitReasonTPRBelowThreshold, 0)
	r.entered(t)
	require.Zero(t, r.c.wantThreshold)
	require.EqualValues(t, 0x41, eventVector(r.taken()))
}

// TestStepOver: RF and a shadow end, and a single step traps behind the
// instruction.
func TestStepOver(t *testing.T) {
	r := ready(t)
	r.left(ExitReasonWBINVD, 2)
	r.c.regs[regRFLAGS] = flagsIF | x86.FlagTF | x86.FlagRF
	r.c.regs[regInterruptibility] = BlockingMovSS
	r.c.handle()
	require.EqualValues(t, 0x1002, r.c.regs[regRIP])
	require.EqualValues(t, flagsIF|x86.FlagTF, r.c.regs[regRFLAGS])
	require.False(t, r.c.shadow())
	require.EqualValues(t, x86.VectorDB, eventVector(r.taken()))
	require.NotZero(t, r.c.dr[4]&x86.DR6BS)

	// What was not read is looked up before the next event.
	r.left(ExitReasonWBINVD, 2)
	r.c.valid &^= partInterrupt
	r.c.regs[regRFLAGS] = flagsIF
	r.c.handle()
	require.NotZero(t, r.c.stepped)

	// Only 64-bit code has a RIP of more than 32 bits.
	r.left(ExitReasonWBINVD, 2)
	r.c.regs[regRIP] = 0xFFFF_FFFF
	r.c.stepOver()
	require.EqualValues(t, 0x1_0000_0001, r.c.regs[regRIP])
	r.c.regs[regRIP], r.c.regs[regAR+x86.CS] = 0xFFFF_FFFF, x86.AttrCode
	r.c.stepOver()
	require.EqualValues(t, 1, r.c.regs[regRIP])
}

func TestTakeBack(t *testing.T) {
	r := ready(t)
	r.left(ExitReasonEPTViolation, 2)
	r.c.exit.vectoring = 0x80 | EventTypeSoftInt | EventValid
	r.c.takeBack()
	ev, ok := r.v.Pending()
	require.True(t, ok)
	require.Equal(t, vcpu.Event{Type: vcpu.EventSoftInt, Vector: 0x80, Len: 2}, ev)
	r.c.event = 0
	r.c.exit.vectoring = x86.VectorNMI | EventTypeNMI | EventValid
	r.c.regs[regInterruptibility] = BlockingNMI
	r.c.takeBack()
	require.False(t, r.c.nmiBlocked(), "VM entry refuses an NMI that is blocked")
}

// TestEntryInfo: an error code goes with the exceptions that have one, not in
// real mode.
func TestEntryInfo(t *testing.T) {
	r := ready(t)
	r.c.raise(x86.VectorGP, false, 0)
	require.NotZero(t, r.taken()&EventErrorCode)
	r.c.raise(x86.VectorUD, true, 7)
	require.Zero(t, r.taken()&EventErrorCode)
	r.c.regs[regCR0Shadow] &^= x86.CR0PE
	r.c.raise(x86.VectorGP, true, 7)
	require.Zero(t, r.taken()&EventErrorCode)
}

func TestSyscallMSRs(t *testing.T) {
	r := ready(t)
	a := &r.c.area
	write := func(msr uint32, v uint64) {
		a.GPR[x86.RCX], a.GPR[x86.RAX], a.GPR[x86.RDX] = uint64(msr), v&0xFFFF_FFFF, v>>32
		_, stop := r.exitTo(ExitReasonWRMSR, 2)
		require.False(t, stop)
	}
	write(x86.MSRLSTAR, 0xFFFF_8000_0000_1000)
	require.Equal(t, uint64(0xFFFF_8000_0000_1000), r.c.syscall.lstar)
	a.GPR[x86.RDX] = 0
	r.exitTo(ExitReasonRDMSR, 2)
	require.EqualValues(t, 0xFFFF_8000, a.GPR[x86.RDX])
	rip := r.c.regs[regRIP]
	write(x86.MSRLSTAR, 1<<63)
	require.EqualValues(t, x86.VectorGP, eventVector(r.taken()), "the host must not load this")
	require.Equal(t, rip, r.c.regs[regRIP])
	write(x86.MSRSFMASK, ^uint64(0))
	require.EqualValues(t, 0xFFFF_FFFF, r.c.syscall.sfmask)
}

func TestExceptions(t *testing.T) {
	r := ready(t)
	r.left(ExitReasonExceptionNMI, 1)
	r.c.exit.interruption = x86.VectorDB | EventTypePrivSoft | EventValid // INT1
	_, stop := r.c.handle()
	require.False(t, stop)
	require.EqualValues(t, 0x1001, r.c.regs[regRIP], "a trap")
	require.EqualValues(t, x86.VectorDB|EventTypeException, r.taken()&^(1<<31))
	r.left(ExitReasonExceptionNMI, 0)
	r.c.exit.interruption = x86.VectorMC | EventTypeException | EventValid
	v, stop := r.c.handle()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictExit, v)
}

func TestRequests(t *testing.T) {
	r := ready(t)
	a := &r.c.area
	ask := func(bits uint32, want reason) {
		t.Helper()
		a.Request.Or(bits)
		v, stop := r.c.prepare()
		require.True(t, stop)
		require.Equal(t, nucleus.VerdictExit, v)
		require.Equal(t, want, r.c.reason)
	}
	ask(vcpu.RequestExit, reasonKick)
	a.SIPI.Store(0x9A)
	ask(vcpu.RequestINIT|vcpu.RequestSIPI, reasonINIT)
	a.Activity = uint32(x86.ActivityWaitSIPI)
	ask(0, reasonSIPI)
	require.EqualValues(t, 0x9A, r.c.reasonData)
	a.Activity = uint32(x86.ActivityRunning)
	r.c.tlbOf = 1
	a.Request.Or(vcpu.RequestFlush)
	r.entered(t)
	require.EqualValues(t, 1|tlbStale, r.c.tlbOf)
	r.vm.area.RunUntil.Store(1)
	r.c.now = 2
	ask(0, reasonDeadline)
}

// FuzzExit: whatever an exit says, nothing of the host breaks.
func FuzzExit(f *testing.F) {
	f.Add(uint32(30), uint64(0x3F8<<16), uint64(0), uint32(0), uint32(2), uint64(0x1000))
	f.Add(uint32(0), uint64(1<<14), uint64(0), uint32(1<<31|0x501), uint32(1), ^uint64(0))
	f.Add(uint32(48), uint64(0x181), uint64(1<<52), uint32(1<<31|0x80E), uint32(15), uint64(0))
	f.Add(uint32(1<<31|33), uint64(4), uint64(0), uint32(0), uint32(0), uint64(0))
	f.Add(uint32(0xFFFF), uint64(4), uint64(0), uint32(0), uint32(99), uint64(0))
	f.Fuzz(func(t *testing.T, reason uint32, q, gpa uint64, info, length uint32, rip uint64) {
		r := newRig(t)
		r.long(t, rip)
		r.left(0, length&0xF)
		r.c.exitReason = reason
		r.c.exit = exitInfo{qualification: q, gpa: gpa, interruption: info, vectoring: info}
		if info&EventValid != 0 {
			r.c.takeBack()
		}
		if ExitReason(reason) == ExitReasonMOVDR {
			return // touches the host's debug registers
		}
		if _, stop := r.c.handle(); stop && r.c.reason == reasonExit {
			var e vcpu.Exit
			r.c.leaveState()
			fill(r.c, &e)
			require.Less(t, e.Kind, vcpu.NumKinds)
			r.v.ExitName(&e)
			r.v.Pending()
		}
		r.c.prepare()
	})
}
