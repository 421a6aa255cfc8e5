package kvmclock_test

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/devices/clock"
	"ringo/devices/devtest"
	"ringo/devices/kvmclock"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic/apictest"
	"ringo/memory"
	"ringo/snapshot"
	"ringo/x86"
)

const hz = 2_500_000_000

type fixture struct {
	*kvmclock.Clock
	clock *clock.Fake
	mem   memory.Guest
	areas []*vcpu.Area
	skew  uint64 // of the host's TSC
}

func newFixture(mem memory.Guest, skew uint64) *fixture {
	f := &fixture{clock: clock.NewFake(time.Unix(1_800_000_000, 0)), mem: mem, skew: skew}
	f.areas = []*vcpu.Area{{ID: 0}, {ID: 1}}
	f.Clock = kvmclock.New(kvmclock.Config{Clock: f.clock, Memory: mem, TSC: f.tsc, Hz: hz, Areas: f.areas})
	return f
}

func (f *fixture) tsc() uint64 {
	hi, lo := bits.Mul64(uint64(f.clock.Now()), hz)
	ticks, _ := bits.Div64(hi, lo, uint64(time.Second))
	return ticks + f.skew
}

// guestTime is what a guest computes on a vCPU from the structure at a.
func (f *fixture) guestTime(t *testing.T, cpu int, a memory.GPA) time.Duration {
	t.Helper()
	var b [32]byte
	require.NoError(t, f.mem.ReadAt(b[:], a))
	require.Zero(t, b[0]&1, "version is even")
	require.NotZero(t, b[0])
	delta := f.areas[cpu].GuestTSC(f.tsc()) - binary.LittleEndian.Uint64(b[8:])
	if shift := int8(b[28]); shift < 0 {
		delta >>= -shift
	} else {
		delta <<= shift
	}
	hi, lo := bits.Mul64(delta, uint64(binary.LittleEndian.Uint32(b[24:])))
	return time.Duration(binary.LittleEndian.Uint64(b[16:]) + hi<<32 + lo>>32)
}

func (f *fixture) flags(t *testing.T, a memory.GPA) byte {
	t.Helper()
	var b [1]byte
	require.NoError(t, f.mem.ReadAt(b[:], a+29))
	return b[0]
}

func TestSystemTime(t *testing.T) {
	f := newFixture(devtest.NewMemory(1<<16), 77)
	f.areas[1].TSCOffset = ^uint64(1_000_000 - 1)
	f.clock.Advance(time.Second)
	require.True(t, f.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0x1000|1))
	require.True(t, f.WriteMSR(1, x86.MSRKVMSystemTime, 0x1040|1), "the old number")
	f.clock.Advance(time.Hour)
	a, b := f.guestTime(t, 0, 0x1000), f.guestTime(t, 1, 0x1040)
	require.Equal(t, a, b, "all vCPUs agree, whatever their offset")
	require.InDelta(t, float64(time.Hour+time.Second), float64(a), 5000)
	require.Equal(t, byte(1), f.flags(t, 0x1000))
	v, ok := f.ReadMSR(0, x86.MSRKVMSystemTimeNew)
	require.True(t, ok)
	require.Equal(t, uint64(0x1001), v)

	f.areas[1].TSCOffset += 12345
	require.NoError(t, f.Update(1))
	require.Equal(t, f.guestTime(t, 0, 0x1000), f.guestTime(t, 1, 0x1040))
}

func TestWallClock(t *testing.T) {
	f := newFixture(devtest.NewMemory(1<<16), 0)
	f.clock.Advance(100 * time.Second)
	require.True(t, f.WriteMSR(0, x86.MSRKVMWallClockNew, 0x2000))
	var b [12]byte
	require.NoError(t, f.mem.ReadAt(b[:], 0x2000))
	require.Equal(t, uint32(2), binary.LittleEndian.Uint32(b[:]))
	require.Equal(t, uint32(1_800_000_000), binary.LittleEndian.Uint32(b[4:]), "when the system time was 0")
}

func TestRefused(t *testing.T) {
	f := newFixture(devtest.NewMemory(0x1000), 0)
	require.False(t, f.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0xFF0|1), "passes the end of RAM")
	v, _ := f.ReadMSR(0, x86.MSRKVMSystemTimeNew)
	require.Zero(t, v)
	require.False(t, f.WriteMSR(0, x86.MSRKVMWallClock, 1<<40))
	require.False(t, f.WriteMSR(2, x86.MSRKVMSystemTimeNew, 1), "no such vCPU")
	require.False(t, f.WriteMSR(0, 0x10, 1))
	_, ok := f.ReadMSR(9, x86.MSRKVMSystemTime)
	require.False(t, ok)
	require.True(t, f.WriteMSR(0, x86.MSRKVMSystemTimeNew, 1<<40), "not enabled: not touched")
	require.True(t, kvmclock.IsMSR(x86.MSRKVMWallClock))
	require.False(t, kvmclock.IsMSR(0x10))
}

