package apic_test

import (
	"testing"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
)

// BenchmarkSelfIPI is the APIC's share of a self-IPI: send, take, end.
func BenchmarkSelfIPI(b *testing.B) {
	vm := newVM(b, 1, true)
	a := vm.CPU[0]
	for b.Loop() {
		if apic.Write(a, vcpu.APICICR, 1<<18|0xE1, 0)&apic.ActionIPI != 0 {
			apic.Send(vm.Shared, a, apic.ICR(a), vm.Wake)
		}
		v, _ := apic.Pending(a)
		apic.Accept(a, v)
		apic.Pending(a)
		apic.Write(a, vcpu.APICEOI, 0, 0)
	}
}

// BenchmarkIdle is what an entry pays when nothing is pending.
func BenchmarkIdle(b *testing.B) {
	a := newVM(b, 1, true).CPU[0]
	for b.Loop() {
		apic.Pending(a)
		apic.TimerDue(a, 0)
	}
}
