package svm

import (
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// CPUID leaves that describe SVM and the processor's reach.
const (
	leafFeatures   = 0x1
	leafStructured = 0x7
	leafHypervisor = 0x4000_0000
	leafExtMax     = 0x8000_0000
	leafExtended   = 0x8000_0001
	leafSizes      = 0x8000_0008
	leafSVM        = 0x8000_000A
	leafExtended2  = 0x8000_0021
)

// tcgSignature is what QEMU's emulator answers to leaf 4000_0000H, in EBX, ECX
// and EDX: "TCGTCGTCGTCG".
var tcgSignature = [3]uint32{0x54474354, 0x43544743, 0x47435447}

// Bits of vcpuHead.features: what the loop in the nucleus needs to know.
const (
	featureNRIP = 1 << iota
	featureDecode
	featureClean
	featureXSAVE
	featureFXLeak // the x87 pointers must be overwritten before a restore
	featureRDTSCP
	featureIBPB // a barrier is due when the CPU changes vCPUs
	featureTSCRatio
	featureOffer // external interrupts go in as virtual ones; offer.go
)

// cpuidFunc executes CPUID.
type cpuidFunc func(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// processor is what this backend wants to know of the processor.
type processor struct {
	family     uint32
	svm        bool
	edx        uint32 // leaf 8000_000AH
	asids      uint32
	physBits   uint8
	page1G     bool
	longMode   bool
	osxsave    bool
	xsaveErPtr bool
	rdtscp     bool
	rdpru      bool
	mcommit    bool
	ibpb       bool
	flushCmd   bool
	autoIBRS   bool
	srsoNo     bool
	mdClear    bool
	emulated   bool // QEMU's TCG, which does not speculate: auto mitigates nothing
}

// readProcessor asks CPUID (APM volume 3, appendix E).
func readProcessor(cpuid cpuidFunc) processor {
	var p processor
	p.readStandard(cpuid)
	if max, _, _, _ := cpuid(leafExtMax, 0); max >= leafSVM {
		p.readExtended(cpuid, max)
	}
	return p
}

// readStandard asks the leaves below 8000_0000H.
func (p *processor) readStandard(cpuid cpuidFunc) {
	max, _, _, _ := cpuid(0, 0)
	a, _, c, _ := cpuid(leafFeatures, 0)
	p.family = a >> 8 & 0xF
	if p.family == 0xF {
		p.family += a >> 20 & 0xFF
	}
	p.osxsave = c&x86.CPUID1ECXOSXSAVE != 0
	if c&x86.CPUID1ECXHypervisor != 0 {
		_, b, c, d := cpuid(leafHypervisor, 0)
		p.emulated = [3]uint32{b, c, d} == tcgSignature
	}
	if max >= leafStructured {
		_, _, _, d := cpuid(leafStructured, 0)
		p.flushCmd = d&x86.CPUID7EDXL1DFlush != 0
		p.mdClear = d&x86.CPUID7EDXMDClear != 0
	}
}

// readExtended asks the leaves from 8000_0000H to max.
func (p *processor) readExtended(cpuid cpuidFunc, max uint32) {
	_, _, c, d := cpuid(leafExtended, 0)
	p.svm = c&x86.CPUID80000001ECXSVM != 0
	p.page1G = d&x86.CPUID80000001EDXPage1GB != 0
	p.rdtscp = d&x86.CPUID80000001EDXRDTSCP != 0
	p.longMode = d&x86.CPUID80000001EDXLM != 0
	a, b, _, _ := cpuid(leafSizes, 0)
	p.physBits = uint8(a)
	p.xsaveErPtr = b&x86.CPUID80000008EBXRstrFpErrPtrs != 0
	p.rdpru = b&x86.CPUID80000008EBXRDPRU != 0
	p.mcommit = b&x86.CPUID80000008EBXMCOMMIT != 0
	p.ibpb = b&x86.CPUID80000008EBXIBPB != 0
	_, p.asids, _, p.edx = cpuid(leafSVM, 0)
	if max >= leafExtended2 {
		a, _, _, _ = cpuid(leafExtended2, 0)
		p.autoIBRS = a&x86.CPUID80000021EAXAutomaticIBRS != 0
		p.srsoNo = a&x86.CPUID80000021EAXSRSONo != 0
	}
}

// has tests a feature bit of leaf 8000_000AH EDX.
func (p *processor) has(bit uint32) bool { return p.edx&bit != 0 }

// featureNames are the optional features that this backend makes use of, in
// the order of leaf 8000_000AH EDX.
var featureNames = [...]struct {
	bit  uint32
	name string
}{
	{x86.CPUID8000000AEDXNP, "nested paging"},
	{x86.CPUID8000000AEDXNRIPS, "NRIPS"},
	{x86.CPUID8000000AEDXTscRateMsr, "TscRateMsr"},
	{x86.CPUID8000000AEDXVmcbClean, "VmcbClean"},
	{x86.CPUID8000000AEDXDecodeAssists, "DecodeAssists"},
	{x86.CPUID8000000AEDXPauseFilter, "PauseFilter"},
	{x86.CPUID8000000AEDXPauseFilterThreshold, "PauseFilterThreshold"},
	{x86.CPUID8000000AEDXSpecCtrlVirt, "SpecCtrl"},
}

// caps tells the rest of the hypervisor.
func (p *processor) caps() vcpu.Caps {
	c := vcpu.Caps{
		NextRIP:      p.has(x86.CPUID8000000AEDXNRIPS),
		DecodeAssist: p.has(x86.CPUID8000000AEDXDecodeAssists),
		TSCScaling:   p.has(x86.CPUID8000000AEDXTscRateMsr),
		ASIDs:        p.asids,
		PhysAddrBits: p.physBits,
		MaxPage:      memory.Page2M,
	}
	if p.page1G {
		c.MaxPage = memory.Page1G
	}
	for _, f := range featureNames {
		if p.has(f.bit) {
			c.Features = append(c.Features, f.name)
		}
	}
	return c
}

// features is the same for the loop.
func (p *processor) features() uint32 {
	var f uint32
	for _, x := range [...]struct {
		have bool
		bit  uint32
	}{
		{p.has(x86.CPUID8000000AEDXNRIPS), featureNRIP},
		{p.has(x86.CPUID8000000AEDXDecodeAssists), featureDecode},
		{p.has(x86.CPUID8000000AEDXVmcbClean), featureClean},
		{p.osxsave, featureXSAVE},
		{!p.xsaveErPtr, featureFXLeak},
		{p.rdtscp, featureRDTSCP},
		{p.has(x86.CPUID8000000AEDXTscRateMsr), featureTSCRatio},
		{p.emulated, featureOffer},
	} {
		if x.have {
			f |= x.bit
		}
	}
	return f
}
