package hvtest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/memory"
	"ringo/memory/npt"
)

// FakeTSCHz is the frequency of a Fake's time stamp counter.
const FakeTSCHz = 1_000_000_000

// Fake is a Backend that interprets the guest's instructions. It knows those
// that tiny guests are made of; any other is an exit of KindUnknown.
type Fake struct {
	// LengthUnknown leaves Exit.Len 0, as a processor without next-RIP does.
	LengthUnknown bool
	// NoTSCScaling gives every guest the TSC frequency of the host.
	NoTSCScaling bool

	start  time.Time
	frames memory.PageAllocator
}

// NewFake makes a backend whose guests have their memory from frames.
func NewFake(frames memory.PageAllocator) *Fake {
	return &Fake{start: time.Now(), frames: frames}
}

// Name implements vcpu.Backend.
func (f *Fake) Name() string { return "fake" }

// Caps implements vcpu.Backend.
func (f *Fake) Caps() vcpu.Caps {
	return vcpu.Caps{
		NextRIP: !f.LengthUnknown, TSCScaling: !f.NoTSCScaling, PhysAddrBits: 40, MaxPage: memory.Page2M,
	}
}

// EnableCPU implements vcpu.Backend.
func (f *Fake) EnableCPU() error { return nil }

// DisableCPU implements vcpu.Backend.
func (f *Fake) DisableCPU() error { return nil }

// TSC is the time stamp counter that its guests see before their offset.
func (f *Fake) TSC() uint64 { return uint64(time.Since(f.start)) }

// NewStage2 implements vcpu.Backend.
func (f *Fake) NewStage2(a memory.PageAllocator) (memory.Stage2, error) {
	return npt.New(a, npt.Options{})
}

// NewVM implements vcpu.Backend.
func (f *Fake) NewVM(s2 memory.Stage2) (vcpu.VM, error) {
	return &fakeVM{fake: f, stage2: s2, area: &vcpu.VMArea{TSCPerSec: FakeTSCHz}}, nil
}

// fakeVM is the VM of a Fake.
type fakeVM struct {
	fake   *Fake
	stage2 memory.Stage2
	area   *vcpu.VMArea
	// foreign guests leave at #UD.
	foreign bool

	mu   sync.Mutex
	cpus []*fakeCPU
}

// Area implements vcpu.VM.
func (m *fakeVM) Area() *vcpu.VMArea { return m.area }

// ActForeign implements vcpu.Foreign.
func (m *fakeVM) ActForeign() { m.foreign = true }

// NewVCPU implements vcpu.VM.
func (m *fakeVM) NewVCPU(id uint32) (vcpu.VCPU, error) {
	if id >= vcpu.MaxVCPUs {
		return nil, fmt.Errorf("vCPU %d: %w: at most %d", id, vcpu.ErrUnsupported, vcpu.MaxVCPUs)
	}
	v := &fakeCPU{vm: m, area: &vcpu.Area{ID: id}, kick: make(chan struct{}, 1)}
	v.area.VM = addressOf(m.area)
	v.mem.cpu = v
	v.s.Reset()
	apic.Reset(v.area)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cpus = append(m.cpus, v) // keeps the Area alive while others hold its address
	m.area.Areas[id] = addressOf(v.area)
	m.area.NumVCPUs = max(m.area.NumVCPUs, id+1)
	return v, nil
}

// Close implements vcpu.VM.
func (m *fakeVM) Close() error {
	for _, v := range m.cpus {
		if !v.closed.Load() {
			return errors.New("a vCPU is still open")
		}
	}
	return nil
}
