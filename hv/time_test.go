package hv

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/cpuid"
	"ringo/hv/hvtest"
	"ringo/x86"
)

// clockAt is where the guest of onTSC has its paravirtual clock.
const clockAt = 0x230000

// onTSC makes a VM that is paused, on a host whose TSC counts as if at hz.
func onTSC(t *testing.T, hz uint64) *testVM {
	v := newTestVM(t, nil, forever)
	v.host.TSCHz = hz
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	require.True(t, v.board.parts.clock.WriteMSR(0, x86.MSRKVMSystemTimeNew, clockAt|1))
	return v
}

// moveTo saves a VM and restores it on a host with the TSC of the fake backend.
func moveTo(t *testing.T, v *testVM, change func(*testHost)) (*testVM, error) {
	var stream bytes.Buffer
	require.NoError(t, v.Save(&stream, SaveOptions{Memory: true}))
	w := newTestVM(t, nil, forever)
	change(w.host)
	return w, w.Restore(&stream)
}

// TestTSCFollows: a guest keeps the frequency of its TSC, its value, and what
// CPUID and the paravirtual clock say of it, on a host that can scale.
func TestTSCFollows(t *testing.T) {
	const guestHz = hvtest.FakeTSCHz / 4 * 3
	v := onTSC(t, guestHz)
	atSave := v.board.cpus[0].area.GuestTSC(v.board.stopTSC)
	w, err := moveTo(t, v, func(*testHost) {})
	require.NoError(t, err)
	v.close(t)

	c := w.board.cpus[0]
	require.Equal(t, atSave, c.area.GuestTSC(w.board.stopTSC), "it stands still on the way")
	ticks := c.area.GuestTSC(w.board.stopTSC+1_000_000) - atSave
	require.InDelta(t, 750_000, ticks, 1)
	times := cpuid.Lookup(c.area.CPUID[:c.area.NumCPUID], x86.CPUIDHypervisorTimes, 0)
	require.EqualValues(t, guestHz/1000, times.EAX)

	require.NoError(t, w.Resume())
	require.NoError(t, w.Pause(context.Background()))
	now := c.area.GuestTSC(w.board.stopTSC)
	require.Greater(t, now, atSave)
	var info [32]byte
	require.NoError(t, w.board.space.ReadAt(info[:], clockAt))
	mul := binary.LittleEndian.Uint32(info[24:])
	ns := float64(uint64(mul)) / (1 << 32) * 1000
	if shift := int8(info[28]); shift > 0 {
		ns *= float64(int(1) << shift)
	}
	require.InDelta(t, 1000*1e9/float64(guestHz), ns, 0.01, "ns in 1000 ticks")

	again, err := moveTo(t, w, func(h *testHost) { h.TSCHz = guestHz })
	require.NoError(t, err, "home again, where nothing has to be scaled")
	require.Zero(t, again.board.backVM.Area().TSCRatio)
	require.Equal(t, now, again.board.cpus[0].area.GuestTSC(again.board.stopTSC))
	w.close(t)
	again.close(t)
}

// TestTSCOfItsOwn: RDTSC, TSC_ADJUST and a reset agree on the scaled counter.
func TestTSCOfItsOwn(t *testing.T) {
	v := onTSC(t, hvtest.FakeTSCHz/2)
	w, err := moveTo(t, v, func(*testHost) {})
	require.NoError(t, err)
	v.close(t)
	c := w.board.cpus[0]
	require.NotZero(t, w.board.backVM.Area().TSCRatio)
	before, adjust := c.area.GuestTSC(w.board.stopTSC), c.area.TSCAdjust
	require.True(t, c.moveTSC(1<<40))
	require.Equal(t, before+1<<40, c.area.GuestTSC(w.board.stopTSC))
	require.Equal(t, adjust+1<<40, c.area.TSCAdjust)
	w.board.setTSC(5)
	require.EqualValues(t, 5, c.area.GuestTSC(w.board.stopTSC))
	w.close(t)
}

// TestTSCStays: nothing is scaled for the noise of a measurement. A host that
// cannot scale, or not that far, refuses a guest that depends on the rate.
func TestTSCStays(t *testing.T) {
	for name, c := range map[string]struct {
		from   uint64
		change func(*testHost)
		fails  bool
	}{
		"noise":           {hvtest.FakeTSCHz + hvtest.FakeTSCHz/tscTolerance, func(*testHost) {}, false},
		"cannot":          {hvtest.FakeTSCHz * 2, func(h *testHost) { h.fake.NoTSCScaling = true }, true},
		"too far":         {hvtest.FakeTSCHz * 300, func(*testHost) {}, true},
		"noise, no means": {hvtest.FakeTSCHz, func(h *testHost) { h.fake.NoTSCScaling = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := onTSC(t, c.from)
			require.True(t, v.board.parts.clock.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0), "no paravirtual clock")
			w, err := moveTo(t, v, c.change)
			v.close(t)
			if c.fails {
				require.ErrorIs(t, err, ErrConfig)
				require.ErrorContains(t, err, "there is no TSC scaling")
			} else {
				require.NoError(t, err)
				require.Zero(t, w.board.backVM.Area().TSCRatio)
				require.EqualValues(t, hvtest.FakeTSCHz, w.board.tscHz)
			}
			w.close(t)
		})
	}
}
