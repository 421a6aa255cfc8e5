package apic_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/hv/vcpu/apic/apictest"
	"ringo/x86"
)

const (
	hz     = 2_500_000_000 // 2.5 ticks per ns
	xapic  = x86.APICBaseDefault | x86.APICBaseEnable
	x2apic = xapic | x86.APICBaseX2APIC
)

// newVM makes n vCPUs with their APICs enabled by software, in x2APIC mode if
// x2 says so.
func newVM(t require.TestingT, n int, x2 bool) *apictest.VM {
	vm := apictest.New(n, hz)
	for _, a := range vm.CPU {
		if x2 {
			require.Equal(t, apic.ActionLook, apic.WriteBase(a, x2apic|a.APICBase&x86.APICBaseBSP, 0))
		}
		require.Equal(t, apic.ActionLook, apic.Write(a, vcpu.APICSVR, 0x1FF, 0))
	}
	return vm
}

func read(t require.TestingT, a *vcpu.Area, r uint32) uint64 {
	v, ok := apic.Read(a, r, 0)
	require.True(t, ok, "register %#x", r)
	return v
}

func TestPowerUp(t *testing.T) {
	vm := apictest.New(2, hz)
	a := vm.CPU[1]
	require.Equal(t, uint64(xapic), a.APICBase)
	require.Equal(t, uint64(xapic|x86.APICBaseBSP), vm.CPU[0].APICBase)
	require.Equal(t, uint64(1<<24), read(t, a, vcpu.APICID))
	require.Equal(t, uint64(0x60014), read(t, a, vcpu.APICVersion))
	require.Equal(t, uint64(0xFF), read(t, a, vcpu.APICSVR))
	require.Equal(t, uint64(0xFFFFFFFF), read(t, a, vcpu.APICDFR))
	require.Equal(t, uint64(0x10000), read(t, a, vcpu.APICLVTLINT0))
	require.Equal(t, apic.ActionLook, apic.Write(a, vcpu.APICLVTTimer, 0x30, 0))
	require.Equal(t, uint64(0x10030), read(t, a, vcpu.APICLVTTimer), "software-disabled: the mask stays")
}

func TestBaseTransitions(t *testing.T) {
	const (
		off     = x86.APICBaseDefault
		invalid = x86.APICBaseDefault | x86.APICBaseX2APIC
	)
	allowed := map[[2]uint64]bool{
		{off, off}: true, {off, xapic}: true,
		{xapic, xapic}: true, {xapic, x2apic}: true, {xapic, off}: true,
		{x2apic, x2apic}: true, {x2apic, off}: true,
	}
	reach := map[uint64][]uint64{off: {off}, xapic: nil, x2apic: {x2apic}}
	for from, path := range reach {
		for _, to := range []uint64{off, xapic, x2apic, invalid} {
			a := apictest.New(2, hz).CPU[1]
			for _, v := range path {
				require.Zero(t, apic.WriteBase(a, v, 0)&apic.ActionGP)
			}
			act := apic.WriteBase(a, to, 0)
			require.Equal(t, !allowed[[2]uint64{from, to}], act&apic.ActionGP != 0, "%#x to %#x", from, to)
		}
	}
	a := apictest.New(1, hz).CPU[0]
	for _, v := range []uint64{xapic + 0x1000, xapic | 1, xapic | 1<<9, xapic | 1<<52} {
		require.Equal(t, apic.ActionGP, apic.WriteBase(a, v, 0), "%#x", v)
	}
	require.NotZero(t, apic.WriteMSR(a, x86.MSRx2APICBase+vcpu.APICTPR, 0, 0)&apic.ActionGP, "MSRs exist in x2APIC mode only")
	_, ok := apic.ReadMSR(a, x86.MSRx2APICBase+vcpu.APICTPR, 0)
	require.False(t, ok)
}

