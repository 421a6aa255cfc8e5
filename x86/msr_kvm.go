package x86

// Paravirtual MSRs and CPUID leaves of the interface that KVM defines and
// that guests look for by the signature "KVMKVMKVM" (Linux documentation,
// "KVM-specific MSRs" and "KVM CPUID bits").
const (
	MSRKVMWallClock      = 0x11 // old number; hides no architectural MSR
	MSRKVMSystemTime     = 0x12 // old number
	MSRKVMWallClockNew   = 0x4B564D00
	MSRKVMSystemTimeNew  = 0x4B564D01
	MSRKVMAsyncPFEn      = 0x4B564D02
	MSRKVMStealTime      = 0x4B564D03
	MSRKVMPVEOIEn        = 0x4B564D04
	MSRKVMPollControl    = 0x4B564D05
	MSRKVMAsyncPFInt     = 0x4B564D06
	MSRKVMAsyncPFAck     = 0x4B564D07
	MSRKVMMigrationCtl   = 0x4B564D08
	CPUIDKVMSignature    = 0x40000000
	CPUIDKVMFeatures     = 0x40000001
	CPUIDHypervisorTimes = 0x40000010 // EAX: TSC kHz, EBX: APIC bus kHz
)

// Bits of CPUID 4000_0001H EAX.
const (
	KVMFeatureClockSource       = 1 << 0
	KVMFeatureNopIODelay        = 1 << 1
	KVMFeatureClockSource2      = 1 << 3
	KVMFeatureAsyncPF           = 1 << 4
	KVMFeatureStealTime         = 1 << 5
	KVMFeaturePVEOI             = 1 << 6
	KVMFeaturePVUnhalt          = 1 << 7
	KVMFeaturePVTLBFlush        = 1 << 9
	KVMFeaturePVSendIPI         = 1 << 11
	KVMFeaturePollControl       = 1 << 12
	KVMFeatureMSIExtDestID      = 1 << 15
	KVMFeatureClockSourceStable = 1 << 24
)
