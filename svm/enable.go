package svm

import (
	"errors"
	"fmt"

	"ringo/memory"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

var (
	// ErrNoSVM says that the processor has no AMD-V.
	ErrNoSVM = errors.New("the processor has no SVM (AMD-V)")
	// ErrNoNestedPaging says that it has no nested paging, which Ringo needs.
	ErrNoNestedPaging = errors.New("the processor has no nested paging")
	// ErrDisabled says that the firmware has disabled SVM.
	ErrDisabled = errors.New("SVM is disabled by the firmware")
)

// enableStatus is how EnableCPU ended on a CPU.
type enableStatus uint32

const (
	statusOff enableStatus = iota
	statusOn
	statusLocked // VM_CR.SVMDIS is set and locked
)

// cpuPages is what a CPU needs: the host state save area and the VMCB for
// VMSAVE.
const cpuPages = 2 * pageSize

// hostASIDs and hostFeatures are for enableThisCPU, which takes no argument.
var (
	hostASIDs    uint32
	hostFeatures uint32
)

// EnableCPU turns SVM on, on every running CPU at once, because a goroutine
// does not stay on one. Calling it again, as for each CPU, does nothing more.
func (b *Backend) EnableCPU() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.enabled {
		return nil
	}
	initHostImage()
	hostASIDs, hostFeatures = b.cpu.asids, b.features
	for i := range uint32(nucleus.CPUs()) {
		p := cpuRecord(nucleus.VendorOf(i))
		if p.hostVMCB == 0 {
			pa, err := allocContiguous(cpuPages)
			if err != nil {
				return fmt.Errorf("host save area of CPU %d, %d bytes: %w", i, cpuPages, err)
			}
			p.hostSave, p.hostVMCB = uint64(pa), uint64(pa)+pageSize
		}
		p.number = i
	}
	nucleus.SetGuestRun(run)
	nucleus.OnEachCPU(enableThisCPU)
	for i := range uint32(nucleus.CPUs()) {
		if s := enableStatus(cpuRecord(nucleus.VendorOf(i)).status); s != statusOn {
			return fmt.Errorf("CPU %d: VM_CR.SVMDIS and VM_CR.LOCK are set: %w; "+
				"enable SVM, AMD-V or virtualization in the firmware's setup", i, ErrDisabled)
		}
	}
	b.enabled = true
	return nil
}

// enableThisCPU runs in the nucleus on each CPU (APM volume 2, section 15.4
// "Enabling SVM").
func enableThisCPU() {
	p := cpuRecord(nucleus.VendorCPU())
	vmcr := reg.ReadMSR(x86.MSRVMCR)
	if vmcr&x86.VMCRSVMDIS != 0 {
		if vmcr&x86.VMCRLock != 0 {
			p.status = uint32(statusLocked)
			return
		}
		reg.WriteMSR(x86.MSRVMCR, vmcr&^x86.VMCRSVMDIS)
	}
	reg.WriteMSR(x86.MSREFER, reg.ReadMSR(x86.MSREFER)|x86.EFERSVME)
	reg.WriteMSR(x86.MSRVMHSavePA, p.hostSave)
	vmsaveHost(p.hostVMCB)
	p.asid.initASID(hostASIDs)
	if hostFeatures&featureXSAVE != 0 {
		p.hostXCR0 = nucleus.HostXCR0()
	}
	if hostFeatures&featureRDTSCP != 0 {
		p.tscAux = reg.ReadMSR(x86.MSRTSCAux)
	}
	if hostFeatures&featureTSCRatio != 0 {
		p.tscRatio = reg.ReadMSR(x86.MSRTscRatio)
	}
	p.status = uint32(statusOn)
}

// DisableCPU turns SVM off on every CPU. No vCPU runs.
func (b *Backend) DisableCPU() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	if !b.enabled {
		return nil
	}
	nucleus.OnEachCPU(disableThisCPU)
	for i := range uint32(nucleus.CPUs()) {
		p := cpuRecord(nucleus.VendorOf(i))
		freeContiguous(memory.HPA(p.hostSave), cpuPages)
		*p = perCPU{}
	}
	b.enabled = false
	return nil
}

// disableThisCPU runs in the nucleus on each CPU.
func disableThisCPU() {
	reg.WriteMSR(x86.MSREFER, reg.ReadMSR(x86.MSREFER)&^x86.EFERSVME)
	reg.WriteMSR(x86.MSRVMHSavePA, 0)
	cpuRecord(nucleus.VendorCPU()).status = uint32(statusOff)
}
