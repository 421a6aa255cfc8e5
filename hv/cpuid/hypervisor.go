package cpuid

import "ringo/x86"

// Signature "KVMKVMKVM\0\0\0" in EBX, ECX, EDX: guests that find it use the
// paravirtual clock.
const (
	signatureEBX = 0x4B4D564B
	signatureECX = 0x564B4D56
	signatureEDX = 0x4D
)

// kvmFeatures are the parts of KVM's interface that exist here. Port accesses
// need no delay: no device behind them is slow.
const kvmFeatures = x86.KVMFeatureClockSource | x86.KVMFeatureClockSource2 |
	x86.KVMFeatureClockSourceStable | x86.KVMFeatureNopIODelay

// hypervisorLeaves leave out the frequencies in a frozen policy: they are the
// host's, and a guest on the paravirtual clock does not need them.
func (p *Policy) hypervisorLeaves(t *table) {
	if p.frozen {
		t.any(x86.CPUIDKVMSignature, registers{x86.CPUIDKVMFeatures, signatureEBX, signatureECX, signatureEDX})
		t.any(x86.CPUIDKVMFeatures, registers{kvmFeatures, 0, 0, 0})
		return
	}
	t.any(x86.CPUIDKVMSignature, registers{x86.CPUIDHypervisorTimes, signatureEBX, signatureECX, signatureEDX})
	t.any(x86.CPUIDKVMFeatures, registers{kvmFeatures, 0, 0, 0})
	t.any(x86.CPUIDHypervisorTimes, registers{uint32(p.cfg.TSCHz / 1000), uint32(p.cfg.APICHz / 1000), 0, 0})
}
