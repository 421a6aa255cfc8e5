package vmx

import (
	"errors"
	"fmt"

	"ringo/memory"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

var (
	// ErrNoVMX says that the processor has no VT-x.
	ErrNoVMX = errors.New("the processor has no VMX (VT-x)")
	// ErrDisabled says that the firmware has disabled VT-x.
	ErrDisabled = errors.New("VMX is disabled by the firmware")
	// ErrVMXON says that a CPU cannot enter VMX operation.
	ErrVMXON = errors.New("VMX operation cannot be entered")
)

// Bits of IA32_FEATURE_CONTROL (SDM volume 3C, section 24.7 "Enabling and
// Entering VMX Operation").
const (
	featureControlLock = 1 << 0
	featureControlVMX  = 1 << 2 // outside SMX operation
)

// enableStatus is how EnableCPU ended on a CPU.
type enableStatus uint32

const (
	statusOff enableStatus = iota
	statusOn
	statusLocked // IA32_FEATURE_CONTROL is locked without VMX
	statusCR0    // a fixed bit of CR0 is wrong
	statusCR4    // the same for CR4
	statusVMXON  // VMXON failed
)

// enabling holds the arguments of enableThisCPU, which takes none.
var enabling struct {
	cr0Fixed0, cr0Fixed1, cr4Fixed0, cr4Fixed1 uint64
	rdtscp                                     bool
}

// EnableCPU turns VMX on, on every running CPU at once, because a goroutine
// does not stay on one. Calling it again, as for each CPU, does nothing more.
func (b *Backend) EnableCPU() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.enabled {
		return nil
	}
	initHostImage()
	enabling.cr0Fixed0, enabling.cr0Fixed1 = b.cpu.cr0Fixed0, b.cpu.cr0Fixed1
	enabling.cr4Fixed0, enabling.cr4Fixed1 = b.cpu.cr4Fixed0, b.cpu.cr4Fixed1
	enabling.rdtscp = b.features&featureRDTSCP != 0
	for i := range uint32(nucleus.CPUs()) {
		if err := b.giveVMXON(i); err != nil {
			return err
		}
	}
	nucleus.SetGuestRun(run)
	nucleus.OnEachCPU(enableThisCPU)
	for i := range uint32(nucleus.CPUs()) {
		if err := b.statusError(i, cpuRecord(nucleus.VendorOf(i))); err != nil {
			return err
		}
	}
	b.enabled = true
	return nil
}

// giveVMXON gives a CPU its VMXON region.
func (b *Backend) giveVMXON(cpu uint32) error {
	p := cpuRecord(nucleus.VendorOf(cpu))
	p.number = cpu
	if p.vmxonPA != 0 {
		return nil
	}
	pa, err := allocContiguous(pageSize)
	if err != nil {
		return fmt.Errorf("VMXON region of CPU %d, %d bytes: %w", cpu, pageSize, err)
	}
	setRevision(pa, b.cpu.revision())
	p.vmxonPA = uint64(pa)
	return nil
}

// statusError says why a CPU is not in VMX operation.
func (b *Backend) statusError(cpu uint32, p *perCPU) error {
	switch enableStatus(p.status) {
	case statusOn:
		return nil
	case statusLocked:
		return fmt.Errorf("CPU %d: IA32_FEATURE_CONTROL is locked at %#x without VMX outside SMX: %w; "+
			"enable VT-x or virtualization in the firmware's setup", cpu, p.found, ErrDisabled)
	case statusCR0:
		return fmt.Errorf("CPU %d: CR0 is %#x, but VMX wants the bits %#x set and allows only %#x: %w",
			cpu, p.found, b.cpu.cr0Fixed0, b.cpu.cr0Fixed1, ErrVMXON)
	case statusCR4:
		return fmt.Errorf("CPU %d: CR4 is %#x, but VMX wants the bits %#x set and allows only %#x: %w",
			cpu, p.found, b.cpu.cr4Fixed0, b.cpu.cr4Fixed1, ErrVMXON)
	}
	return fmt.Errorf("CPU %d: VMXON of the region at %#x failed with status %d: %w", cpu, p.vmxonPA, p.found, ErrVMXON)
}

// enableThisCPU runs in the nucleus on each CPU (SDM volume 3C, section 24.7).
func enableThisCPU() {
	p, f := cpuRecord(nucleus.VendorCPU()), &enabling
	if enableStatus(p.status) == statusOn {
		return
	}
	fc := reg.ReadMSR(x86.MSRFeatureControl)
	if fc&featureControlLock == 0 {
		fc |= featureControlLock | featureControlVMX
		reg.WriteMSR(x86.MSRFeatureControl, fc)
	}
	p.found = fc
	if fc&featureControlVMX == 0 {
		p.status = uint32(statusLocked)
		return
	}
	cr0 := reg.ReadCR0()
	p.found = cr0
	if cr0&f.cr0Fixed0 != f.cr0Fixed0 || cr0&^f.cr0Fixed1 != 0 {
		p.status = uint32(statusCR0)
		return
	}
	cr4 := reg.ReadCR4() | x86.CR4VMXE
	p.found = cr4
	if cr4&f.cr4Fixed0 != f.cr4Fixed0 || cr4&^f.cr4Fixed1 != 0 {
		p.status = uint32(statusCR4)
		return
	}
	reg.WriteCR4(cr4)
	if p.found = vmxon(&p.vmxonPA); p.found != 0 {
		reg.WriteCR4(cr4 &^ x86.CR4VMXE)
		p.status = uint32(statusVMXON)
		return
	}
	p.noteHost()
	p.status = uint32(statusOn)
}

// noteHost remembers the registers that guests share with the host.
func (p *perCPU) noteHost() {
	p.hostXCR0 = nucleus.HostXCR0()
	p.syscall.star = reg.ReadMSR(x86.MSRSTAR)
	p.syscall.lstar = reg.ReadMSR(x86.MSRLSTAR)
	p.syscall.sfmask = reg.ReadMSR(x86.MSRSFMASK)
	p.kernelGS = reg.ReadMSR(x86.MSRKernelGSBase)
	if enabling.rdtscp {
		p.tscAux = reg.ReadMSR(x86.MSRTSCAux)
	}
}

// DisableCPU turns VMX off on every CPU. No vCPU exists any more.
func (b *Backend) DisableCPU() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	if !b.enabled {
		return nil
	}
	nucleus.OnEachCPU(disableThisCPU)
	for i := range uint32(nucleus.CPUs()) {
		p := cpuRecord(nucleus.VendorOf(i))
		freeContiguous(memory.HPA(p.vmxonPA), pageSize)
		*p = perCPU{}
	}
	b.enabled = false
	return nil
}

// disableThisCPU runs in the nucleus on each CPU.
func disableThisCPU() {
	vmxoff()
	reg.WriteCR4(reg.ReadCR4() &^ x86.CR4VMXE)
	cpuRecord(nucleus.VendorCPU()).status = uint32(statusOff)
}
