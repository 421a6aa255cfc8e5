package apic

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// Read reads a register at time now (host TSC). In x2APIC mode ok is false
// where RDMSR raises #GP: reserved and write-only registers. In xAPIC mode ok
// is always true; a reserved register reads 0 and is logged in ESR.
func Read(a *vcpu.Area, r uint32, now uint64) (v uint64, ok bool) {
	x2 := X2APIC(a)
	if r >= numRegs || readable>>r&1 == 0 || x2 && xAPICOnly>>r&1 != 0 {
		if !x2 && r != vcpu.APICEOI {
			logError(a, esrIllegalRegister)
		}
		return 0, !x2
	}
	switch r {
	case vcpu.APICIRR, vcpu.APICIRR + 1, vcpu.APICIRR + 2, vcpu.APICIRR + 3,
		vcpu.APICIRR + 4, vcpu.APICIRR + 5, vcpu.APICIRR + 6, vcpu.APICIRR + 7:
		collect(a)
	case vcpu.APICCurCount:
		return uint64(currentCount(a, now)), true
	case vcpu.APICICR:
		if x2 {
			return ICR(a), true
		}
	}
	return uint64(*a.APIC.Reg(r)), true
}

// ReadMSR is RDMSR of an x2APIC register; ok is false for #GP, which it is for
// all of them outside x2APIC mode.
func ReadMSR(a *vcpu.Area, msr uint32, now uint64) (v uint64, ok bool) {
	if !X2APIC(a) {
		return 0, false
	}
	return Read(a, msr-x86.MSRx2APICBase, now)
}

// ICR is the interrupt command register, destination in its high half.
func ICR(a *vcpu.Area) uint64 {
	return uint64(*a.APIC.Reg(vcpu.APICICRHigh))<<32 | uint64(*a.APIC.Reg(vcpu.APICICR))
}
