package svm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// TestConsistency breaks each rule of APM volume 2, section 15.5.1 alone.
func TestConsistency(t *testing.T) {
	l := limits{physBits: 40, asids: 16, longMode: true}
	good := func() *VMCB {
		v := &VMCB{}
		v.Control.InterceptMisc2 = InterceptVMRUN
		v.Control.GuestASID = 1
		v.Save.EFER = x86.EFERSVME | x86.EFERLME | x86.EFERLMA
		v.Save.CR0 = x86.CR0PE | x86.CR0PG
		v.Save.CR4 = x86.CR4PAE
		v.Save.CS.Attrib = attribL
		v.Save.GPAT = x86.PATDefault
		return v
	}
	require.Empty(t, l.broken(good()))
	require.Contains(t, l.explain(good()), "no rule")
	cases := []struct {
		text   string
		breaks func(*VMCB)
	}{
		{"EFER.SVME", func(v *VMCB) { v.Save.EFER &^= x86.EFERSVME }},
		{"CR0.NW", func(v *VMCB) { v.Save.CR0 |= x86.CR0NW }},
		{"CR0[63:32]", func(v *VMCB) { v.Save.CR0 |= 1 << 40 }},
		{"of CR3", func(v *VMCB) { v.Save.CR3 = 1 << 45 }},
		{"of CR4", func(v *VMCB) { v.Save.CR4 |= x86.CR4VMXE }},
		{"DR6[63:32]", func(v *VMCB) { v.Save.DR6 = 1 << 32 }},
		{"DR7[63:32]", func(v *VMCB) { v.Save.DR7 = 1 << 63 }},
		{"of EFER", func(v *VMCB) { v.Save.EFER |= 1 << 1 }},
		{"CR4.PAE is zero", func(v *VMCB) { v.Save.CR4 = 0 }},
		{"CR0.PE is zero", func(v *VMCB) { v.Save.CR0 = x86.CR0PG }},
		{"CS.L and CS.D", func(v *VMCB) { v.Save.CS.Attrib |= attribDB }},
		{"VMRUN intercept", func(v *VMCB) { v.Control.InterceptMisc2 = 0 }},
		{"MSRPM", func(v *VMCB) { v.Control.MSRPMBasePA = 1<<40 - pageSize }},
		{"event injection", func(v *VMCB) { v.Control.EventInj = exceptionEvent(x86.VectorNMI, false, 0) }},
		{"event injection", func(v *VMCB) { v.Control.EventInj = 5<<EventTypeShift | EventV }},
		{"ASID", func(v *VMCB) { v.Control.GuestASID = 0 }},
		{"ASID", func(v *VMCB) { v.Control.GuestASID = 16 }},
		{"CR4.CET", func(v *VMCB) { v.Save.CR4 |= x86.CR4CET }},
		{"N_CR3", func(v *VMCB) { v.Control.NCR3 = 1 << 41 }},
		{"G_PAT", func(v *VMCB) { v.Save.GPAT = 2 }},
	}
	for _, c := range cases {
		v := good()
		c.breaks(v)
		b := l.broken(v)
		require.Len(t, b, 1, c.text)
		require.True(t, strings.Contains(b[0], c.text), b[0])
	}
	l.longMode = false
	require.Contains(t, l.explain(good()), "without long mode")
}
