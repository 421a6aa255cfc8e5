package vmx

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/memory/ept"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// ErrNoXSAVE says that the host does not use XSAVE, which every processor with
// unrestricted guests and FSGSBASE has.
var ErrNoXSAVE = errors.New("the processor has no XSAVE")

// Options are choices of the image.
type Options struct {
	// Mitigations is "auto" (what the processor needs), "off" or "all"; ""
	// stands for auto.
	Mitigations string
	// PatchText writes code over the image's text at addr. Nil leaves the
	// mitigation slots of the stubs empty.
	PatchText func(addr uintptr, code []byte) error
	// Without names VMX controls, as the manual does, that count as absent.
	Without []string
}

// Backend runs guests on VT-x.
type Backend struct {
	cpu      processor
	features uint32
	saveMask uint64
	patched  []string // mitigations in force

	lock    sync.Mutex
	enabled bool
	bitmap  memory.HPA // of the MSRs; 0 until the first VM
	nextID  atomic.Uint64

	// releaseLock guards releasing.
	releaseLock sync.Mutex
}

var _ vcpu.Backend = (*Backend)(nil)

// Present tells whether CPUID names VMX.
func Present() bool { return hasVMX(reg.CPUID) }

// New checks that this processor can run guests. It changes nothing but the
// mitigation slots.
func New(o Options) (*Backend, error) {
	b, err := newBackend(reg.CPUID, reg.ReadMSR, o.Without)
	if err != nil {
		return nil, err
	}
	if b.saveMask = nucleus.HostXCR0() & fittingComponents; b.saveMask&x86.XCR0SSE == 0 {
		return nil, fmt.Errorf("XCR0 is %#x: %w", nucleus.HostXCR0(), ErrNoXSAVE)
	}
	if err := b.mitigate(o); err != nil {
		return nil, err
	}
	return b, nil
}

// newBackend is the part of New that only asks CPUID and the capability MSRs.
func newBackend(cpuid cpuidFunc, rdmsr msrFunc, without []string) (*Backend, error) {
	p, err := readProcessor(cpuid, rdmsr, without)
	if err != nil {
		return nil, err
	}
	return &Backend{cpu: p, features: p.features()}, nil
}

// Name is "vmx".
func (b *Backend) Name() string { return "vmx" }

// Caps is what this processor can do.
func (b *Backend) Caps() vcpu.Caps { return b.cpu.caps() }

// Mitigations names the mitigations in force.
func (b *Backend) Mitigations() []string { return b.patched }

// NewStage2 makes an empty extended page table.
func (b *Backend) NewStage2(a memory.PageAllocator) (memory.Stage2, error) {
	t, err := ept.New(a, ept.Options{IgnorePAT: true, MaxPage: b.cpu.maxPage()})
	if err != nil {
		return nil, fmt.Errorf("extended page table: %w", err)
	}
	if b.cpu.logsPages() {
		return &stage2{Table: t}, nil
	}
	return t, nil
}

// eptp is the EPT pointer for a table.
func (b *Backend) eptp(root memory.HPA) uint64 {
	p := uint64(root) | eptpWalk4 | eptpWriteBack
	if b.cpu.eptVPID&eptAccessed != 0 {
		p |= eptpAccessed
	}
	return p
}

// msrBitmap gives the MSR bitmap, which all VMs share. Behind it is the one for
// a vCPU whose APIC the processor virtualizes.
func (b *Backend) msrBitmap() (memory.HPA, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.bitmap == 0 {
		pa, err := allocContiguous(2 * bitmapSize)
		if err != nil {
			return 0, fmt.Errorf("MSR bitmaps, %d bytes: %w", 2*bitmapSize, err)
		}
		p := unsafe.Slice((*byte)(frames().Pointer(pa)), 2*bitmapSize)
		fillBitmap(p[:bitmapSize])
		fillBitmap(p[bitmapSize:])
		passVirtualAPIC(p[bitmapSize:], b.features&featureClosed == 0)
		b.bitmap = pa
	}
	return b.bitmap, nil
}
