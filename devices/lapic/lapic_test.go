package lapic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/devices/lapic"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/hv/vcpu/apic/apictest"
	"ringo/snapshot"
	"ringo/x86"
)

const hz = 1_000_000_000

type machine struct {
	*apictest.VM
	now    uint64
	eois   []uint8
	lapics []*lapic.LAPIC
}

func newMachine(n int) *machine {
	m := &machine{VM: apictest.New(n, hz), now: 1000}
	for _, a := range m.CPU {
		m.lapics = append(m.lapics, lapic.New(m.Shared, a, lapic.Host{
			TSC:  func() uint64 { return m.now },
			Wake: m.Wake,
			EOI:  func(v uint8) { m.eois = append(m.eois, v) },
		}))
	}
	return m
}

func (m *machine) write(i int, off uint64, v uint32) {
	var p [4]byte
	devices.PutValue(p[:], uint64(v))
	m.lapics[i].Write(off, p[:])
}

func (m *machine) read(i int, off uint64) uint32 {
	var p [4]byte
	m.lapics[i].Read(off, p[:])
	return uint32(devices.Value(p[:]))
}

func TestMMIO(t *testing.T) {
	m := newMachine(2)
	m.write(0, 0xF0, 0x1FF)
	m.write(1, 0xF0, 0x1FF)
	require.Equal(t, uint32(0x1FF), m.read(0, 0xF0))
	require.Equal(t, uint32(1<<24), m.read(1, 0x20))
	m.write(0, 0x310, 1<<24)
	m.write(0, 0x300, 0x51)
	v, ok := apic.Pending(m.CPU[1])
	require.True(t, ok)
	require.Equal(t, uint8(0x51), v)
	require.Equal(t, []int{0, 1}, m.Woken)

	apic.SetIRR(m.CPU[0], 0x61, true)
	apic.Accept(m.CPU[0], 0x61)
	m.write(0, 0xB0, 0)
	require.Equal(t, []uint8{0x61}, m.eois)

	var p [2]byte
	m.lapics[0].Read(0x32, p[:])
	require.Equal(t, [2]byte{6, 0}, p, "upper half of the version")
	m.lapics[0].Write(0x80, []byte{0xFF})
	m.lapics[0].Write(0x84, []byte{1, 0, 0, 0})
	require.Zero(t, m.read(0, 0x80), "only aligned 32-bit stores count")
	require.Zero(t, m.read(0, 0x84))
}

func TestMMIOGoneInOtherModes(t *testing.T) {
	m := newMachine(1)
	require.True(t, m.lapics[0].WriteMSR(x86.MSRAPICBase, x86.APICBaseDefault|x86.APICBaseEnable|x86.APICBaseX2APIC))
	require.Equal(t, uint32(0xFFFFFFFF), m.read(0, 0x20))
	m.write(0, 0x80, 0x20)
	v, ok := m.lapics[0].ReadMSR(x86.MSRx2APICBase + vcpu.APICTPR)
	require.True(t, ok)
	require.Zero(t, v)
}

func TestMSRs(t *testing.T) {
	m := newMachine(2)
	l := m.lapics[1]
	v, ok := l.ReadMSR(x86.MSRAPICBase)
	require.True(t, ok)
	require.Equal(t, uint64(x86.APICBaseDefault|x86.APICBaseEnable), v)
	require.False(t, l.WriteMSR(x86.MSRx2APICBase+vcpu.APICTPR, 0))
	require.False(t, l.WriteMSR(x86.MSRAPICBase, 0x1000))
	require.True(t, l.WriteMSR(x86.MSRAPICBase, v|x86.APICBaseX2APIC))
	require.True(t, l.WriteMSR(x86.MSRx2APICBase+vcpu.APICSVR, 0x1FF))
	require.True(t, l.WriteMSR(x86.MSRx2APICBase+vcpu.APICLVTTimer, 2<<17|0x40))
	require.True(t, l.WriteMSR(x86.MSRTSCDeadline, 5000))
	require.Equal(t, uint64(5000), m.CPU[1].TimerTSC)
	v, ok = l.ReadMSR(x86.MSRTSCDeadline)
	require.True(t, ok)
	require.Equal(t, uint64(5000), v)
	require.True(t, l.WriteMSR(x86.MSRx2APICBase+vcpu.APICICR, 4<<8)) // NMI to vCPU 0
	require.Equal(t, uint32(vcpu.RequestNMI), m.CPU[0].Request.Load())
}

