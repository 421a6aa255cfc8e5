package svm

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
)

// halt makes the guest halt.
func (r *rig) halt(t *testing.T) {
	t.Helper()
	r.c.resumeLen = 1
	_, stop := r.left(ExitHLT, nil)
	require.False(t, stop)
	require.EqualValues(t, x86.ActivityHalted, r.c.area.Activity)
}

func TestHaltAndWake(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.enableAPIC(t)
	r.c.vmcb.Save.RFLAGS = flagsIF
	r.c.vmcb.Control.InterruptShadow = ShadowActive // STI; HLT
	r.halt(t)
	require.EqualValues(t, 0x1001, r.c.vmcb.Save.RIP)
	require.Zero(t, r.c.vmcb.Control.InterruptShadow)
	v, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictHalt, v)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	require.EqualValues(t, 0x41|EventV, injected(r))
	require.EqualValues(t, x86.ActivityRunning, r.c.area.Activity)

	// With interrupts off only an NMI wakes it.
	r.c.vmcb.Save.RFLAGS = x86.FlagReserved1
	r.halt(t)
	apic.SetIRR(&r.c.area, 0x51, false)
	_, stop = r.c.prepare()
	require.True(t, stop)
	r.c.area.Request.Or(vcpu.RequestNMI)
	r.entered(t)
	require.EqualValues(t, x86.VectorNMI|EventTypeNMI|EventV, injected(r))
}

func TestRequests(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
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
	r.entered(t) // taken once
	// A start-up IPI that follows INIT at once is not lost.
	a.SIPI.Store(0x9A)
	ask(vcpu.RequestINIT|vcpu.RequestSIPI, reasonINIT)
	a.Activity = uint32(x86.ActivityWaitSIPI)
	ask(0, reasonSIPI)
	require.EqualValues(t, 0x9A, r.c.reasonData)
	// While it waits INIT is ignored, but not the start-up IPI behind it.
	ask(vcpu.RequestINIT|vcpu.RequestSIPI, reasonSIPI)
	v, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictHalt, v)
	a.Activity = uint32(x86.ActivityRunning)
	a.Request.Or(vcpu.RequestSIPI)
	r.entered(t) // ignored
	r.c.asid.asid = 5
	a.Request.Or(vcpu.RequestFlush)
	r.entered(t)
	require.Zero(t, r.c.asid.asid)
}

// TestShortCut checks that an entry like the last one looks at little, and
// still misses nothing that others change.
func TestShortCut(t *testing.T) {
	for name, change := range map[string]func(r *rig){
		"an interrupt": func(r *rig) { apic.SetIRR(&r.c.area, 0x41, false) },
		"the PIC":      func(r *rig) { apic.Signal(&r.c.area, apic.LINT0, true) },
		"a request":    func(r *rig) { r.c.area.Request.Or(vcpu.RequestFlush) },
		"the deadline": func(r *rig) { r.vm.area.RunUntil.Store(1 << 60) },
		"an exception": func(r *rig) { r.c.raise(x86.VectorUD, false, 0) },
		"an event":     func(r *rig) { require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventNMI})) },
		"a window":     func(r *rig) { r.v.Window(true) },
		"a halt":       func(r *rig) { r.halt(t) },
	} {
		r := newRig(t, 0)
		r.long(0x1000)
		r.enableAPIC(t)
		r.c.busy = 1
		r.entered(t)
		require.Zero(t, r.c.busy)
		r.left(ExitINTR, nil)
		change(r)
		// The whole of prepare leaves a mark here.
		r.c.vmcb.Control.EventInj = 1
		r.c.prepare()
		done := r.c.vmcb.Control.EventInj != 1 || r.c.busy != 0
		require.True(t, done, name)
	}
	r := newRig(t, 0)
	r.long(0x1000)
	r.c.busy = 1
	r.entered(t)
	r.left(ExitINTR, nil)
	r.c.vmcb.Control.EventInj = 1
	r.entered(t)
	require.EqualValues(t, 1, injected(r), "nothing has changed")
}

