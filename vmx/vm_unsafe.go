package vmx

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/memory"
	"ringo/x86"
)

// errInUse is returned by Close of a VM that has vCPUs.
var errInUse = errors.New("the VM still has vCPUs")

// Sizes in bytes of what a VM and a vCPU take outside the Go heap.
const (
	vmBytes   = uint64(unsafe.Sizeof(vcpu.VMArea{}))
	vcpuBytes = uint64(unsafe.Sizeof(vcpuMem{}))
)

// flusher is a stage-2 table that asks its users to forget translations.
type flusher interface{ OnFlush(func()) }

// VM groups the vCPUs that share a stage-2 table.
type VM struct {
	backend *Backend
	stage2  memory.Stage2
	area    *vcpu.VMArea
	pa      memory.HPA
	bitmap  memory.HPA
	foreign bool

	lock  sync.RWMutex // vcpus, and against Kick of a vCPU that closes
	vcpus []*VCPU
}

// NewVM makes the memory that a VM's vCPUs share.
func (b *Backend) NewVM(s2 memory.Stage2) (vcpu.VM, error) {
	bitmap, err := b.msrBitmap()
	if err != nil {
		return nil, err
	}
	pa, err := allocContiguous(vmBytes)
	if err != nil {
		return nil, fmt.Errorf("memory of a VM, %d bytes: %w", vmBytes, err)
	}
	vm := &VM{backend: b, stage2: s2, pa: pa, bitmap: bitmap}
	vm.area = (*vcpu.VMArea)(frames().Pointer(pa))
	vm.area.TSCPerSec = tscFrequency()
	vm.area.Stage2Generation.Store(s2.Generation())
	if t, ok := s2.(flusher); ok {
		t.OnFlush(vm.flush)
	}
	if t, ok := s2.(*stage2); ok {
		t.use(vm)
	}
	return vm, nil
}

// Area is what the VM's vCPUs share.
func (vm *VM) Area() *vcpu.VMArea { return vm.area }

// ActForeign implements vcpu.Foreign.
func (vm *VM) ActForeign() { vm.foreign = true }

// NewVCPU makes vCPU number id in the state after RESET. All vCPUs of a VM are
// made before the first of them runs.
func (vm *VM) NewVCPU(id uint32) (vcpu.VCPU, error) {
	if id >= vcpu.MaxVCPUs {
		return nil, fmt.Errorf("vCPU %d: a VM has at most %d", id, vcpu.MaxVCPUs)
	}
	if vm.area.Vcpu(id) != nil {
		return nil, fmt.Errorf("vCPU %d exists already", id)
	}
	pa, err := allocContiguous(vcpuBytes)
	if err != nil {
		return nil, fmt.Errorf("memory of vCPU %d, %d bytes: %w", id, vcpuBytes, err)
	}
	c := (*vcpuMem)(frames().Pointer(pa))
	v := &VCPU{c: c, pa: pa, vm: vm}
	vm.initVCPU(v, id)
	if t, ok := vm.stage2.(*stage2); ok {
		t.join(v)
	}
	vm.lock.Lock()
	defer vm.lock.Unlock()
	vm.vcpus = append(vm.vcpus, v)
	vm.area.Areas[id] = uintptr(unsafe.Pointer(&c.area))
	vm.area.NumVCPUs = max(vm.area.NumVCPUs, id+1)
	return v, nil
}

// initVCPU fills the memory of a new vCPU.
func (vm *VM) initVCPU(v *VCPU, id uint32) {
	b, c := vm.backend, v.c
	c.guest.Weight = 100
	c.vmcsPA = uint64(v.pa) + uint64(unsafe.Offsetof(c.vmcs))
	c.apicPA = uint64(v.pa) + uint64(unsafe.Offsetof(c.area)) + uint64(unsafe.Offsetof(c.area.APIC))
	c.logPA = uint64(v.pa) + uint64(unsafe.Offsetof(c.log))
	c.bitmapPA, c.eptp = uint64(vm.bitmap), b.eptp(vm.stage2.Root())
	setRevision(memory.HPA(c.vmcsPA), b.cpu.revision())
	c.saveMask, c.features, c.controls = b.saveMask, b.features, b.cpu.controls.start()
	c.exceptions = exceptionBitmap
	if vm.foreign {
		c.exceptions |= 1 << x86.VectorUD
	}
	c.wake = ^uint64(0)
	c.wantPrimary = c.controls.primary | PrimaryMOVDRExiting
	c.stay = stayTicks(vm.area.TSCPerSec, b.cpu.misc)
	c.id, c.vpid = b.nextID.Add(1), id+1
	c.area.ID = id
	c.area.Sched = uintptr(unsafe.Pointer(&c.guest))
	c.area.VM = uintptr(unsafe.Pointer(vm.area))
	apic.Reset(&c.area)
	var s x86.State
	s.Reset()
	for _, x := range transfers {
		x.load(c, &s)
	}
	c.enterState()
	c.changed(partAll)
}

// flush returns when no CPU uses a translation older than the call. A vCPU
// takes the new generation over before its next entry, so only those inside
// have to be kicked.
func (vm *VM) flush() {
	g := vm.stage2.Generation()
	raiseTo(&vm.area.Stage2Generation, g)
	vm.lock.RLock()
	defer vm.lock.RUnlock()
	for _, v := range vm.vcpus {
		if v.c.behind(g) {
			kickGuest(&v.c.guest)
		}
	}
	for _, v := range vm.vcpus {
		for spins := 0; v.c.behind(g); spins++ {
			if spins < flushSpins {
				runtime.Gosched()
			} else {
				time.Sleep(flushSleep)
			}
		}
	}
}

const (
	flushSpins = 200
	flushSleep = 20 * time.Microsecond
)

// behind tells whether the vCPU may use translations older than generation g.
func (c *vcpuMem) behind(g uint64) bool { return c.active.Load() != 0 && c.ack.Load() < g }

// raiseTo sets a to v unless it is higher.
func raiseTo(a *atomic.Uint64, v uint64) {
	for old := a.Load(); old < v && !a.CompareAndSwap(old, v); {
		old = a.Load()
	}
}

// remove takes a vCPU that closes out of the VM. Its memory is not used after.
func (vm *VM) remove(v *VCPU) {
	vm.lock.Lock()
	defer vm.lock.Unlock()
	vm.area.Areas[v.c.area.ID] = 0
	for i, x := range vm.vcpus {
		if x == v {
			vm.vcpus = append(vm.vcpus[:i], vm.vcpus[i+1:]...)
			break
		}
	}
	v.c = nil
}

// Close frees what NewVM took.
func (vm *VM) Close() error {
	vm.lock.Lock()
	defer vm.lock.Unlock()
	if n := len(vm.vcpus); n != 0 {
		return fmt.Errorf("%d left: %w", n, errInUse)
	}
	if vm.area == nil {
		return vcpu.ErrClosed
	}
	vm.area = nil
	if t, ok := vm.stage2.(flusher); ok {
		t.OnFlush(nil)
	}
	if t, ok := vm.stage2.(*stage2); ok {
		t.use(nil)
	}
	freeContiguous(vm.pa, vmBytes)
	return nil
}
