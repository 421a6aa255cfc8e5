package svm

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// TestPaging: the short way to a vCPU's paging says what its whole state says.
func TestPaging(t *testing.T) {
	r := newRig(t, 0)
	rnd := rand.New(rand.NewPCG(1, 2))
	some := func(v ...uint64) uint64 { return v[rnd.IntN(len(v))] }
	var flats, modes [65]int
	for range 5000 {
		var s x86.State
		s.Reset()
		s.CR0, s.CR3 = some(0, x86.CR0PE, x86.CR0PE, x86.CR0PE|x86.CR0PG), rnd.Uint64()
		s.CR4, s.EFER = rnd.Uint64(), some(0, x86.EFERLMA|x86.EFERLME)
		s.RFLAGS, s.CPL = x86.FlagReserved1, uint8(rnd.IntN(4))
		if s.EFER == 0 {
			s.RFLAGS |= some(0, 0, 0, x86.FlagVM)
		}
		for i := range s.Seg {
			attr := uint32(x86.AttrData)
			if i == x86.CS {
				attr = x86.AttrCode
			}
			attr ^= uint32(some(0, 0, 0, 0, 0, 0, x86.TypeCode, x86.TypeWritable, x86.TypeExpandDown, x86.AttrUnusable))
			attr ^= uint32(some(0, x86.AttrDB, x86.AttrL))
			s.Seg[i] = x86.Segment{
				Attr: attr | x86.AttrG, Base: some(0, 0, 0, 0, 0, 0, 0x1000),
				Limit: uint32(some(0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_EFFF)),
			}
		}
		s.Interrupt.STIShadow = rnd.IntN(2) == 0
		require.NoError(t, r.v.Load(x86.GroupAll&^x86.GroupTSC, &s))
		want := vcpu.Paging{Plain: !s.Interrupt.STIShadow}
		require.NoError(t, r.v.Store(x86.GroupAll, &s))
		want.Set(&s)
		var got vcpu.Paging
		r.v.Paging(&got)
		require.Equal(t, want, got)
		modes[got.Mode]++
		if got.Flat {
			flats[got.Mode]++
		}
	}
	require.Positive(t, flats[32])
	require.Greater(t, modes[32], flats[32])
	require.Positive(t, flats[64])
	require.NoError(t, r.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD}))
	got := vcpu.Paging{Plain: true}
	r.v.Paging(&got)
	require.False(t, got.Plain, "an event waits")
}

// TestQuietExit: Run looks at everything again unless the caller says that
// there is no need.
func TestQuietExit(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		r := newRig(t, 0)
		r.long(0x1000)
		r.exit(ExitNPF, nil)
		var e vcpu.Exit
		r.run(t, &e)
		var busy uint8
		r.c.busy = 0
		e.Emulated, e.Quiet = true, quiet
		r.exit(ExitNPF, func(*ControlArea) { busy = r.c.busy })
		r.run(t, &e)
		require.Equal(t, !quiet, busy != 0)
	}
}