func TestDeadlineAndTimer(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.enableAPIC(t)
	a := &r.c.area
	r.c.now, r.c.left = 1000, 1000
	require.Zero(t, apic.WriteMSR(a, x86.MSRx2APICBase+vcpu.APICLVTTimer, 2<<17|0x61, 1000)&apic.ActionGP)
	r.c.left = 1000
	require.Equal(t, msrDone, r.c.fastWRMSR(x86.MSRTSCDeadline, 5000+a.TSCOffset))
	r.entered(t)
	require.EqualValues(t, 5000, r.c.guest.WakeTSC)
	require.NotZero(t, r.c.rearm)
	r.vm.area.RunUntil.Store(4000)
	r.entered(t)
	require.EqualValues(t, 4000, r.c.guest.WakeTSC, "the earlier of the two")
	r.c.now = 4000
	v, stop := r.c.prepare()
	require.True(t, stop)
	require.Equal(t, nucleus.VerdictExit, v)
	require.Equal(t, reasonDeadline, r.c.reason)
	r.vm.area.RunUntil.Store(9000)
	r.c.now = 5000
	r.c.vmcb.Save.RFLAGS = flagsIF
	r.entered(t)
	require.EqualValues(t, 0x61|EventV, injected(r))
	require.EqualValues(t, 9000, r.c.guest.WakeTSC)
}

func TestStage2Generation(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	var cpu cpuASID
	cpu.initASID(16)
	r.c.useASID(&cpu, 0)
	require.EqualValues(t, 1, r.c.vmcb.Control.GuestASID)
	r.c.vmcb.Control.Clean = cleanAll
	r.c.useASID(&cpu, 0)
	require.EqualValues(t, 1, r.c.vmcb.Control.GuestASID)
	require.NotZero(t, r.c.vmcb.Control.Clean&CleanASID)

	r.ram(t)
	require.NoError(t, r.vm.stage2.Unmap(0, pageSize))
	r.vm.stage2.Flush() // nothing runs: returns at once, without a kick
	require.Zero(t, r.kicks)
	r.c.useASID(&cpu, 0)
	require.EqualValues(t, 2, r.c.vmcb.Control.GuestASID)
	require.Zero(t, r.c.vmcb.Control.Clean&CleanASID)
	require.Equal(t, r.vm.stage2.Generation(), r.c.ack.Load())

	// One that runs is kicked and waited for.
	r.c.active.Store(1)
	swap(t, &kickGuest, func(*nucleus.Guest) {
		r.kicks++
		r.c.useASID(&cpu, 0)
	})
	require.NoError(t, r.vm.stage2.Unmap(pageSize, pageSize))
	r.vm.stage2.Flush()
	require.Equal(t, 1, r.kicks)
	require.EqualValues(t, 3, r.c.vmcb.Control.GuestASID)
}

func (r *rig) cpuid(entries ...vcpu.CPUIDEntry) {
	r.c.area.NumCPUID = uint32(copy(r.c.area.CPUID[:], entries))
}

func TestFastCPUID(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	a, s := &r.c.area, &r.c.vmcb.Save
	r.cpuid(
		vcpu.CPUIDEntry{Leaf: 0, EAX: 0xD, EBX: 1, ECX: 2, EDX: 3},
		vcpu.CPUIDEntry{Leaf: 1, ECX: 0x10},
		vcpu.CPUIDEntry{Leaf: 4, Subleaf: 1, Match: 1, EAX: 41},
		vcpu.CPUIDEntry{Leaf: 4, Subleaf: 2, Match: 1, EAX: 42},
		vcpu.CPUIDEntry{Leaf: 0xD, Slow: 1},
	)
	ask := func(leaf, sub uint32) bool {
		s.RAX, a.GPR[x86.RCX], s.RIP = uint64(leaf)|0xFFFFFFFF_00000000, uint64(sub), 0x1000
		r.c.resumeLen = 2
		_, stop := r.left(ExitCPUID, nil)
		return !stop
	}
	for range 2 { // the second time by the hint
		require.True(t, ask(0, 77))
		require.Equal(t, []uint64{0xD, 1, 2, 3}, []uint64{s.RAX, a.GPR[x86.RBX], a.GPR[x86.RCX], a.GPR[x86.RDX]})
		require.EqualValues(t, 0x1002, s.RIP)
		require.True(t, ask(4, 2))
		require.EqualValues(t, 42, s.RAX)
		require.True(t, ask(4, 1))
		require.EqualValues(t, 41, s.RAX)
	}
	require.False(t, ask(0xD, 0), "slow")
	require.False(t, ask(99, 0), "unknown")
	require.EqualValues(t, 0x1000, s.RIP)
	s.CR4 |= x86.CR4OSXSAVE
	require.True(t, ask(1, 0))
	require.EqualValues(t, 0x10|x86.CPUID1ECXOSXSAVE, a.GPR[x86.RCX])
	s.CR4 &^= x86.CR4OSXSAVE
	require.True(t, ask(1, 0))
	require.EqualValues(t, 0x10, a.GPR[x86.RCX])
	// The size of the XSAVE area follows XCR0.
	r.cpuid(
		vcpu.CPUIDEntry{Leaf: 0xD, Subleaf: 0, Match: 1, EBX: 1},
		vcpu.CPUIDEntry{Leaf: 0xD, Subleaf: 2, Match: 1, EAX: 256, EBX: 576},
		vcpu.CPUIDEntry{Leaf: 0xD, Subleaf: 9, Match: 1, EAX: 8, EBX: 2688},
	)
	for xcr0, size := range map[uint64]uint64{1: 576, 3: 576, 7: 832, 0x203: 2696} {
		r.c.xcr0 = xcr0
		require.True(t, ask(0xD, 0))
		require.Equal(t, size, a.GPR[x86.RBX])
	}
	// A table whose count is wild is not read past its end.
	a.NumCPUID = 1 << 31
	require.False(t, ask(0x1234, 0))
	require.Equal(t, a.Exits[vcpu.KindCPUID], a.Fast[vcpu.KindCPUID])
}