func TestLINTWakes(t *testing.T) {
	m := newMachine(1)
	apic.VirtualWire(m.CPU[0])
	m.lapics[0].LINT(apic.LINT0).Set(true)
	require.Equal(t, 1, m.Woken[0])
	require.True(t, apic.ExtINT(m.CPU[0]))
	m.lapics[0].LINT(apic.LINT1).Set(true)
	require.Equal(t, 2, m.Woken[0])
}

// busy is a vCPU 1 in the middle of everything.
func busy(t *testing.T, periodic bool) *machine {
	m := newMachine(2)
	m.write(1, 0xF0, 0x1FF)
	if periodic {
		m.write(1, 0x320, 1<<17|0x40)
	} else {
		m.write(1, 0x320, 0x40)
	}
	m.write(1, 0x3E0, 0xB)
	m.write(1, 0x380, 1_000_000)
	m.write(1, 0x80, 0x10)
	apic.SetIRR(m.CPU[1], 0x91, true)
	v, ok := apic.Pending(m.CPU[1])
	require.True(t, ok)
	apic.Accept(m.CPU[1], v)
	apic.SetIRR(m.CPU[1], 0x77, false)
	m.CPU[1].Request.Store(vcpu.RequestNMI | vcpu.RequestExit)
	m.CPU[1].ExtINT.Store(1)
	m.now += 400_000
	return m
}

func TestSnapshot(t *testing.T) {
	for _, periodic := range []bool{false, true} {
		from, to := busy(t, periodic), newMachine(2)
		require.NoError(t, from.lapics[1].Pause(t.Context()))
		from.now += 12345 // time while paused does not count
		devtest.RoundTrip(t, from.lapics[1], to.lapics[1])
		require.Equal(t, uint32(vcpu.RequestNMI), to.CPU[1].Request.Load())
		to.now = 77
		require.NoError(t, to.lapics[1].Resume())
		require.Equal(t, uint64(77+600_000), to.CPU[1].TimerTSC)
		require.Equal(t, uint32(600_000), to.read(1, 0x390))
		to.write(1, 0xB0, 0)
		require.Equal(t, []uint8{0x91}, to.eois)
		v, ok := apic.Pending(to.CPU[1])
		require.True(t, ok)
		require.Equal(t, uint8(0x77), v)
	}
}

func TestSnapshotOfAnotherCPURefused(t *testing.T) {
	m := busy(t, true)
	before := devtest.State(t, m.lapics[0])
	s := m.lapics[1].Schema()
	err := m.lapics[0].Restore(s, snapshot.NewDecoder(s, devtest.State(t, m.lapics[1])))
	require.ErrorIs(t, err, snapshot.ErrField)
	require.Equal(t, before, devtest.State(t, m.lapics[0]))
}

func FuzzAccess(f *testing.F) {
	f.Add([]byte{0x82, 0x00, 0x03, 0x41, 0, 8, 0, 0x82, 0x80, 0x03, 9, 0, 0, 0, 0xC0, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMachine(2)
		regions := []devtest.Region{{Handler: m.lapics[0], Size: 4096}, {Handler: m.lapics[1], Size: 4096}}
		devtest.Hammer(data, regions, func(n uint8) {
			m.now += uint64(n) << (n & 31)
			for i, a := range m.CPU {
				apic.TimerDue(a, m.now)
				m.lapics[i].LINT(uint32(n & 1)).Set(n&2 != 0)
				m.lapics[i].WriteMSR(x86.MSRAPICBase, x86.APICBaseDefault|uint64(n)<<8)
				m.lapics[i].WriteMSR(x86.MSRx2APICBase+uint32(n), uint64(n))
				if v, ok := apic.Pending(a); ok {
					apic.Accept(a, v)
				}
			}
		})
		for i := range m.lapics {
			require.NoError(t, m.lapics[i].Pause(t.Context()))
			fresh := newMachine(2)
			devtest.RoundTrip(t, m.lapics[i], fresh.lapics[i])
			require.NoError(t, fresh.lapics[i].Resume())
		}
	})
}

func FuzzRestore(f *testing.F) {
	m := newMachine(2)
	f.Add(devtest.State(f, m.lapics[1]))
	f.Fuzz(func(t *testing.T, p []byte) {
		m := newMachine(2)
		l := m.lapics[1]
		if l.Restore(l.Schema(), snapshot.NewDecoder(l.Schema(), p)) != nil {
			return
		}
		require.NoError(t, l.Resume())
		for off := uint64(0); off < 4096; off += 16 {
			m.read(1, off)
			m.write(1, off, 0)
		}
		apic.TimerDue(m.CPU[1], ^uint64(0))
	})
}
