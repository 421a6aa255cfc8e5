package apic

import (
	"sync/atomic"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// StateRegs is how many registers Export gives: one per register index.
const StateRegs = numRegs

// Export copies the registers for a snapshot; errors are those that ESR does
// not show yet. The vCPU does not run.
func Export(a *vcpu.Area, regs *[StateRegs]uint32) (errors uint32) {
	collect(a)
	for i := range regs {
		regs[i] = reg(a, uint32(i))
	}
	return atomic.LoadUint32(newErrors(a))
}

// Import puts back what Export gave, with IA32_APIC_BASE, which says how the
// registers are to be read. It is false, and nothing has changed, if no APIC
// can be in that state. The timer is not armed; Resume does that.
func Import(a *vcpu.Area, base uint64, regs *[StateRegs]uint32, errors uint32) bool {
	id, mode := a.ID<<24, base&modeBits
	if mode == modeBits {
		id = a.ID
	}
	if base&^(modeBits|x86.APICBaseBSP) != x86.APICBaseDefault || mode == x86.APICBaseX2APIC ||
		regs[vcpu.APICID] != id || regs[vcpu.APICVersion] != version {
		return false
	}
	atomic.StoreUint64(&a.APICBase, base)
	for i, v := range regs {
		setReg(a, uint32(i), v)
	}
	if mode == modeBits {
		setReg(a, vcpu.APICLDR, LogicalID(a.ID))
	}
	atomic.StoreUint32(newErrors(a), errors)
	disarm(a)
	updatePPR(a, lastWord)
	forgetPosted(a)
	a.PendingIRQ.Store(inIRR)
	return true
}
