package svm

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/x86"
)

func TestPermissionMaps(t *testing.T) {
	io := make([]byte, IOPMSize)
	fillIOPM(io)
	for _, b := range io {
		require.EqualValues(t, 0xFF, b, "every port is intercepted")
	}
	passed := map[uint32]bool{}
	for _, m := range passedMSRs {
		passed[m] = true
	}
	for _, spec := range []bool{false, true} {
		msr := make([]byte, MSRPMSize)
		fillMSRPM(msr, spec)
		for _, base := range []uint32{0, 0xC000_0000, 0xC001_0000} {
			for n := base; n < base+0x2000; n++ {
				off, shift, ok := msrpmPosition(n)
				require.True(t, ok)
				want := byte(3)
				if passed[n] || spec && n == x86.MSRSpecCtrl {
					want = 0
				}
				require.Equal(t, want, msr[off]>>shift&3, "MSR %#x", n)
			}
		}
	}
	// Positions that the manual gives: the third range begins at 1000H.
	off, shift, ok := msrpmPosition(0xC001_0000)
	require.True(t, ok)
	require.Equal(t, 0x1000, off)
	require.Zero(t, shift)
	off, shift, _ = msrpmPosition(x86.MSRLSTAR)
	require.Equal(t, 0x800+0x82/4, off)
	require.EqualValues(t, 4, shift)
	_, _, ok = msrpmPosition(0x4B56_4D00)
	require.False(t, ok, "outside of the map")
}

func TestExitCodeNames(t *testing.T) {
	for code, want := range map[ExitCode]string{
		0: "VMEXIT_CR0_READ", 0x18: "VMEXIT_CR8_WRITE", 0x27: "VMEXIT_DR7_READ", 0x3F: "VMEXIT_DR15_WRITE",
		0x41: "VMEXIT_EXCP1", 0x5E: "VMEXIT_EXCP30", ExitINTR: "VMEXIT_INTR", ExitVINTR: "VMEXIT_VINTR",
		ExitCPUID: "VMEXIT_CPUID", ExitIRET: "VMEXIT_IRET", ExitHLT: "VMEXIT_HLT", ExitIOIO: "VMEXIT_IOIO",
		ExitShutdown: "VMEXIT_SHUTDOWN", ExitVMRUN: "VMEXIT_VMRUN", ExitXSETBV: "VMEXIT_XSETBV",
		ExitEFERWrTrap: "VMEXIT_EFER_WRITE_TRAP", 0x94: "VMEXIT_CR4_WRITE_TRAP", ExitINVPCID: "VMEXIT_INVPCID",
		ExitIdleHLT: "VMEXIT_IDLE_HLT", ExitNPF: "VMEXIT_NPF", ExitInvalid: "VMEXIT_INVALID", ExitBusy: "VMEXIT_BUSY",
		0xA7: "VMEXIT unknown", 0x12345: "VMEXIT unknown",
	} {
		require.Equal(t, want, code.String())
	}
}

func TestKinds(t *testing.T) {
	for code := ExitCode(0); code < 0x500; code++ {
		require.NotEqual(t, vcpu.KindNone, kindOf(code), "%v", code)
		require.NotPanics(t, func() { _ = code.String() })
	}
	require.Equal(t, vcpu.KindUnknown, kindOf(ExitTaskSwitch))
	require.Equal(t, vcpu.KindUnknown, kindOf(ExitBusy))
	require.Equal(t, vcpu.KindStage2, kindOf(ExitNPF))
	require.Equal(t, vcpu.KindException, kindOf(ExitExcp+x86.VectorMC))
	require.Equal(t, vcpu.KindCR, kindOf(0x18))
	require.Equal(t, vcpu.KindInvalid, kindOf(ExitInvalid))
	require.Equal(t, vcpu.KindInvalid, kindOf(0xFFFF_FFFF), "as QEMU has it")
}

func TestSegmentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, x86.NumSeg-1).Draw(t, "index")
		s := x86.Segment{
			Selector: rapid.Uint16().Draw(t, "selector"),
			Attr:     rapid.Uint32().Draw(t, "attr") & x86.AttrDescriptor,
			Limit:    rapid.Uint32().Draw(t, "limit"),
			Base:     rapid.Uint64().Draw(t, "base"),
		}
		// What the hidden part of a segment register always has.
		if s.Limit > granular {
			s.Attr |= x86.AttrG
		}
		switch {
		case s.Attr&x86.AttrP == 0:
			s.Attr |= x86.AttrUnusable
		case i == x86.TR:
			s.Attr |= 2
		case i != x86.LDTR:
			s.Attr |= x86.TypeAccessed
		}
		if s.IsCode() && s.Attr&x86.AttrL != 0 {
			s.Attr &^= x86.AttrDB
		}
		r := toVMCB(&s)
		require.Equal(t, s, fromVMCB(&r, i))
		require.Zero(t, r.Attrib>>12)
	})
}

// TestCode64HasNoD: VMRUN refuses 64-bit code with D, which other processors
// leave there.
func TestCode64HasNoD(t *testing.T) {
	r := toVMCB(&x86.Segment{Attr: x86.AttrCode | x86.AttrG | x86.AttrL | x86.AttrDB})
	require.EqualValues(t, attribL|attribG|x86.AttrCode, r.Attrib)
	r = toVMCB(&x86.Segment{Attr: x86.AttrData | x86.AttrG | x86.AttrL | x86.AttrDB})
	require.NotZero(t, r.Attrib&attribDB, "in data segments it has a meaning")
}

