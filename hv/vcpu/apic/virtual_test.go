package apic_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// TestGather: what others have posted is in IRR, and PendingIRQ is quiet until
// the next one comes.
func TestGather(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := newVM(t, 1, true).CPU[0]
		want, level := uint8(0), false
		for _, v := range rapid.SliceOf(rapid.Uint8Range(16, 255)).Draw(rt, "vectors") {
			apic.SetIRR(a, v, v&1 != 0)
			want, level = max(want, v), level || v&1 != 0
		}
		waiting := map[int]bool{}
		for i := range 256 {
			if a.Posted[i/32].Load()>>(i%32)&1 != 0 {
				waiting[i] = true
			}
		}
		require.Equal(rt, min(len(waiting), 2), apic.Waiting(a))
		requested, triggers := apic.Gather(a)
		require.Equal(rt, want, requested)
		require.Equal(rt, level, triggers)
		require.Zero(rt, apic.InService(a))
		require.Zero(rt, a.PendingIRQ.Load())
		require.Equal(rt, want != 0, apic.Requested(a))
		if want == 0 {
			return
		}
		// The processor's part: it takes the interrupt, and ends it.
		apic.Accept(a, want)
		require.Equal(rt, want, apic.InService(a))
		require.False(rt, apic.Requested(a), "nothing is above the one in service")
		apic.EOI(a)
		apic.SetIRR(a, 0x20, false)
		require.NotZero(rt, a.PendingIRQ.Load())
		_, triggers = apic.Gather(a)
		require.False(rt, triggers, "edge, as before")
		apic.Scatter(a)
		_, ok := apic.Pending(a)
		require.True(rt, ok, "the software APIC finds it again")
	})
}

func TestVirtualizable(t *testing.T) {
	a := newVM(t, 1, true).CPU[0]
	require.True(t, apic.Virtualizable(a))
	apic.Write(a, vcpu.APICSVR, 0xFF, 0)
	require.False(t, apic.Virtualizable(a), "disabled by software")
	require.False(t, apic.Virtualizable(newVM(t, 1, false).CPU[0]), "xAPIC mode")
}

// TestReadsPlain: such a register reads as the page has it, with zeroes in the
// upper half, and every other is computed or raises #GP.
func TestReadsPlain(t *testing.T) {
	a := newVM(t, 2, true).CPU[1]
	apic.SetIRR(a, 0x91, true)
	apic.Write(a, vcpu.APICICR, 1<<32|0x4000|0x55, 0)
	apic.Write(a, vcpu.APICInitCount, 1000, 0)
	for r := range uint32(0x100) {
		v, ok := apic.ReadMSR(a, x86.MSRx2APICBase+r, 0)
		if !apic.ReadsPlain(r) {
			require.True(t, !ok || r == vcpu.APICICR || r == vcpu.APICCurCount || r == vcpu.APICESR, "register %#x", r)
			continue
		}
		require.True(t, ok)
		require.Equal(t, v, uint64(a.APIC[r][1])<<32|uint64(a.APIC[r][0]), "register %#x", r)
	}
}
