package vmx

// This file is part of the loop in the nucleus.

import (
	"math/bits"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// cpuidHints is the size of the table that remembers where in Area.CPUID a
// leaf was found. A hint is only where to look first.
const cpuidHints = 64

// cpuidEntry finds the answer to a leaf, or nil.
func (c *vcpuMem) cpuidEntry(leaf, sub uint32) *vcpu.CPUIDEntry {
	a := &c.area
	hint := &c.cpuidHint[(leaf^leaf>>27^sub<<4)%cpuidHints]
	n := min(a.NumCPUID, vcpu.CPUIDEntries)
	if i := uint32(*hint); i < n && cpuidFits(&a.CPUID[i], leaf, sub) {
		return &a.CPUID[i]
	}
	for i := uint32(0); i < n; i++ {
		if cpuidFits(&a.CPUID[i], leaf, sub) {
			*hint = uint8(i)
			return &a.CPUID[i]
		}
	}
	return nil
}

func cpuidFits(e *vcpu.CPUIDEntry, leaf, sub uint32) bool {
	return e.Leaf == leaf && (e.Match == 0 || e.Subleaf == sub)
}

// fastCPUID answers CPUID from the Area. What mirrors CR4 and XCR0 is patched
// here; the bits of CR4 that are shown are the host's to write, so the read
// shadow has them. It reports false if Go must answer.
func (c *vcpuMem) fastCPUID() bool {
	a, cr4 := &c.area, c.regs[regCR4Shadow]
	leaf, sub := uint32(a.GPR[x86.RAX]), uint32(a.GPR[x86.RCX])
	e := c.cpuidEntry(leaf, sub)
	if e == nil || e.Slow != 0 {
		return false
	}
	ebx, ecx := e.EBX, e.ECX
	switch {
	case leaf == 1:
		ecx &^= x86.CPUID1ECXOSXSAVE
		if cr4&x86.CR4OSXSAVE != 0 {
			ecx |= x86.CPUID1ECXOSXSAVE
		}
	case leaf == 7 && sub == 0:
		ecx &^= x86.CPUID7ECXOSPKE
		if cr4&x86.CR4PKE != 0 {
			ecx |= x86.CPUID7ECXOSPKE
		}
	case leaf == leafXSAVE && sub == 0:
		ebx = c.xsaveSize()
	}
	a.GPR[x86.RAX] = uint64(e.EAX)
	a.GPR[x86.RBX] = uint64(ebx)
	a.GPR[x86.RCX] = uint64(ecx)
	a.GPR[x86.RDX] = uint64(e.EDX)
	return true
}

// leafXSAVE describes the XSAVE area, and subleaf n from 2 on component n.
const leafXSAVE = 0xD

// xsaveSize is the size of the standard-format XSAVE area for the components
// that are enabled in XCR0 now (CPUID leaf 0DH, subleaf 0, EBX).
func (c *vcpuMem) xsaveSize() uint32 {
	size := uint32(xsaveHeaderEnd)
	for xcr0 := c.xcr0 >> 2; xcr0 != 0; xcr0 &= xcr0 - 1 {
		sub := uint32(bits.TrailingZeros64(xcr0)) + 2
		if e := c.cpuidEntry(leafXSAVE, sub); e != nil {
			size = max(size, e.EBX+e.EAX)
		}
	}
	return size
}
