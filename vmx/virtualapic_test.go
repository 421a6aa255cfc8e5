package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
)

// x2apic is ready with the APIC in x2APIC mode.
func x2apic(t *testing.T) *rig {
	r := ready(t)
	apic.WriteBase(&r.c.area, x86.APICBaseDefault|x86.APICBaseEnable|x86.APICBaseX2APIC|x86.APICBaseBSP, 0)
	r.c.busy = 1
	r.entered(t)
	require.NotZero(t, r.c.virtual)
	require.EqualValues(t, statusAll, r.c.statusDue)
	require.Zero(t, r.c.busy)
	r.c.virtualIn, r.c.statusDue = 1, 0 // writeAPIC
	return r
}

// TestVirtualRequests: the processor gets what is requested, and nothing is
// injected or waited for.
func TestVirtualRequests(t *testing.T) {
	r := x2apic(t)
	r.left(ExitReasonCPUID, 2)
	r.c.regs[regRFLAGS] = x86.FlagReserved1 // closed
	require.True(t, r.c.quiet())
	apic.SetIRR(&r.c.area, 0x41, false)
	apic.SetIRR(&r.c.area, 0x32, false)
	require.False(t, r.c.quiet())
	r.entered(t)
	require.EqualValues(t, 0x41, r.c.requested)
	require.EqualValues(t, statusRequested, r.c.statusDue)
	require.Zero(t, r.taken())
	require.Zero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)
	require.Zero(t, r.c.wantThreshold)
	require.True(t, r.c.quiet(), "it is the processor's now")

	apic.SetIRR(&r.c.area, 0x51, true)
	r.entered(t)
	require.EqualValues(t, statusRequested|statusTriggers, r.c.statusDue)
	require.Equal(t, uint64(1)<<(0x51-0x40), r.c.levelTriggered(1))
	require.Zero(t, r.c.levelTriggered(0)|r.c.levelTriggered(2)|r.c.levelTriggered(3))

	// The processor follows the task priority.
	*r.c.area.APIC.Reg(vcpu.APICTPR) = 0x70
	r.c.syncTPR(0x70)
	require.True(t, r.c.quiet())
}

// TestVirtualHalt: HLT looks at what is requested already, and at what comes.
func TestVirtualHalt(t *testing.T) {
	r := x2apic(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	r.exitTo(ExitReasonHLT, 1) // STI; HLT
	r.c.regs[regRFLAGS] = flagsIF
	r.entered(t)
	require.EqualValues(t, x86.ActivityRunning, r.c.area.Activity)
	_, ok := apic.Pending(&r.c.area)
	require.False(t, ok, "no mark is left")
	apic.Accept(&r.c.area, 0x41) // the processor

	r.exitTo(ExitReasonHLT, 1)
	v, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictHalt, v)
	apic.SetIRR(&r.c.area, 0x38, false)
	_, stop = r.c.prepare()
	require.True(t, stop, "below the one in service")
	apic.SetIRR(&r.c.area, 0x58, false)
	r.entered(t)
}

// TestVirtualPIC: an interrupt of the PIC needs a window, as ever.
func TestVirtualPIC(t *testing.T) {
	r := x2apic(t)
	apic.VirtualWire(&r.c.area)
	r.c.area.ExtINT.Store(1)
	r.left(ExitReasonCPUID, 2)
	r.c.regs[regRFLAGS] = x86.FlagReserved1
	r.entered(t)
	require.NotZero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)
	r.c.regs[regRFLAGS] = flagsIF
	_, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, reasonIntrWindow, r.c.reason)
}

// TestVirtualAPICEnds: software disables the APIC, or the processor cannot
// virtualize it: the loop delivers what is requested.
func TestVirtualAPICEnds(t *testing.T) {
	r := x2apic(t)
	a := &r.c.area
	apic.SetIRR(a, 0x41, false)
	r.entered(t)
	a.GPR[x86.RCX], a.GPR[x86.RAX], a.GPR[x86.RDX] = x86.MSRx2APICBase+vcpu.APICSVR, 0xFF, 0
	r.exitTo(ExitReasonWRMSR, 2)
	r.c.regs[regRFLAGS] = x86.FlagReserved1
	r.entered(t)
	require.Zero(t, r.c.virtual)
	require.NotZero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting, "what was requested stays")
	a.GPR[x86.RAX] = 0x1FF
	r.exitTo(ExitReasonWRMSR, 2)
	r.entered(t)
	require.NotZero(t, r.c.virtual)
	require.EqualValues(t, 0x41, r.c.requested)
	require.Zero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)

	r.c.features &^= featureVirtualAPIC
	r.c.virtual = 0
	apic.SetIRR(a, 0x41, false)
	r.c.regs[regRFLAGS] = flagsIF
	r.entered(t)
	require.EqualValues(t, 0x41, eventVector(r.taken()))
}