// TestForeignPermissions: a VM that acts foreign exits at the two registers of
// which AMD's processors keep 32 bits, and at no other than the rest do.
func TestForeignPermissions(t *testing.T) {
	usual, foreign := make([]byte, MSRPMSize), make([]byte, MSRPMSize)
	fillMSRPM(usual, true)
	fillForeignMSRPM(foreign, true)
	for _, msr := range []uint32{x86.MSRSysenterESP, x86.MSRSysenterEIP} {
		off, shift, ok := msrpmPosition(msr)
		require.True(t, ok)
		require.EqualValues(t, 3, foreign[off]>>shift&3, "%#x", msr)
		require.Zero(t, usual[off]>>shift&3, "%#x", msr)
		foreign[off] &^= 3 << shift
	}
	require.Equal(t, usual, foreign)
}

// TestForeignSysenter: all 64 bits come back, whatever the processor keeps.
func TestForeignSysenter(t *testing.T) {
	c, want, got := &vcpuMem{}, &x86.State{SysenterESP: 0xFFFF_8000_1111_2222, SysenterEIP: 0xFFFF_8000_3333_4444}, &x86.State{}
	c.foreign = 1
	loadSysenter(c, want)
	c.vmcb.Save.SysenterESP &= 0xFFFF_FFFF
	c.vmcb.Save.SysenterEIP &= 0xFFFF_FFFF
	storeSysenter(c, got)
	require.Equal(t, want, got)
}

func TestSegmentUnusable(t *testing.T) {
	r := toVMCB(&x86.Segment{Attr: x86.AttrUnusable | x86.AttrData})
	require.Zero(t, r.Attrib&attribP)
	back := fromVMCB(&r, x86.DS)
	require.False(t, back.Usable())
	r = toVMCB(&x86.Segment{Attr: x86.AttrCode | x86.AttrL | x86.AttrG})
	require.EqualValues(t, 0xA9B, r.Attrib, "flat 64-bit code")
}

func TestASIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const cpus = 2
		n := rapid.Uint32Range(2, 16).Draw(t, "ASIDs")
		var cpu [cpus]cpuASID
		for i := range cpu {
			cpu[i].initASID(n)
		}
		guests := make([]guestASID, 5)
		// owner is the guest whose translations an ASID of a CPU may hold.
		owner := [cpus]map[uint32]int{{}, {}}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			c := rapid.IntRange(0, cpus-1).Draw(t, "cpu")
			g := rapid.IntRange(0, len(guests)-1).Draw(t, "guest")
			fresh := rapid.Bool().Draw(t, "flush")
			if fresh {
				guests[g].asid = 0
			}
			moved := false
			if !cpu[c].valid(&guests[g], uint32(c)) {
				moved = true
				if cpu[c].take(&guests[g], uint32(c)) == TLBFlushAll {
					owner[c] = map[uint32]int{}
				}
			}
			a := guests[g].asid
			require.NotZero(t, a)
			require.Less(t, a, n)
			if fresh {
				require.True(t, moved, "a flushed guest gets a new identifier")
			}
			if o, used := owner[c][a]; used {
				require.False(t, moved, "a new identifier has old translations")
				require.Equal(t, g, o, "another guest's translations")
			}
			owner[c][a] = g
		}
	})
}

func TestInterceptsStopWhatTheyMust(t *testing.T) {
	r := newRig(t, x86.CPUID8000000AEDXPauseFilter)
	ctl := &r.c.vmcb.Control
	require.NotZero(t, ctl.InterceptMisc2&InterceptVMRUN)
	require.EqualValues(t, interceptMisc1|InterceptPAUSE, ctl.InterceptMisc1)
	require.EqualValues(t, pauseFilterCount, ctl.PauseFilterCount)
	require.EqualValues(t, 1<<1|1<<17|1<<18, ctl.InterceptException)
	require.EqualValues(t, VINTRMasking, ctl.VIntr)
	require.EqualValues(t, r.vm.stage2.Root(), ctl.NCR3)
	require.Len(t, r.b.limits().broken(&r.c.vmcb), 1, "only the ASID is missing before an entry")
}

func TestBackendRefusals(t *testing.T) {
	none := func(leaf, sub uint32) (a, b, c, d uint32) { return 0, 0, 0, 0 }
	_, err := newBackend(none)
	require.ErrorIs(t, err, ErrNoSVM)
	_, err = newBackend(func(leaf, sub uint32) (a, b, c, d uint32) {
		a, b, c, d = epyc(0)(leaf, sub)
		if leaf == leafSVM {
			d = 0
		}
		return
	})
	require.ErrorIs(t, err, ErrNoNestedPaging)
	b, err := newBackend(epyc(x86.CPUID8000000AEDXNRIPS))
	require.NoError(t, err)
	caps := b.Caps()
	require.True(t, caps.NextRIP)
	require.EqualValues(t, 16, caps.ASIDs)
	require.EqualValues(t, 40, caps.PhysAddrBits)
	require.Equal(t, []string{"nested paging", "NRIPS"}, caps.Features)
	require.EqualValues(t, 0x17, b.cpu.family)
}
