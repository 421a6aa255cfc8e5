package vmx

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// The MSR bitmap has a bit per MSR of two ranges, for reads and then for writes
// (SDM volume 3C, section 25.6.9 "MSR-Bitmap Address"). A set bit is an exit,
// and so is every MSR outside of the ranges.
const (
	bitmapSize  = pageSize
	bitmapRange = 0x2000 // MSRs of a range
	bitmapBytes = bitmapRange / 8
	bitmapHigh  = 0xC000_0000 // where the second range begins
	bitmapWrite = 2 * bitmapBytes
)

// passedMSRs are read and written by guests without an exit: VM entries and
// exits switch each of them, but KERNEL_GS_BASE, which the loop does.
var passedMSRs = [...]uint32{
	x86.MSRSysenterCS,
	x86.MSRSysenterESP,
	x86.MSRSysenterEIP,
	x86.MSRPAT,
	x86.MSRFSBase,
	x86.MSRGSBase,
	x86.MSRKernelGSBase,
}

// fillBitmap intercepts every MSR but those that are safe to pass.
func fillBitmap(p []byte) {
	for i := range p {
		p[i] = 0xFF
	}
	for _, msr := range passedMSRs {
		passRead(p, msr)
		passWrite(p, msr)
	}
}

// passVirtualAPIC passes what the processor virtualizes of an APIC in x2APIC
// mode: reads of all registers that are not computed, and writes of the three
// whose meaning it knows, selfIPI among them unless it is false (closed.go).
func passVirtualAPIC(p []byte, selfIPI bool) {
	for r := range uint32(x2APICLast - x2APICFirst + 1) {
		if apic.ReadsPlain(r) {
			passRead(p, x2APICFirst+r)
		}
	}
	for _, r := range [...]uint32{vcpu.APICTPR, vcpu.APICEOI} {
		passWrite(p, x2APICFirst+r)
	}
	if selfIPI {
		passWrite(p, x2APICFirst+vcpu.APICSelfIPI)
	}
}

func passRead(p []byte, msr uint32) {
	if at, bit, ok := bitmapPosition(msr); ok {
		p[at] &^= bit
	}
}

func passWrite(p []byte, msr uint32) {
	if at, bit, ok := bitmapPosition(msr); ok {
		p[at+bitmapWrite] &^= bit
	}
}

// bitmapPosition finds the byte and the bit of an MSR's reads; those of its
// writes are bitmapWrite bytes further.
func bitmapPosition(msr uint32) (at int, bit byte, ok bool) {
	switch {
	case msr < bitmapRange:
	case msr-bitmapHigh < bitmapRange:
		at, msr = bitmapBytes, msr-bitmapHigh
	default:
		return 0, 0, false
	}
	return at + int(msr/8), 1 << (msr % 8), true
}