func TestFastMSRs(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	a, s := &r.c.area, &r.c.vmcb.Save
	access := func(msr uint32, write bool, v uint64) bool {
		a.GPR[x86.RCX], s.RIP, r.c.resumeLen = uint64(msr), 0x1000, 2
		if write {
			s.RAX, a.GPR[x86.RDX] = uint64(uint32(v)), v>>32
		}
		_, stop := r.left(ExitMSR, func(c *ControlArea) {
			if write {
				c.ExitInfo1 = 1
			}
		})
		return !stop
	}
	value := func() uint64 { return s.RAX | a.GPR[x86.RDX]<<32 }

	require.True(t, access(x86.MSREFER, false, 0))
	require.EqualValues(t, x86.EFERLME|x86.EFERLMA, value(), "SVME is hidden")
	a.TSCAdjust = 1 << 40
	require.True(t, access(x86.MSRTSCAdjust, false, 0))
	require.EqualValues(t, 1<<40, value())
	require.True(t, access(x86.MSRTSCAdjust, true, 1<<40))
	require.False(t, access(x86.MSRTSCAdjust, true, 1<<41), "Go moves the clocks too")
	require.False(t, access(x86.MSRTSC, true, 0))
	a.TSCOffset = 1 << 50
	require.True(t, access(x86.MSRTSC, false, 0))
	require.EqualValues(t, r.c.left+1<<50, value())
	require.True(t, access(x86.MSRAPICBase, false, 0))
	require.Equal(t, a.APICBase, value())
	require.False(t, access(x86.MSRMTRRCap, false, 0))
	require.EqualValues(t, 0x1000, s.RIP, "Go completes it")

	// x2APIC registers give #GP in xAPIC mode.
	require.Zero(t, r.c.event)
	require.True(t, access(x86.MSRx2APICBase+vcpu.APICTPR, false, 0))
	require.EqualValues(t, exceptionEvent(x86.VectorGP, true, 0), r.c.event)
	require.EqualValues(t, 0x1000, s.RIP)
	r.c.event = 0
	r.enableAPIC(t)
	require.True(t, access(x86.MSRx2APICBase+vcpu.APICTPR, true, 0x20))
	r.entered(t)
	require.True(t, access(x86.MSRx2APICBase+vcpu.APICTPR, false, 0))
	require.EqualValues(t, 0x20, value())

	// The end of a level-triggered interrupt is told to Go.
	require.True(t, access(x86.MSRx2APICBase+vcpu.APICTPR, true, 0))
	r.c.loadTPR()
	apic.SetIRR(a, 0x71, true)
	v, _ := apic.Pending(a)
	apic.Accept(a, v)
	require.False(t, access(x86.MSRx2APICBase+vcpu.APICEOI, true, 0))
	require.Equal(t, reasonEOI, r.c.reason)
	require.EqualValues(t, 0x71, r.c.reasonData)
	require.EqualValues(t, 0x1002, s.RIP)

	// An IPI to oneself is pending at once.
	require.True(t, access(x86.MSRx2APICBase+vcpu.APICSelfIPI, true, 0x55))
	s.RFLAGS = flagsIF
	r.entered(t)
	require.EqualValues(t, 0x55|EventV, injected(r))
}

func TestStepOver(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	s := &r.c.vmcb.Save
	s.RFLAGS |= x86.FlagTF | x86.FlagRF
	r.c.stepOver(0x1002)
	require.EqualValues(t, exceptionEvent(x86.VectorDB, false, 0), r.c.event)
	require.NotZero(t, s.DR6&x86.DR6BS)
	require.Zero(t, s.RFLAGS&x86.FlagRF)
	// Outside of 64-bit mode RIP wraps at 32 bits.
	s.EFER, s.RIP = x86.EFERSVME, 0xFFFFFFFF
	require.EqualValues(t, 1, advance(s, 2))
}

