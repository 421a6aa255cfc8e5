package cpuid

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// Live completes the answer e with what follows the vCPU's registers: the bits
// that mirror CR4 (SDM volume 2A, CPUID leaf 1 ECX bit 27 and leaf 7 ECX bit 4)
// and the sizes of the XSAVE image for XCR0 (leaf 0DH EBX).
func (p *Policy) Live(e vcpu.CPUIDEntry, cr4, xcr0 uint64) vcpu.CPUIDEntry {
	switch {
	case e.Leaf == x86.CPUIDVersion && cr4&x86.CR4OSXSAVE != 0:
		e.ECX |= x86.CPUID1ECXOSXSAVE
	case e.Leaf == x86.CPUIDFeatures && e.Subleaf == 0 && cr4&x86.CR4PKE != 0:
		e.ECX |= x86.CPUID7ECXOSPKE
	case e.Leaf != x86.CPUIDXSAVE || !p.Has("xsave"):
	case e.Subleaf == 0:
		e.EBX = p.XSAVESize(xcr0)
	case e.Subleaf == 1 && e.EAX&x86.CPUIDDS1EAXXSAVEC != 0:
		e.EBX = p.compactSize(xcr0)
	}
	return e
}

// Lookup finds the answer to a leaf in a vCPU's table, or gives zeros.
func Lookup(table []vcpu.CPUIDEntry, leaf, subleaf uint32) vcpu.CPUIDEntry {
	for i := range table {
		e := &table[i]
		if e.Leaf == leaf && (e.Match == 0 || e.Subleaf == subleaf) {
			return *e
		}
	}
	return vcpu.CPUIDEntry{Leaf: leaf, Subleaf: subleaf}
}