func TestVirtualAPICExits(t *testing.T) {
	r := x2apic(t)
	exit := func(why ExitReason, qualification uint64) (nucleus.Verdict, bool) {
		r.left(why, 2)
		r.c.exit.qualification = qualification
		return r.c.handle()
	}
	rip := r.c.regs[regRIP]
	_, stop := exit(ExitReasonVirtualizedEOI, 0x51)
	require.True(t, stop)
	require.Equal(t, reasonEOI, r.c.reason)
	require.EqualValues(t, 0x51, r.c.reasonData)

	*r.c.area.APIC.Reg(vcpu.APICSelfIPI) = 5
	_, stop = exit(ExitReasonAPICWrite, 0x3F0)
	require.False(t, stop)
	apic.Write(&r.c.area, vcpu.APICESR, 0, 0)
	require.EqualValues(t, 1<<5, *r.c.area.APIC.Reg(vcpu.APICESR), "an illegal vector was sent")
	require.Equal(t, rip, r.c.regs[regRIP], "both came behind the instruction")
	_, stop = exit(ExitReasonAPICWrite, 0x300)
	require.True(t, stop, "not in x2APIC mode")
}

// TestVirtualAPICBitmap: of the APIC's MSRs the guest reaches those that the
// processor virtualizes, with the second bitmap only.
func TestVirtualAPICBitmap(t *testing.T) {
	p := make([]byte, bitmapSize)
	passes := func(msr uint32, write int) bool {
		at, bit, ok := bitmapPosition(msr)
		return ok && p[at+write]&bit == 0
	}
	fillBitmap(p)
	for r := range uint32(0x100) {
		require.False(t, passes(x86.MSRx2APICBase+r, 0) || passes(x86.MSRx2APICBase+r, bitmapWrite))
	}
	passVirtualAPIC(p, false)
	require.False(t, passes(x86.MSRx2APICBase+vcpu.APICSelfIPI, bitmapWrite), "Bochs")
	passVirtualAPIC(p, true)
	var reads, writes []uint32
	for r := range uint32(0x100) {
		if passes(x86.MSRx2APICBase+r, 0) {
			reads = append(reads, r)
		}
		if passes(x86.MSRx2APICBase+r, bitmapWrite) {
			writes = append(writes, r)
		}
	}
	require.Equal(t, []uint32{vcpu.APICTPR, vcpu.APICEOI, vcpu.APICSelfIPI}, writes)
	require.Len(t, reads, 6+24+1+6+2, "ID to SVR, ISR to IRR, CMCI, the LVT, initial count and divider")
	require.NotContains(t, reads, uint32(vcpu.APICCurCount))
	require.NotContains(t, reads, uint32(vcpu.APICICR))
	require.NotContains(t, reads, uint32(vcpu.APICESR))
	require.False(t, passes(x86.MSRx2APICBase-1, 0) || passes(x86.MSRx2APICBase+0x100, bitmapWrite))
}

// TestVirtualAPICFeature: all three controls, or none.
func TestVirtualAPICFeature(t *testing.T) {
	for _, without := range [][]string{
		nil, {"virtualize x2APIC mode"}, {"APIC-register virtualization"}, {"virtual-interrupt delivery"},
	} {
		b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), without)
		require.NoError(t, err)
		require.Equal(t, without == nil, b.features&featureVirtualAPIC != 0)
		require.Equal(t, without == nil, b.Caps().VirtualAPIC)
		require.Zero(t, b.cpu.controls.start().secondary&virtualAPIC)
	}
}

// TestQuiet: whatever decides what the guest finds is looked at.
func TestQuiet(t *testing.T) {
	r := ready(t)
	require.True(t, r.c.quiet())
	for name, change := range map[string]func() func(){
		"request": func() func() { r.c.area.Request.Store(1); return func() { r.c.area.Request.Store(0) } },
		"INTR":    func() func() { r.c.area.ExtINT.Store(1); return func() { r.c.area.ExtINT.Store(0) } },
		"wake-up": func() func() { r.c.wake = r.c.now - 1; return func() { r.c.wake = r.c.now } },
		"TSC":     func() func() { r.c.area.TSCOffset++; return func() { r.c.area.TSCOffset-- } },
		"deadline": func() func() {
			r.vm.area.RunUntil.Store(7)
			return func() { r.vm.area.RunUntil.Store(0) }
		},
		"Load": func() func() {
			require.NoError(t, r.v.Load(0, new(x86.State)))
			return func() { r.entered(t) }
		},
	} {
		r.c.now = 10
		undo := change()
		require.False(t, r.c.quiet(), name)
		undo()
		require.True(t, r.c.quiet(), name)
	}
}