func TestStateRoundTrip(t *testing.T) {
	r := newRig(t, 0)
	r.b.features |= featureXSAVE
	rapid.Check(t, func(t *rapid.T) {
		u := rapid.Uint64()
		s := &x86.State{
			RIP: u.Draw(t, "rip"), RFLAGS: u.Draw(t, "rflags")&x86.FlagsValid | x86.FlagReserved1,
			CR0: u.Draw(t, "cr0"), CR2: u.Draw(t, "cr2"), CR3: u.Draw(t, "cr3"), CR4: u.Draw(t, "cr4"),
			CR8: u.Draw(t, "cr8") & 0xF, EFER: u.Draw(t, "efer") &^ x86.EFERSVME,
			DR6: u.Draw(t, "dr6"), DR7: u.Draw(t, "dr7"), DebugCtl: u.Draw(t, "debugctl"),
			CPL:  rapid.Uint8Range(0, 3).Draw(t, "cpl"),
			STAR: u.Draw(t, "star"), LSTAR: u.Draw(t, "lstar"), CSTAR: u.Draw(t, "cstar"), SFMASK: u.Draw(t, "sfmask"),
			KernelGSBase: u.Draw(t, "kgs"), SysenterCS: u.Draw(t, "scs"), SysenterESP: u.Draw(t, "sesp"),
			SysenterEIP: u.Draw(t, "seip"), PAT: u.Draw(t, "pat"), TSCAux: u.Draw(t, "aux"), SpecCtrl: u.Draw(t, "spec"),
			GDTR: x86.Table{Limit: rapid.Uint16().Draw(t, "gl"), Base: u.Draw(t, "gb")},
			IDTR: x86.Table{Limit: rapid.Uint16().Draw(t, "il"), Base: u.Draw(t, "ib")},
			XCR0: x86.XCR0X87 | x86.XCR0SSE, XSS: u.Draw(t, "xss"),
			Interrupt: x86.Interruptibility{MovSSShadow: rapid.Bool().Draw(t, "shadow"), NMIBlocked: rapid.Bool().Draw(t, "nmi")},
			Activity:  x86.Activity(rapid.Uint8Range(0, 3).Draw(t, "activity")),
		}
		for i := range s.GPR {
			s.GPR[i] = u.Draw(t, "gpr")
		}
		for i := range s.DR {
			s.DR[i] = u.Draw(t, "dr")
		}
		for i := range s.Seg {
			s.Seg[i] = x86.Segment{Selector: uint16(8 * i), Attr: x86.AttrCode, Limit: 0xFFFF, Base: u.Draw(t, "base")}
		}
		for i := range 512 {
			s.XSAVE[i] = byte(i)
		}
		binary.LittleEndian.PutUint32(s.XSAVE[xsaveMXCSR:], x86.MXCSRReset)
		s.XSAVE[xsaveHeader] = x86.XCR0X87 | x86.XCR0SSE
		require.NoError(t, r.v.Load(x86.GroupAll, s))
		got := &x86.State{}
		require.NoError(t, r.v.Store(x86.GroupAll&^x86.GroupTSC, got))
		require.Equal(t, s, got)
		// A group that is not asked for stays.
		none := &x86.State{}
		require.NoError(t, r.v.Store(x86.GroupGPR, none))
		require.Zero(t, none.RIP)
	})
	s := &x86.State{TSC: 12345}
	require.NoError(t, r.v.Load(x86.GroupTSC, s))
	require.NoError(t, r.v.Store(x86.GroupTSC, s))
	require.Greater(t, s.TSC, uint64(12345))
	require.Less(t, s.TSC, uint64(1e11))
}

// TestHostileXSAVE checks that no image makes XRSTOR fault.
func TestHostileXSAVE(t *testing.T) {
	initHostImage()
	r := newRig(t, 0)
	mask := uint64(x86.XCR0X87 | x86.XCR0SSE)
	r.c.saveMask = mask
	rapid.Check(t, func(t *rapid.T) {
		s := &x86.State{XCR0: rapid.Uint64().Draw(t, "xcr0")}
		copy(s.XSAVE[:], rapid.SliceOfN(rapid.Byte(), 640, 640).Draw(t, "image"))
		require.NoError(t, r.v.Load(x86.GroupFPU, s))
		require.Zero(t, r.c.xcr0&^mask)
		// With exceptions masked the restore itself is what can fault.
		r.c.xsave[0], r.c.xsave[1] = 0x7F, 3
		xrstor(&r.c.xsave[0], mask)
		xrstor(hostImage, mask)
	})
}
