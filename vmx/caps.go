package vmx

import (
	"fmt"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// CPUID leaves that this backend asks.
const (
	leafFeatures   = 0x1
	leafStructured = 0x7
	leafHypervisor = 0x4000_0000
	leafExtMax     = 0x8000_0000
	leafExtended   = 0x8000_0001
	leafSizes      = 0x8000_0008
)

// Bits of vcpuHead.features: what the loop in the nucleus needs to know.
const (
	featureRDTSCP = 1 << iota
	featureINVEPTSingle
	featureINVVPIDSingle
	featureINVVPIDAll
	featureIBPB   // a barrier is due when the CPU changes vCPUs
	featureClosed // closed.go: what Bochs gets wrong while a guest has interrupts closed
	featureVirtualAPIC
)

// cpuidFunc executes CPUID.
type cpuidFunc func(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// processor is what this backend wants to know of the processor.
type processor struct {
	physBits uint8
	ibpb     bool
	mdClear  bool
	flushCmd bool
	mdsNo    bool
	l1tfNo   bool
	ibrsAll  bool

	basic     uint64
	misc      uint64
	eptVPID   uint64
	cr0Fixed0 uint64
	cr0Fixed1 uint64
	cr4Fixed0 uint64
	cr4Fixed1 uint64
	controls  controls // with those that are set only while they are wanted
}

// hasVMX tells whether CPUID names VMX.
func hasVMX(cpuid cpuidFunc) bool {
	_, _, c, _ := cpuid(leafFeatures, 0)
	return c&x86.CPUID1ECXVMX != 0
}

// readProcessor asks CPUID and the capability MSRs.
func readProcessor(cpuid cpuidFunc, rdmsr msrFunc, without []string) (processor, error) {
	p := processor{physBits: 36}
	if !hasVMX(cpuid) {
		return p, fmt.Errorf("CPUID 01H ECX bit 5 is clear: %w", ErrNoVMX)
	}
	max, _, _, _ := cpuid(0, 0)
	if max >= leafStructured {
		_, _, _, d := cpuid(leafStructured, 0)
		p.ibpb = d&x86.CPUID7EDXSpecCtrl != 0
		p.mdClear = d&x86.CPUID7EDXMDClear != 0
		p.flushCmd = d&x86.CPUID7EDXL1DFlush != 0
		if d&x86.CPUID7EDXArchCapabilities != 0 {
			p.readImmunity(rdmsr(x86.MSRArchCapabilities))
		}
	}
	if max, _, _, _ := cpuid(leafExtMax, 0); max >= leafSizes {
		a, _, _, _ := cpuid(leafSizes, 0)
		p.physBits = uint8(a)
	}
	p.basic = rdmsr(msrBasic)
	p.cr0Fixed0, p.cr0Fixed1 = rdmsr(msrCR0Fixed0), rdmsr(msrCR0Fixed1)
	p.cr4Fixed0, p.cr4Fixed1 = rdmsr(msrCR4Fixed0), rdmsr(msrCR4Fixed1)
	var err error
	if p.controls, err = p.readControls(rdmsr, without); err != nil {
		return p, err
	}
	p.misc = rdmsr(msrMisc)
	p.eptVPID, err = buildEPT(rdmsr(msrEPTVPID), without)
	return p, err
}

// Bits of IA32_ARCH_CAPABILITIES (SDM volume 4, table 2-2).
const (
	archRDCLNo    = 1 << 0 // also not susceptible to L1 terminal fault
	archIBRSAll   = 1 << 1
	archSkipL1DFl = 1 << 3
	archMDSNo     = 1 << 5
)

// readImmunity notes what needs no mitigation.
func (p *processor) readImmunity(v uint64) {
	p.l1tfNo = v&(archRDCLNo|archSkipL1DFl) != 0
	p.ibrsAll = v&archIBRSAll != 0
	p.mdsNo = v&archMDSNo != 0
}

// readControls asks first whether the MSR of the secondary controls exists.
func (p *processor) readControls(rdmsr msrFunc, without []string) (controls, error) {
	primary := rdmsr(msrPrimary) >> 32
	if primary&PrimarySecondaryControls == 0 {
		_, err := primaryField.build(primary<<32, without)
		return controls{}, err
	}
	return buildControls(rdmsr, without)
}

// revision is the identifier that VMXON and VMCS regions begin with.
func (p *processor) revision() uint32 { return uint32(p.basic & basicRevision) }

func (p *processor) secondary(bits uint32) bool { return p.controls.secondary&bits == bits }

// logsPages tells whether there is page-modification logging, which needs dirty
// flags.
func (p *processor) logsPages() bool { return p.secondary(SecondaryPML) && p.eptVPID&eptAccessed != 0 }

// maxPage is the largest page of the extended page tables.
func (p *processor) maxPage() memory.PageSize {
	switch {
	case p.eptVPID&ept1G != 0:
		return memory.Page1G
	case p.eptVPID&ept2M != 0:
		return memory.Page2M
	}
	return memory.Page4K
}

// caps tells the rest of the hypervisor.
func (p *processor) caps() vcpu.Caps {
	c := vcpu.Caps{NextRIP: true, ASIDs: 1, PhysAddrBits: p.physBits, MaxPage: p.maxPage(), HideCPUID: p.hidden()}
	c.VirtualAPIC = p.secondary(virtualAPIC)
	c.TSCScaling = p.secondary(SecondaryTSCScaling)
	for _, f := range [...]struct {
		have bool
		name string
	}{
		{true, "EPT"},
		{true, "unrestricted guest"},
		{p.eptVPID&eptAccessed != 0, "EPT accessed and dirty flags"},
		{p.secondary(SecondaryVPID), "VPID"},
		{p.secondary(SecondaryPAUSELoopExiting), "PAUSE-loop exiting"},
		{p.logsPages(), "page-modification logging"},
		{c.TSCScaling, "TSC scaling"},
		{c.VirtualAPIC, "virtual-interrupt delivery"},
	} {
		if f.have {
			c.Features = append(c.Features, f.name)
		}
	}
	if p.secondary(SecondaryVPID) {
		c.ASIDs = 1 << 16
	}
	return c
}

// features is the same for the loop.
func (p *processor) features() uint32 {
	var f uint32
	if p.secondary(virtualAPIC) {
		f |= featureVirtualAPIC
	}
	if p.secondary(SecondaryRDTSCP) {
		f |= featureRDTSCP
	}
	if p.eptVPID&eptINVEPTSingle != 0 {
		f |= featureINVEPTSingle
	}
	if p.eptVPID&vpidINVVPID != 0 {
		if p.eptVPID&vpidSingle != 0 {
			f |= featureINVVPIDSingle
		}
		if p.eptVPID&vpidAll != 0 {
			f |= featureINVVPIDAll
		}
	}
	if p.revision() == bochsRevision && p.controls.pin&PinPreemptionTimer != 0 {
		f |= featureClosed
	}
	return f
}
