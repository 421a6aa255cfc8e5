package apic

import (
	"sync/atomic"

	"ringo/hv/vcpu"
	"ringo/x86"
)

const modeBits = x86.APICBaseEnable | x86.APICBaseX2APIC

// Enabled says whether IA32_APIC_BASE enables the APIC. If not, the vCPU has
// none: its page is plain memory and interrupts come from the INTR pin.
func Enabled(a *vcpu.Area) bool { return base(a)&x86.APICBaseEnable != 0 }

// X2APIC says whether the APIC is in x2APIC mode.
func X2APIC(a *vcpu.Area) bool { return base(a)&modeBits == modeBits }

// XAPIC tells whether the APIC is enabled and its registers are in its page.
func XAPIC(a *vcpu.Area) bool { return base(a)&modeBits == x86.APICBaseEnable }

// base reads IA32_APIC_BASE from any CPU.
func base(a *vcpu.Area) uint64 { return atomic.LoadUint64(&a.APICBase) }

// reg reads a register from any CPU.
func reg(a *vcpu.Area, i uint32) uint32 { return atomic.LoadUint32(a.APIC.Reg(i)) }

// setReg stores a register that other CPUs read.
func setReg(a *vcpu.Area, i, v uint32) { atomic.StoreUint32(a.APIC.Reg(i), v) }

// WriteBase writes IA32_APIC_BASE at time now (host TSC). Transitions that the
// SDM forbids (section 11.12.5 "x2APIC State Transitions"), reserved bits and
// another address than the default raise #GP.
func WriteBase(a *vcpu.Area, v, now uint64) Action {
	const known = modeBits | x86.APICBaseBSP
	old := a.APICBase
	if v&^known != x86.APICBaseDefault || !validTransition(old&modeBits, v&modeBits) {
		return ActionGP
	}
	if old&modeBits == v&modeBits {
		atomic.StoreUint64(&a.APICBase, v)
		return 0
	}
	// Other CPUs must not deliver into registers that are being reset.
	if v&x86.APICBaseEnable == 0 {
		atomic.StoreUint64(&a.APICBase, v)
		resetRegisters(a)
		return ActionTimer | ActionLook
	}
	if v&x86.APICBaseX2APIC != 0 {
		enterX2APIC(a)
	}
	atomic.StoreUint64(&a.APICBase, v)
	return ActionLook
}

func validTransition(from, to uint64) bool {
	switch {
	case to == x86.APICBaseX2APIC:
		return false // extended without enabled is no state
	case from == to, to == 0:
		return true
	case to == modeBits:
		return from == x86.APICBaseEnable
	default: // to xAPIC mode
		return from == 0
	}
}

// enterX2APIC sets what the switch from xAPIC mode changes: the ID in its
// 32-bit form, the logical ID derived from it, no ICR destination.
func enterX2APIC(a *vcpu.Area) {
	setReg(a, vcpu.APICID, a.ID)
	setReg(a, vcpu.APICLDR, LogicalID(a.ID))
	*a.APIC.Reg(vcpu.APICICRHigh) = 0
}

// LogicalID is the x2APIC logical ID of an APIC (section 11.12.10.2).
func LogicalID(id uint32) uint32 { return id>>4<<16 | 1<<(id&15) }
