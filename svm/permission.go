package svm

import "ringo/x86"

// Sizes in bytes of the permission maps (APM volume 2, sections 15.10.1 "I/O
// Permissions Map" and 15.11 "MSR Intercepts").
const (
	IOPMSize  = 12 << 10
	MSRPMSize = 8 << 10
)

// msrRanges are the MSRs that the MSRPM covers; any other is always
// intercepted. Each range of 2000H MSRs takes 2 KiB, two bits per MSR.
var msrRanges = [...]uint32{0x0000_0000, 0xC000_0000, 0xC001_0000}

const (
	msrRangeLen   = 0x2000
	msrRangeBytes = msrRangeLen * 2 / 8
	msrReadBit    = 1
	msrWriteBit   = 2
)

// passedMSRs are read and written by guests without an exit: the processor
// switches each of them with VMLOAD and VMSAVE, or keeps the guest's in the
// VMCB (PAT, under nested paging).
var passedMSRs = [...]uint32{
	x86.MSRSysenterCS,
	x86.MSRSysenterESP,
	x86.MSRSysenterEIP,
	x86.MSRPAT,
	x86.MSRSTAR,
	x86.MSRLSTAR,
	x86.MSRCSTAR,
	x86.MSRSFMASK,
	x86.MSRFSBase,
	x86.MSRGSBase,
	x86.MSRKernelGSBase,
}

// fillIOPM intercepts every port. The map is longer than 64 Kbit so that an
// access that wraps past port FFFFH is covered too.
func fillIOPM(p []byte) {
	for i := range p {
		p[i] = 0xFF
	}
}

// fillMSRPM intercepts every MSR but those that are safe to pass. specCtrl
// passes SPEC_CTRL, which is right where the VMCB holds the guest's.
func fillMSRPM(p []byte, specCtrl bool) {
	for i := range p {
		p[i] = 0xFF
	}
	for _, msr := range passedMSRs {
		passMSR(p, msr)
	}
	if specCtrl {
		passMSR(p, x86.MSRSpecCtrl)
	}
}

// foreignMSRs are intercepted for a guest that expects an Intel processor, where
// they have 64 bits; AMD's have 32 (APM volume 2, section 6.1.2 "SYSENTER and
// SYSEXIT MSRs").
var foreignMSRs = [...]uint32{x86.MSRSysenterESP, x86.MSRSysenterEIP}

// fillForeignMSRPM is fillMSRPM for a VM that acts foreign.
func fillForeignMSRPM(p []byte, specCtrl bool) {
	fillMSRPM(p, specCtrl)
	for _, msr := range foreignMSRs {
		if off, shift, ok := msrpmPosition(msr); ok {
			p[off] |= (msrReadBit | msrWriteBit) << shift
		}
	}
}

// passMSR clears both intercept bits of an MSR.
func passMSR(p []byte, msr uint32) {
	if off, shift, ok := msrpmPosition(msr); ok {
		p[off] &^= (msrReadBit | msrWriteBit) << shift
	}
}

// msrpmPosition finds the byte and the bit of an MSR's read intercept; the
// write intercept is the next bit.
func msrpmPosition(msr uint32) (off int, shift uint, ok bool) {
	for i, base := range msrRanges {
		if n := msr - base; n < msrRangeLen {
			return i*msrRangeBytes + int(n/4), uint(n%4) * 2, true
		}
	}
	return 0, 0, false
}
