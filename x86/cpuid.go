package x86

// Leaves of CPUID.
const (
	CPUIDVendor         = 0x0
	CPUIDVersion        = 0x1 // family, model, stepping and basic features
	CPUIDCaches2        = 0x2
	CPUIDCaches4        = 0x4
	CPUIDMonitor        = 0x5
	CPUIDThermal        = 0x6
	CPUIDFeatures       = 0x7 // structured extended features
	CPUIDPerfmon        = 0xA
	CPUIDTopology       = 0xB
	CPUIDXSAVE          = 0xD
	CPUIDTSC            = 0x15 // ratio of TSC and core crystal clock
	CPUIDFrequency      = 0x16
	CPUIDTopologyV2     = 0x1F
	CPUIDHypervisor     = 0x40000000
	CPUIDExtVendor      = 0x80000000
	CPUIDExtFeatures    = 0x80000001
	CPUIDBrand0         = 0x80000002
	CPUIDBrand1         = 0x80000003
	CPUIDBrand2         = 0x80000004
	CPUIDL1Cache        = 0x80000005
	CPUIDL2Cache        = 0x80000006
	CPUIDPower          = 0x80000007
	CPUIDAddressSizes   = 0x80000008
	CPUIDSVM            = 0x8000000A
	CPUIDCacheTopology  = 0x8000001D
	CPUIDProcTopology   = 0x8000001E
	CPUIDMemEncryption  = 0x8000001F
	CPUIDExtFeatures2   = 0x80000021
	CPUIDMaxHypervisor  = 0x4FFFFFFF
	CPUIDMaskHypervisor = 0xF0000000
)

// CPUIDRegister is one of the four registers that CPUID answers in.
type CPUIDRegister uint8

const (
	EAX CPUIDRegister = iota
	EBX
	ECX
	EDX
)

// String is the register's name.
func (r CPUIDRegister) String() string { return [...]string{"EAX", "EBX", "ECX", "EDX"}[r&3] }

// Feature is one feature bit of CPUID.
type Feature struct {
	Leaf, Subleaf uint32
	Register      CPUIDRegister
	Mask          uint32 // one bit
	Name          string
}

// FindFeature finds a feature by its name.
func FindFeature(name string) (Feature, bool) {
	for _, f := range Features {
		if f.Name == name {
			return f, true
		}
	}
	return Feature{}, false
}

// FeatureNames lists the names of the bits set in v, the answer to CPUID in
// one register; a bit that has no name is left out.
func FeatureNames(leaf, subleaf uint32, r CPUIDRegister, v uint32) []string {
	var names []string
	for _, f := range Features {
		if f.Leaf == leaf && f.Subleaf == subleaf && f.Register == r && v&f.Mask != 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

// Signature packs family, model and stepping as CPUID leaf 1 EAX does (SDM
// volume 2A, figure "Version Information Returned by CPUID in EAX").
func Signature(family, model, stepping uint32) uint32 {
	base, ext := family, uint32(0)
	if family > 0xF {
		base, ext = 0xF, family-0xF
	}
	return ext<<20 | model>>4&0xF<<16 | base<<8 | model&0xF<<4 | stepping&0xF
}

// ParseSignature is the inverse of Signature.
func ParseSignature(eax uint32) (family, model, stepping uint32) {
	family, model, stepping = eax>>8&0xF, eax>>4&0xF, eax&0xF
	if family == 0x6 || family == 0xF {
		model |= eax >> 16 & 0xF << 4
	}
	if family == 0xF {
		family += eax >> 20 & 0xFF
	}
	return family, model, stepping
}
