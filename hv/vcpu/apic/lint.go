package apic

import "ringo/hv/vcpu"

// The local interrupt pins. The PIC's INTR output goes to LINT0, NMI to LINT1.
const (
	LINT0 = 0
	LINT1 = 1
)

// Signal drives a local interrupt pin from any CPU and says whether the vCPU
// must be woken. A pin in fixed mode acts on the rising edge. With the APIC
// disabled, LINT0 is INTR and LINT1 is NMI.
func Signal(a *vcpu.Area, pin uint32, level bool) (wake bool) {
	if pin == LINT0 {
		if !level {
			a.ExtINT.Store(0)
			return false
		}
		if a.ExtINT.Swap(1) != 0 {
			return false
		}
	} else if !level {
		return false
	}
	if !Enabled(a) {
		if pin == LINT1 {
			a.Request.Or(vcpu.RequestNMI)
		}
		return true
	}
	return local(a, vcpu.APICLVTLINT0+pin&1)
}

// ExtINT says whether the PIC asks for an interrupt that the vCPU would take
// through LINT0.
func ExtINT(a *vcpu.Area) bool {
	if a.ExtINT.Load() == 0 {
		return false
	}
	return !Enabled(a) || reg(a, vcpu.APICLVTLINT0)&(lvtMasked|lvtMode) == DeliveryExtINT<<lvtModeShift
}

// local delivers what an entry of the local vector table asks for and says
// whether there is something for the vCPU to look at.
func local(a *vcpu.Area, entry uint32) bool {
	lvt := reg(a, entry)
	if lvt&lvtMasked != 0 {
		return false
	}
	mode := lvt & lvtMode >> lvtModeShift
	if entry == vcpu.APICLVTTimer || entry == vcpu.APICLVTError {
		mode = DeliveryFixed
	}
	switch mode {
	case DeliveryFixed:
		if uint8(lvt) < minVector {
			logError(a, esrReceiveIllegalVector)
		} else {
			SetIRR(a, uint8(lvt), false)
		}
	case DeliveryNMI:
		a.Request.Or(vcpu.RequestNMI)
	case DeliveryINIT:
		a.Request.Or(vcpu.RequestINIT)
	case DeliveryExtINT:
		return entry == vcpu.APICLVTLINT0
	default:
		return false
	}
	return true
}
