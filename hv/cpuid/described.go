package cpuid

import (
	"encoding/binary"
	"slices"

	"ringo/x86"
)

// The XSAVE component that every processor has in the same place: bytes in the
// standard format.
const (
	avxIndex  = 2
	avxSize   = 256
	avxOffset = x86.XSaveLegacy
)

// Leaf 1 EAX of a described processor: family, model and stepping. Guests take
// from it which errata and leaks to work around, so it is an early and
// vulnerable one of each vendor's 64-bit servers that had AVX2: Skylake-SP and
// Zen.
const (
	versionIntel = 0x0005_0654
	versionAMD   = 0x0080_0F12
)

// Caches of a described processor: 32 KiB, 8 ways, for code and for data, and
// 512 KiB, 8 ways, for both, in lines of 64 bytes. They are a hint for guests.
const (
	clflushQuads = 8 // of 8 bytes

	// Leaf 2: "there are no descriptors, see leaf 4".
	leaf2NoDescriptors = 0x00FF_FF01
	leaf4DataL1        = 0x121 // type data, level 1, self-initializing
	leaf4CodeL1        = 0x122
	leaf4L2            = 0x143
	ways8Line64        = 0x01C0_003F
	sets64, sets1024   = 63, 1023

	amdL1   = 0x2008_0140 // 32 KiB, 8 ways, 1 line per tag, 64 bytes
	amdL2   = 0x0200_6140 // 512 KiB, 8 ways, 1 line per tag, 64 bytes
	intelL2 = 0x0200_6040 // the same without the number of lines per tag
)

// brand is the name in leaves 8000_0002H to 8000_0004H, of at most 47 bytes.
const brand = "Ringo baseline processor"

// host is a processor that is just what the baseline describes: a policy made
// from it is the same on every host.
func (b *Baseline) host() Host {
	return func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32) {
		r := b.leaf(leaf, subleaf)
		for _, name := range b.Features {
			if f, _ := x86.FindFeature(name); f.Leaf == leaf && f.Subleaf == subleaf {
				r[f.Register] |= f.Mask
			}
		}
		return r[x86.EAX], r[x86.EBX], r[x86.ECX], r[x86.EDX]
	}
}

// leaf is an answer without the features.
func (b *Baseline) leaf(leaf, subleaf uint32) registers {
	switch leaf {
	case x86.CPUIDVendor:
		return b.vendorLeaf(maxBasicLeaf)
	case x86.CPUIDVersion:
		return registers{b.version(), clflushQuads << clflushSizeShift, 0, 0}
	case x86.CPUIDCaches2:
		return registers{leaf2NoDescriptors, 0, 0, 0}
	case x86.CPUIDCaches4:
		return b.cacheLeaf(subleaf)
	case x86.CPUIDXSAVE:
		return b.xsaveLeaf(subleaf)
	case x86.CPUIDExtVendor:
		if b.Vendor == AMD {
			return b.vendorLeaf(x86.CPUIDAddressSizes)
		}
		return registers{x86.CPUIDAddressSizes, 0, 0, 0}
	case x86.CPUIDExtFeatures:
		return registers{b.version(), 0, 0, b.repeatedFeatures()}
	case x86.CPUIDBrand0, x86.CPUIDBrand1, x86.CPUIDBrand2:
		return brandLeaf(leaf - x86.CPUIDBrand0)
	case x86.CPUIDL1Cache:
		if b.Vendor == AMD {
			return registers{0, 0, amdL1, amdL1}
		}
	case x86.CPUIDL2Cache:
		if b.Vendor == AMD {
			return registers{0, 0, amdL2, 0}
		}
		return registers{0, 0, intelL2, 0}
	case x86.CPUIDAddressSizes:
		return registers{b.linearBits()<<8 | uint32(b.PhysAddrBits), 0, 0, 0}
	}
	return registers{}
}

func (b *Baseline) has(name string) bool { return slices.Contains(b.Features, name) }

// vendorLeaf has the vendor's name in EBX, EDX, ECX.
func (b *Baseline) vendorLeaf(last uint32) registers {
	word := func(i int) uint32 { return binary.LittleEndian.Uint32([]byte(b.Vendor)[4*i:]) }
	return registers{last, word(0), word(2), word(1)}
}

func (b *Baseline) version() uint32 {
	if b.Vendor == AMD {
		return versionAMD
	}
	return versionIntel
}

func (b *Baseline) linearBits() uint32 {
	if b.has("la57") {
		return x86.LinearBits5
	}
	return x86.LinearBits4
}

func (b *Baseline) cacheLeaf(subleaf uint32) registers {
	caches := [...]registers{
		{leaf4DataL1, ways8Line64, sets64, 0},
		{leaf4CodeL1, ways8Line64, sets64, 0},
		{leaf4L2, ways8Line64, sets1024, 0},
	}
	if subleaf < uint32(len(caches)) {
		return caches[subleaf]
	}
	return registers{}
}

// xsaveLeaf has x87, SSE and, with the feature, AVX. The sizes in EBX and ECX
// are the policy's affair.
func (b *Baseline) xsaveLeaf(subleaf uint32) registers {
	switch {
	case !b.has("xsave"):
	case subleaf == 0 && b.has("avx"):
		return registers{x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX, 0, 0, 0}
	case subleaf == 0:
		return registers{x86.XCR0X87 | x86.XCR0SSE, 0, 0, 0}
	case subleaf == avxIndex && b.has("avx"):
		return registers{avxSize, avxOffset, 0, 0}
	}
	return registers{}
}

// repeatedFeatures are the bits of leaf 1 EDX that AMD's processors repeat.
func (b *Baseline) repeatedFeatures() (bits uint32) {
	if b.Vendor != AMD {
		return 0
	}
	for _, name := range b.Features {
		if f, _ := x86.FindFeature(name); f.Leaf == x86.CPUIDVersion && f.Register == x86.EDX {
			bits |= f.Mask & commonEDX
		}
	}
	return bits
}

// brandLeaf is one of the three leaves with the name.
func brandLeaf(i uint32) registers {
	var text [48]byte
	copy(text[:], brand)
	word := func(n uint32) uint32 { return binary.LittleEndian.Uint32(text[16*i+4*n:]) }
	return registers{word(0), word(1), word(2), word(3)}
}