func TestPauseIsNotSeen(t *testing.T) {
	f := newFixture(devtest.NewMemory(1<<16), 0)
	require.True(t, f.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0x1000|1))
	f.clock.Advance(time.Second)
	f.skew += 1_000_000_000_000 // the host's TSC went on while the clock stood
	require.NoError(t, f.Resume())
	require.InDelta(t, float64(time.Second), float64(f.guestTime(t, 0, 0x1000)), 10)
	require.Equal(t, byte(3), f.flags(t, 0x1000), "the guest is told")
}

func TestMigration(t *testing.T) {
	mem := devtest.NewMemory(1 << 16)
	f := newFixture(mem, 0)
	require.True(t, f.WriteMSR(1, x86.MSRKVMSystemTimeNew, 0x1000|1))
	f.clock.Advance(time.Minute)
	to := newFixture(mem, 1<<60)
	devtest.RoundTrip(t, f, to)
	to.clock.Advance(0)
	require.NoError(t, to.Resume())
	to.clock.Advance(time.Second)
	require.InDelta(t, float64(61*time.Second), float64(to.guestTime(t, 1, 0x1000)), 1000)
}

// watcher sees the version field at every write.
type watcher struct {
	*devtest.Memory
	versions []uint32
	fail     bool
}

func (w *watcher) WriteAt(p []byte, a memory.GPA) error {
	if w.fail {
		return errors.New("gone")
	}
	err := w.Memory.WriteAt(p, a)
	var b [4]byte
	_ = w.ReadAt(b[:], 0x1000)
	w.versions = append(w.versions, binary.LittleEndian.Uint32(b[:]))
	return err
}

func TestVersionProtocol(t *testing.T) {
	w := &watcher{Memory: devtest.NewMemory(1 << 16)}
	f := newFixture(w, 0)
	require.True(t, f.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0x1000|1))
	require.NoError(t, f.Resume())
	require.Equal(t, []uint32{1, 1, 2, 3, 3, 4}, w.versions)
	w.fail = true
	require.Error(t, f.Resume())
	f.Reset()
	require.NoError(t, f.Resume(), "nobody uses it any more")
}

func FuzzMSR(f *testing.F) {
	f.Add(uint32(x86.MSRKVMSystemTimeNew), uint64(0x1001), uint32(0))
	f.Fuzz(func(t *testing.T, msr uint32, v uint64, cpu uint32) {
		x := newFixture(devtest.NewMemory(1<<13), 5)
		require.Equal(t, false, x.WriteMSR(cpu, msr, v) && !kvmclock.IsMSR(msr))
		x.ReadMSR(cpu, msr)
		require.NoError(t, x.Resume())
		devtest.RoundTrip(t, x, newFixture(devtest.NewMemory(1<<13), 9))
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(devtest.State(f, newFixture(devtest.NewMemory(16), 0)))
	f.Fuzz(func(t *testing.T, p []byte) {
		x := newFixture(devtest.NewMemory(1<<13), 5)
		if x.Restore(x.Schema(), snapshot.NewDecoder(x.Schema(), p)) == nil {
			_ = x.Resume()
			x.WriteMSR(0, x86.MSRKVMWallClock, 0x10)
		}
	})
}

// TestScaledTSC: a guest whose TSC has a frequency of its own reads the same
// time from it.
func TestScaledTSC(t *testing.T) {
	const guestHz = 1_000_000_000
	vm := apictest.New(2, hz)
	vm.Shared.TSCRatio = vcpu.TSCRatio(guestHz, hz)
	mem := devtest.NewMemory(1 << 20)
	f := &fixture{clock: clock.NewFake(time.Unix(1_800_000_000, 0)), mem: mem, areas: vm.CPU}
	f.Clock = kvmclock.New(kvmclock.Config{Clock: f.clock, Memory: mem, TSC: f.tsc, Hz: hz, Areas: f.areas})
	f.SetTSCHz(guestHz)
	f.areas[1].TSCOffset = 12345
	for cpu, at := range []uint64{0x1001, 0x1041} {
		require.True(t, f.WriteMSR(uint32(cpu), x86.MSRKVMSystemTimeNew, at))
	}
	f.clock.Advance(3 * time.Second)
	for cpu, at := range []memory.GPA{0x1000, 0x1040} {
		require.InDelta(t, 3*time.Second, f.guestTime(t, cpu, at), 10)
	}
}
