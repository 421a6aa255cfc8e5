package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// TestNoneLeft: in Bochs the processor gets one interrupt, which the guest
// takes at once, and the loop deals with all others.
func TestNoneLeft(t *testing.T) {
	for _, c := range []struct {
		name    string
		vectors []uint8
		service uint8
		tpr     uint8
		flags   uint64
		shadow  uint64
		nmi     uint8
		virtual bool
	}{
		{name: "none", flags: flagsIF, virtual: true},
		{name: "none, one in service", service: 0x51, flags: flagsIF, virtual: true},
		{name: "one, open", vectors: []uint8{0x41}, flags: flagsIF, virtual: true},
		{name: "one, closed", vectors: []uint8{0x41}},
		{name: "one above that in service", vectors: []uint8{0x61}, service: 0x51, flags: flagsIF, virtual: true},
		{name: "one below that in service", vectors: []uint8{0x41}, service: 0x51, flags: flagsIF},
		{name: "one below the task priority", vectors: []uint8{0x41}, tpr: 0x50, flags: flagsIF},
		{name: "one behind STI", vectors: []uint8{0x41}, flags: flagsIF, shadow: BlockingSTI},
		{name: "one with an NMI", vectors: []uint8{0x41}, flags: flagsIF, nmi: 1},
		{name: "two of a word", vectors: []uint8{0x41, 0x42}, flags: flagsIF},
		{name: "two far apart", vectors: []uint8{0x41, 0xE2}, flags: flagsIF},
	} {
		for _, features := range []uint32{0, featureClosed} {
			r := x2apic(t)
			a := &r.c.area
			r.c.features |= features
			r.left(ExitReasonCPUID, 2)
			if c.service != 0 {
				apic.SetIRR(a, c.service, false)
				_, ok := apic.Pending(a)
				require.True(t, ok)
				apic.Accept(a, c.service)
				apic.Pending(a)
			}
			apic.SetTPR(a, max(c.tpr, uint8(*a.APIC.Reg(vcpu.APICTPR))))
			r.c.tpr = uint8(*a.APIC.Reg(vcpu.APICTPR))
			r.c.regs[regRFLAGS] = c.flags | x86.FlagReserved1
			r.c.regs[regInterruptibility] = c.shadow
			r.c.nmi = c.nmi
			for _, v := range c.vectors {
				apic.SetIRR(a, v, false)
			}
			r.c.chooseAPIC()
			require.Equal(t, c.virtual || features == 0, r.c.virtual != 0, c.name)
			if r.c.virtual == 0 {
				require.NotZero(t, a.PendingIRQ.Load(), "%s: the loop finds it", c.name)
			}
		}
	}
}

// TestTwoInterrupts: the loop gives the guest the first of two, and the
// processor the second when the first has ended and the guest has set IF.
func TestTwoInterrupts(t *testing.T) {
	r := x2apic(t)
	a := &r.c.area
	r.c.features |= featureClosed
	r.left(ExitReasonCPUID, 2)
	r.c.regs[regRFLAGS] = flagsIF
	apic.SetIRR(a, 0x41, false)
	apic.SetIRR(a, 0x42, false)
	r.entered(t)
	require.Zero(t, r.c.virtual)
	require.EqualValues(t, 0x42, eventVector(r.taken()))
	a.GPR[x86.RCX], a.GPR[x86.RAX], a.GPR[x86.RDX] = msrEOI, 0, 0
	r.exitTo(ExitReasonWRMSR, 2)
	r.c.regs[regRFLAGS] = x86.FlagReserved1
	r.entered(t)
	require.Zero(t, r.c.virtual)
	require.NotZero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)
	r.exitTo(ExitReasonInterruptWindow, 0)
	r.c.regs[regRFLAGS] = flagsIF
	r.entered(t)
	require.NotZero(t, r.c.virtual)
	require.EqualValues(t, 0x41, r.c.requested)
	require.EqualValues(t, statusAll, r.c.statusDue)
	require.Zero(t, r.c.wantPrimary&PrimaryInterruptWindowExiting)
}
