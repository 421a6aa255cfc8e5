package apic

import (
	"sync/atomic"

	"ringo/hv/vcpu"
)

// Bits of the error status register (SDM volume 3A, section 11.5.3 "Error
// Handling").
const (
	esrSendIllegalVector    = 1 << 5
	esrReceiveIllegalVector = 1 << 6
	esrIllegalRegister      = 1 << 7
)

// minVector is the lowest legal interrupt vector.
const minVector = 16

// newErrors is where errors collect until the next write of ESR makes them
// readable: the second word of ESR's 16 bytes, which no register occupies.
func newErrors(a *vcpu.Area) *uint32 { return &a.APIC[vcpu.APICESR][1] }

// logError records errors and raises the LVT error interrupt if that is
// unmasked. It may run on any CPU.
func logError(a *vcpu.Area, esr uint32) {
	atomic.OrUint32(newErrors(a), esr)
	lvt := reg(a, vcpu.APICLVTError)
	if lvt&lvtMasked != 0 {
		return
	}
	if vector := uint8(lvt); vector >= minVector {
		SetIRR(a, vector, false)
		return
	}
	atomic.OrUint32(newErrors(a), esrReceiveIllegalVector)
}

// latchErrors is what a write of ESR does.
func latchErrors(a *vcpu.Area) {
	*a.APIC.Reg(vcpu.APICESR) = atomic.SwapUint32(newErrors(a), 0)
}
