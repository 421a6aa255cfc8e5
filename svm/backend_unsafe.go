package svm

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/memory/npt"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// Options are choices of the image.
type Options struct {
	// Mitigations is "auto" (what the processor needs), "off" or "all"; ""
	// stands for auto.
	Mitigations string
	// PatchText writes code over the image's text at addr. Nil leaves the
	// mitigation slots of the stubs empty.
	PatchText func(addr uintptr, code []byte) error
}

// Backend runs guests on AMD-V.
type Backend struct {
	cpu      processor
	features uint32
	saveMask uint64
	patched  []string // mitigations in force

	lock        sync.Mutex
	enabled     bool
	permissions memory.HPA // IOPM, MSRPM, MSRPM of foreign VMs; 0 until the first VM
	nextID      atomic.Uint64
}

var _ vcpu.Backend = (*Backend)(nil)

// New checks that this processor can run guests. It changes nothing but the
// mitigation slots.
func New(o Options) (*Backend, error) {
	b, err := newBackend(reg.CPUID)
	if err != nil {
		return nil, err
	}
	if b.features&featureXSAVE != 0 {
		b.saveMask = nucleus.HostXCR0() & fittingComponents
	}
	if err := b.mitigate(o); err != nil {
		return nil, err
	}
	return b, nil
}

// newBackend is the part of New that only asks CPUID.
func newBackend(cpuid cpuidFunc) (*Backend, error) {
	b := &Backend{cpu: readProcessor(cpuid)}
	switch {
	case !b.cpu.svm:
		return nil, fmt.Errorf("CPUID 8000_0001H ECX bit 2 is clear: %w", ErrNoSVM)
	case !b.cpu.has(x86.CPUID8000000AEDXNP):
		return nil, fmt.Errorf("CPUID 8000_000AH EDX is %#x: %w", b.cpu.edx, ErrNoNestedPaging)
	case b.cpu.asids < 2:
		return nil, fmt.Errorf("CPUID 8000_000AH EBX offers %d address space identifiers, at least 2 are needed: %w", b.cpu.asids, ErrNoSVM)
	}
	b.features = b.cpu.features()
	return b, nil
}

// Name is "svm".
func (b *Backend) Name() string { return "svm" }

// Caps is what this processor can do.
func (b *Backend) Caps() vcpu.Caps { return b.cpu.caps() }

// Mitigations names the mitigations in force.
func (b *Backend) Mitigations() []string { return b.patched }

// limits are the processor's bounds for the consistency checks.
func (b *Backend) limits() limits {
	return limits{physBits: b.cpu.physBits, asids: b.cpu.asids, longMode: b.cpu.longMode}
}

// NewStage2 makes an empty nested page table.
func (b *Backend) NewStage2(a memory.PageAllocator) (memory.Stage2, error) {
	t, err := npt.New(a, npt.Options{PAT: hostPAT(), MaxPage: b.Caps().MaxPage})
	if err != nil {
		return nil, fmt.Errorf("nested page table: %w", err)
	}
	return t, nil
}

// hostPAT is the PAT that nested page tables are read with. Tests replace it.
var hostPAT = func() uint64 { return reg.ReadMSR(x86.MSRPAT) }

// maps gives the IOPM, which all VMs share; behind it are the MSRPM and the one
// of VMs that act foreign.
func (b *Backend) maps() (iopm memory.HPA, err error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.permissions == 0 {
		const size = IOPMSize + 2*MSRPMSize
		pa, err := allocContiguous(size)
		if err != nil {
			return 0, fmt.Errorf("permission maps, %d bytes: %w", size, err)
		}
		p := unsafe.Slice((*byte)(frames().Pointer(pa)), size)
		specCtrl := b.cpu.has(x86.CPUID8000000AEDXSpecCtrlVirt)
		fillIOPM(p[:IOPMSize])
		fillMSRPM(p[IOPMSize:][:MSRPMSize], specCtrl)
		fillForeignMSRPM(p[IOPMSize+MSRPMSize:], specCtrl)
		b.permissions = pa
	}
	return b.permissions, nil
}