func TestDisableClears(t *testing.T) {
	vm := newVM(t, 1, true)
	a := vm.CPU[0]
	apic.SetIRR(a, 0x50, false)
	apic.Write(a, vcpu.APICInitCount, 1000, 0)
	require.NotZero(t, a.TimerTSC)
	require.Equal(t, apic.ActionTimer|apic.ActionLook, apic.WriteBase(a, x86.APICBaseDefault, 0))
	_, ok := apic.Pending(a)
	require.False(t, ok)
	require.Zero(t, a.TimerTSC)
	apic.Deliver(vm.Shared, apic.Message{Dest: 0, Vector: 0x60}, vm.Wake)
	_, ok = apic.Pending(a)
	require.False(t, ok, "a disabled APIC receives nothing")
	require.Zero(t, apic.WriteBase(a, xapic, 0)&apic.ActionGP)
	require.Equal(t, uint64(0), read(t, a, vcpu.APICID))
}

func TestPriorityAndEOI(t *testing.T) {
	a := newVM(t, 1, false).CPU[0]
	take := func(want uint8) {
		t.Helper()
		v, ok := apic.Pending(a)
		require.True(t, ok)
		require.Equal(t, want, v)
		apic.Accept(a, v)
	}
	blocked := func() {
		t.Helper()
		_, ok := apic.Pending(a)
		require.False(t, ok)
	}
	blocked()
	apic.SetIRR(a, 0x35, false)
	apic.SetIRR(a, 0x41, true)
	apic.SetIRR(a, 0x31, false)
	take(0x41)
	require.Equal(t, uint64(0x40), read(t, a, vcpu.APICPPR))
	blocked() // lower class
	apic.SetIRR(a, 0x4F, false)
	blocked() // the same class does not interrupt
	apic.SetIRR(a, 0x50, false)
	take(0x50)
	require.Zero(t, apic.EOI(a)&apic.ActionEOI, "edge-triggered")
	act := apic.EOI(a)
	require.Equal(t, apic.ActionEOI|apic.ActionLook, act&^0xFF)
	require.Equal(t, uint8(0x41), act.Vector())
	take(0x4F)
	apic.EOI(a)
	require.Equal(t, apic.ActionLook, apic.Write(a, vcpu.APICTPR, 0x30, 0))
	blocked()
	apic.Write(a, vcpu.APICTPR, 0x2F, 0)
	take(0x35)
	apic.EOI(a)
	take(0x31)
	require.Equal(t, apic.ActionLook, apic.EOI(a), "PendingIRQ is still up")
	blocked()
	require.Zero(t, a.PendingIRQ.Load(), "cleared when IRR is empty")
	require.Zero(t, apic.EOI(a), "nothing in service")
	apic.SetIRR(a, 0x41, false)
	take(0x41)
	require.Zero(t, apic.EOI(a)&apic.ActionEOI, "TMR follows the last trigger mode")
}

// TestPriorityModel compares with a slow model over sets.
func TestPriorityModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newVM(t, 1, rapid.Bool().Draw(t, "x2")).CPU[0]
		irr, isr, tpr := map[int]bool{}, map[int]bool{}, 0
		highest := func(m map[int]bool) int {
			h := 0
			for v := range m {
				h = max(h, v)
			}
			return h
		}
		ppr := func() int {
			if h := highest(isr); h>>4 > tpr>>4 {
				return h & 0xF0
			}
			return tpr
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				v := rapid.IntRange(16, 255).Draw(t, "v")
				irr[v] = true
				apic.SetIRR(a, uint8(v), rapid.Bool().Draw(t, "level"))
			},
			"tpr": func(t *rapid.T) {
				tpr = rapid.IntRange(0, 255).Draw(t, "tpr")
				apic.Write(a, vcpu.APICTPR, uint64(tpr), 0)
			},
			"eoi": func(t *rapid.T) {
				apic.Write(a, vcpu.APICEOI, 0, 0)
				delete(isr, highest(isr))
			},
			"take": func(t *rapid.T) {
				v, ok := apic.Pending(a)
				h := highest(irr)
				require.Equal(t, h>>4 > ppr()>>4, ok)
				if ok {
					require.Equal(t, h, int(v))
					apic.Accept(a, v)
					delete(irr, h)
					isr[h] = true
				}
			},
			"": func(t *rapid.T) { require.Equal(t, uint64(ppr()), read(t, a, vcpu.APICPPR)) },
		})
	})
}

