package apictest

import (
	"unsafe"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
)

// VM is some vCPUs with their APICs in power-up state.
type VM struct {
	Shared *vcpu.VMArea
	CPU    []*vcpu.Area
	Woken  []int // how often Wake was called, by vCPU
}

// New makes a VM of n vCPUs whose host has a TSC of hz.
func New(n int, hz uint64) *VM {
	v := &VM{Shared: &vcpu.VMArea{NumVCPUs: uint32(n), TSCPerSec: hz}, Woken: make([]int, n)}
	for i := range n {
		a := &vcpu.Area{ID: uint32(i)}
		// The uintptrs do not keep their targets alive; v does, and Go's heap
		// does not move.
		a.VM = uintptr(unsafe.Pointer(v.Shared))
		v.Shared.Areas[i] = uintptr(unsafe.Pointer(a))
		v.CPU = append(v.CPU, a)
		apic.Reset(a)
	}
	return v
}

// Wake counts.
func (v *VM) Wake(a *vcpu.Area) { v.Woken[a.ID]++ }
