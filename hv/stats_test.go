package hv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
)

// stayVCPU is a vCPU that says how long it has been inside.
type stayVCPU struct {
	vcpu.VCPU
	since func() uint64
}

func (v stayVCPU) InsideSince() uint64 { return v.since() }

// TestGuestTicks: the time since the last exit counts, once.
func TestGuestTicks(t *testing.T) {
	area := &vcpu.Area{GuestTicks: 1000}
	host := &Host{TSC: func() uint64 { return 700 }}
	ask := func(since func() uint64) uint64 {
		c := &cpu{area: area, board: &board{vm: &VM{host: host}}, v: stayVCPU{since: since}}
		var s Stats
		s.add(c)
		return s.GuestTicks
	}
	require.EqualValues(t, 1000, ask(func() uint64 { return 0 }), "outside")
	require.EqualValues(t, 1100, ask(func() uint64 { return 600 }))
	require.EqualValues(t, 1000, ask(func() uint64 { return 800 }), "entered after the time was read")
	calls := uint64(0)
	require.EqualValues(t, 1000, ask(func() uint64 { calls++; return 100 + calls }), "an exit each time")
	require.LessOrEqual(t, calls, uint64(10))
	require.EqualValues(t, 1000, func() uint64 {
		var s Stats
		s.add(&cpu{area: area, v: struct{ vcpu.VCPU }{}})
		return s.GuestTicks
	}(), "a backend that does not tell")
}
