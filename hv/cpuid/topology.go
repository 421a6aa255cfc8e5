package cpuid

import (
	"math/bits"

	"ringo/x86"
)

// Level types of the topology leaves (SDM volume 2A, CPUID leaf 0BH).
const (
	levelSMT  = 1 << 8
	levelCore = 2 << 8
)

// coreBits is the width of the APIC ID within the one socket.
func (p *Policy) coreBits() uint32 {
	return uint32(bits.Len32(p.cfg.VCPUs - 1))
}

// topologyLeaves appends the extended topology: one socket of single-threaded
// cores, with the vCPU's number as x2APIC ID.
func (p *Policy) topologyLeaves(t *table, id uint32) {
	t.sub(x86.CPUIDTopology, 0, registers{0, 1, levelSMT, id})
	t.sub(x86.CPUIDTopology, 1, registers{p.coreBits(), p.cfg.VCPUs, levelCore | 1, id})
	t.sub(x86.CPUIDTopology, 2, registers{0, 0, 2, id})
}

// Fields of the cache leaves: the number of logical processors that share a
// cache, less one, in EAX bits 25:14, and in leaf 4 the number of core IDs,
// less one, in bits 31:26.
const (
	cacheTypeMask    = 0x1F
	cacheLevelShift  = 5
	cacheShareShift  = 14
	cacheShareMask   = 0xFFF << cacheShareShift
	cacheCoresShift  = 26
	cacheCoresMask   = 0x3F << cacheCoresShift
	cacheMaxSubleaf  = 8
	lastLevelOfCore  = 2
	maxSharingCores  = 0xFFF
	maxCoresOfLeaf4  = 0x3F
	extSizeNCMask    = 0xFF
	extSizeIDShift   = 12
	nodesOneIDMask   = 0xFF
	logicalIDShift   = 24
	logicalNumShift  = 16
	logicalNumMax    = 0xFF
	clflushSizeShift = 8
	clflushSizeMask  = 0xFF << clflushSizeShift
)

// cacheLeaves appends the host's caches under leaf (4 or 8000_001DH), with
// the guest's sharing: the last level belongs to all cores, the others to one.
func (p *Policy) cacheLeaves(t *table, leaf uint32) {
	for i := uint32(0); i < cacheMaxSubleaf; i++ {
		r := p.hostLeaf(leaf, i)
		if r[x86.EAX]&cacheTypeMask == 0 {
			return
		}
		share := uint32(0)
		if r[x86.EAX]>>cacheLevelShift&7 > lastLevelOfCore {
			share = min(uint32(1)<<p.coreBits()-1, maxSharingCores)
		}
		r[x86.EAX] = r[x86.EAX]&^(cacheShareMask|cacheCoresMask) | share<<cacheShareShift
		if leaf == x86.CPUIDCaches4 {
			r[x86.EAX] |= min(uint32(1)<<p.coreBits()-1, maxCoresOfLeaf4) << cacheCoresShift
		}
		t.sub(leaf, i, r)
	}
}
