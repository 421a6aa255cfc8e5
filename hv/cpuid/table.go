package cpuid

import (
	"fmt"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// Leaves that bound what the guest is shown.
const (
	maxBasicLeaf = x86.CPUIDXSAVE
	maxExtLeaf   = x86.CPUIDExtFeatures2
)

// table collects the answers of one vCPU.
type table struct{ entries []vcpu.CPUIDEntry }

// any appends a leaf whose answer does not depend on ECX.
func (t *table) any(leaf uint32, r registers) { t.add(leaf, 0, 0, r) }

// sub appends one sub-leaf.
func (t *table) sub(leaf, subleaf uint32, r registers) { t.add(leaf, subleaf, 1, r) }

func (t *table) add(leaf, subleaf, match uint32, r registers) {
	t.entries = append(t.entries, vcpu.CPUIDEntry{
		Leaf: leaf, Subleaf: subleaf, Match: match,
		EAX: r[x86.EAX], EBX: r[x86.EBX], ECX: r[x86.ECX], EDX: r[x86.EDX],
	})
}

// slow appends one sub-leaf that Go answers, because it depends on XCR0, which
// a guest can change without an exit on some processors.
func (t *table) slow(leaf, subleaf uint32, r registers) {
	t.sub(leaf, subleaf, r)
	t.entries[len(t.entries)-1].Slow = 1
}

// Table is what vCPU number id answers, but for what Live adds: the fast path
// adds the bits that mirror CR4 by itself, and leaves the entries marked Slow
// to Go. A leaf that is not in the table answers zeros.
func (p *Policy) Table(id uint32) ([]vcpu.CPUIDEntry, error) {
	t := &table{}
	p.basicLeaves(t, id)
	p.topologyLeaves(t, id)
	p.xsaveLeaves(t)
	p.hypervisorLeaves(t)
	p.extendedLeaves(t, id)
	if len(t.entries) > vcpu.CPUIDEntries {
		return nil, fmt.Errorf("CPUID of vCPU %d has %d entries; the table holds %d", id, len(t.entries), vcpu.CPUIDEntries)
	}
	return t.entries, nil
}

// basicLeaves appends leaves 0 to 7.
func (p *Policy) basicLeaves(t *table, id uint32) {
	v := p.hostLeaf(x86.CPUIDVendor, 0)
	v[x86.EAX] = maxBasicLeaf
	t.any(x86.CPUIDVendor, v)

	r := p.hostLeaf(x86.CPUIDVersion, 0)
	t.any(x86.CPUIDVersion, registers{
		r[x86.EAX],
		r[x86.EBX]&clflushSizeMask | min(p.cfg.VCPUs, logicalNumMax)<<logicalNumShift | id<<logicalIDShift,
		p.features(x86.CPUIDVersion, 0, x86.ECX),
		p.features(x86.CPUIDVersion, 0, x86.EDX) | p.ifSMP(x86.CPUID1EDXHTT),
	})
	if !p.AMD() {
		t.any(x86.CPUIDCaches2, p.hostLeaf(x86.CPUIDCaches2, 0))
		p.cacheLeaves(t, x86.CPUIDCaches4)
	}
	t.any(x86.CPUIDThermal, registers{p.features(x86.CPUIDThermal, 0, x86.EAX), 0, 0, 0})
	s1 := p.features(x86.CPUIDFeatures, 1, x86.EAX)
	t.sub(x86.CPUIDFeatures, 0, registers{
		1, // last sub-leaf
		p.features(x86.CPUIDFeatures, 0, x86.EBX),
		p.features(x86.CPUIDFeatures, 0, x86.ECX),
		p.features(x86.CPUIDFeatures, 0, x86.EDX),
	})
	t.sub(x86.CPUIDFeatures, 1, registers{s1, 0, 0, 0})
}

// ifSMP gives bits to a guest with more than one vCPU.
func (p *Policy) ifSMP(bits uint32) uint32 {
	if p.cfg.VCPUs > 1 {
		return bits
	}
	return 0
}

// extendedLeaves appends leaves 8000_0000H and up.
func (p *Policy) extendedLeaves(t *table, id uint32) {
	last := min(p.maxExt, maxExtLeaf)
	if last < x86.CPUIDExtFeatures {
		return
	}
	v := p.hostLeaf(x86.CPUIDExtVendor, 0)
	v[x86.EAX] = last
	t.any(x86.CPUIDExtVendor, v)
	p.extendedFeatures(t)
	for l := uint32(x86.CPUIDBrand0); l <= min(last, x86.CPUIDL2Cache); l++ {
		t.any(l, p.hostLeaf(l, 0))
	}
	if last >= x86.CPUIDPower {
		t.any(x86.CPUIDPower, registers{0, 0, 0, p.features(x86.CPUIDPower, 0, x86.EDX)})
	}
	if last >= x86.CPUIDAddressSizes {
		p.addressSizes(t)
	}
	if p.Has("topoext") && last >= x86.CPUIDProcTopology {
		p.cacheLeaves(t, x86.CPUIDCacheTopology)
		t.any(x86.CPUIDProcTopology, registers{id, id & nodesOneIDMask, 0, 0})
	}
	if last >= x86.CPUIDExtFeatures2 {
		t.any(x86.CPUIDExtFeatures2, registers{p.features(x86.CPUIDExtFeatures2, 0, x86.EAX), 0, 0, 0})
	}
}

func (p *Policy) extendedFeatures(t *table) {
	r := p.hostLeaf(x86.CPUIDExtFeatures, 0)
	edx := p.features(x86.CPUIDExtFeatures, 0, x86.EDX)
	// What is hidden in leaf 1 is hidden in its repetition too.
	edx &= p.features(x86.CPUIDVersion, 0, x86.EDX) | ^uint32(commonEDX)
	ecx := p.features(x86.CPUIDExtFeatures, 0, x86.ECX)
	eax := uint32(0)
	if p.AMD() {
		eax = r[x86.EAX]
		ecx |= p.ifSMP(x86.CPUID80000001ECXCmpLegacy)
	}
	t.any(x86.CPUIDExtFeatures, registers{eax, 0, ecx, edx})
}

// addressSizes appends leaf 8000_0008H with the guest's number of cores.
func (p *Policy) addressSizes(t *table) {
	r := p.hostLeaf(x86.CPUIDAddressSizes, 0)
	ecx := uint32(0)
	if p.AMD() {
		ecx = (p.cfg.VCPUs-1)&extSizeNCMask | p.coreBits()<<extSizeIDShift
	}
	// The guest-physical width in bits 23:16 is for nested guests: none.
	eax := r[x86.EAX]&0xFF00 | uint32(p.PhysAddrBits())
	t.any(x86.CPUIDAddressSizes, registers{eax, p.features(x86.CPUIDAddressSizes, 0, x86.EBX), ecx, 0})
}

// PhysAddrBits is the width of a guest-physical address.
func (p *Policy) PhysAddrBits() uint8 {
	const before8 = 36 // of processors that do not have leaf 8000_0008H
	w := uint8(p.hostLeaf(x86.CPUIDAddressSizes, 0)[x86.EAX])
	if w == 0 {
		w = before8
	}
	if p.cfg.PhysAddrBits != 0 {
		w = min(w, p.cfg.PhysAddrBits)
	}
	return w
}