// TestReturn gives an accepted interrupt back: it is pending as before, and
// the priority is that of what is still in service.
func TestReturn(t *testing.T) {
	a := newVM(t, 1, true).CPU[0]
	apic.SetIRR(a, 0x31, false)
	low, ok := apic.Pending(a)
	require.True(t, ok)
	apic.Accept(a, low)
	apic.SetIRR(a, 0x52, false)
	high, ok := apic.Pending(a)
	require.True(t, ok)
	apic.Accept(a, high)
	_, ok = apic.Pending(a)
	require.False(t, ok)
	apic.Return(a, high)
	require.EqualValues(t, 0x30, read(t, a, vcpu.APICPPR))
	v, ok := apic.Pending(a)
	require.True(t, ok)
	require.EqualValues(t, 0x52, v)
}

func TestX2APICReservedGivesGP(t *testing.T) {
	a := newVM(t, 1, true).CPU[0]
	before := a.APIC
	for r := uint32(0); r < 0x100; r++ {
		_, ok := apic.Read(a, r, 0)
		readOnly := r == vcpu.APICID || r == vcpu.APICVersion || r == vcpu.APICPPR || r == vcpu.APICLDR ||
			r >= vcpu.APICISR && r < vcpu.APICESR || r == vcpu.APICCurCount
		writeOnly := r == vcpu.APICEOI || r == vcpu.APICSelfIPI
		lvt := r == vcpu.APICLVTCMCI || r >= vcpu.APICLVTTimer && r <= vcpu.APICLVTError
		both := lvt || r == vcpu.APICTPR || r == vcpu.APICSVR || r == vcpu.APICESR || r == vcpu.APICICR ||
			r == vcpu.APICInitCount || r == vcpu.APICDivide
		require.Equal(t, readOnly || both, ok, "read %#x", r)
		if !both && !writeOnly {
			require.Equal(t, apic.ActionGP, apic.Write(a, r, 0, 0), "write %#x", r)
		} else if r != vcpu.APICICR {
			require.Equal(t, apic.ActionGP, apic.Write(a, r, 1<<32, 0), "reserved bits of %#x", r)
		} else {
			require.Equal(t, apic.ActionGP, apic.Write(a, r, 1<<20, 0), "reserved bits of %#x", r)
		}
	}
	require.Equal(t, before, a.APIC, "a fault changes nothing")
}

func TestXAPICReservedSetsESR(t *testing.T) {
	a := newVM(t, 1, false).CPU[0]
	require.Equal(t, apic.ActionLook, apic.Write(a, vcpu.APICLVTError, 0x77, 0))
	require.Zero(t, read(t, a, 0x3D))
	apic.Write(a, 0x00, 5, 0)
	require.Zero(t, read(t, a, vcpu.APICESR), "latched by a write only")
	apic.Write(a, vcpu.APICESR, 0, 0)
	require.Equal(t, uint64(1<<7), read(t, a, vcpu.APICESR))
	v, ok := apic.Pending(a)
	require.True(t, ok)
	require.Equal(t, uint8(0x77), v, "LVT error interrupt")
	apic.Write(a, vcpu.APICESR, 0, 0)
	require.Zero(t, read(t, a, vcpu.APICESR))
}

func TestSoftwareDisable(t *testing.T) {
	vm := newVM(t, 1, false)
	a := vm.CPU[0]
	apic.Write(a, vcpu.APICLVTLINT1, 0x400, 0)
	apic.SetIRR(a, 0x40, false)
	apic.Write(a, vcpu.APICSVR, 0xFF, 0)
	require.Equal(t, uint64(0x10400), read(t, a, vcpu.APICLVTLINT1))
	apic.Deliver(vm.Shared, apic.Message{Vector: 0x90}, vm.Wake)
	require.Zero(t, vm.Woken[0])
	v, ok := apic.Pending(a)
	require.True(t, ok, "what was pending is held")
	require.Equal(t, uint8(0x40), v)
	for _, mode := range []uint8{apic.DeliveryNMI, apic.DeliveryINIT, apic.DeliveryStartUp} {
		apic.Deliver(vm.Shared, apic.Message{Mode: mode, Vector: 0x12}, vm.Wake)
	}
	require.Equal(t, uint32(vcpu.RequestNMI|vcpu.RequestINIT|vcpu.RequestSIPI), a.Request.Load())
	require.Equal(t, uint32(0x12), a.SIPI.Load())
}

func TestLINT(t *testing.T) {
	a := newVM(t, 1, false).CPU[0]
	require.False(t, apic.Signal(a, apic.LINT0, true), "masked")
	require.False(t, apic.ExtINT(a))
	apic.Write(a, vcpu.APICLVTLINT0, 0x700, 0)
	require.True(t, apic.ExtINT(a), "unmasked while the line is up")
	require.False(t, apic.Signal(a, apic.LINT0, true), "no change")
	apic.Signal(a, apic.LINT0, false)
	require.False(t, apic.ExtINT(a))
	require.True(t, apic.Signal(a, apic.LINT0, true))

	apic.Signal(a, apic.LINT0, false)
	apic.Write(a, vcpu.APICLVTLINT0, 0x33, 0)
	require.True(t, apic.Signal(a, apic.LINT0, true))
	v, ok := apic.Pending(a)
	require.True(t, ok)
	require.Equal(t, uint8(0x33), v, "fixed mode")
	require.False(t, apic.ExtINT(a))

	require.False(t, apic.Signal(a, apic.LINT1, true), "masked")
	apic.Write(a, vcpu.APICLVTLINT1, 0x400, 0)
	require.True(t, apic.Signal(a, apic.LINT1, true))
	require.Equal(t, uint32(vcpu.RequestNMI), a.Request.Load())

	apic.Reset(a)
	apic.VirtualWire(a)
	require.True(t, apic.Signal(a, apic.LINT0, true))
	require.True(t, apic.ExtINT(a))

	apic.WriteBase(a, x86.APICBaseDefault|x86.APICBaseBSP, 0)
	a.Request.Store(0)
	require.True(t, apic.ExtINT(a), "without an APIC, LINT0 is INTR")
	require.True(t, apic.Signal(a, apic.LINT1, true))
	require.Equal(t, uint32(vcpu.RequestNMI), a.Request.Load())
}

func TestExportImport(t *testing.T) {
	for _, x2 := range []bool{false, true} {
		from, to := newVM(t, 2, x2).CPU[1], apictest.New(2, hz).CPU[1]
		apic.SetIRR(from, 0x61, true)
		apic.SetIRR(from, 0x91, false)
		v, ok := apic.Pending(from)
		require.True(t, ok)
		apic.Accept(from, v)
		apic.SetIRR(from, 0x55, false) // on its way to IRR
		var regs [apic.StateRegs]uint32
		errors := apic.Export(from, &regs)
		require.True(t, apic.Import(to, from.APICBase, &regs, errors))
		require.Equal(t, from.APIC, to.APIC)
		apic.EOI(to)
		v, ok = apic.Pending(to)
		require.True(t, ok)
		require.Equal(t, uint8(0x61), v)
		apic.Accept(to, v)
		apic.EOI(to)
		v, ok = apic.Pending(to)
		require.True(t, ok)
		require.Equal(t, uint8(0x55), v)

		bad := regs
		bad[vcpu.APICID] ^= 1
		require.False(t, apic.Import(to, from.APICBase, &bad, 0))
		require.False(t, apic.Import(to, from.APICBase|1, &regs, 0))
		require.False(t, apic.Import(to, from.APICBase^x86.APICBaseX2APIC, &regs, 0))
	}
}
