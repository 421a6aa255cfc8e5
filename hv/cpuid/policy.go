package cpuid

import (
	"errors"
	"fmt"
	"slices"

	"ringo/x86"
)

// ErrFeature says that a feature's name is not known.
var ErrFeature = errors.New("unknown CPUID feature")

// Host executes CPUID on the host.
type Host func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// Config is what a policy depends on besides the host.
type Config struct {
	VCPUs uint32   // 1 or more; each is a core of one socket
	Hide  []string // names of x86.Features that the guest must not see
	TSCHz uint64   // frequency of the guest's TSC, Hz
	// APICHz is the frequency of the APIC timer's clock, Hz.
	APICHz uint64
	// PhysAddrBits bounds the width of a guest-physical address; 0 leaves
	// it to the host.
	PhysAddrBits uint8
}

// registers are the four results of CPUID, indexed by x86.CPUIDRegister.
type registers [4]uint32

// word names one register of one leaf.
type word struct {
	leaf, subleaf uint32
	reg           x86.CPUIDRegister
}

// Policy is what one VM's vCPUs see. It does not change once made.
type Policy struct {
	host     Host
	cfg      Config
	maxBasic uint32 // of the host
	maxExt   uint32 // of the host
	hidden   map[word]uint32
	xcr0     uint64 // components that the guest may enable
	areas    []component
	frozen   bool // made of a Baseline
	foreign  bool // it says another vendor than the host's
}

// New makes a policy. It refuses a name that no feature has.
func New(host Host, cfg Config) (*Policy, error) {
	p := &Policy{host: host, cfg: cfg, hidden: map[word]uint32{}}
	p.maxBasic, _, _, _ = host(x86.CPUIDVendor, 0)
	p.maxExt, _, _, _ = host(x86.CPUIDExtVendor, 0)
	if p.maxExt>>31 == 0 {
		p.maxExt = 0
	}
	for _, name := range cfg.Hide {
		f, ok := x86.FindFeature(name)
		if !ok {
			return nil, fmt.Errorf("%w %q: names are those of Linux's /proc/cpuinfo, such as \"avx2\"", ErrFeature, name)
		}
		p.hide(f)
	}
	p.hideOrphans()
	p.findComponents()
	return p, nil
}

// WithTSC is the same policy for a guest whose TSC has another frequency.
func (p *Policy) WithTSC(hz uint64) *Policy {
	other := *p
	other.cfg.TSCHz = hz
	return &other
}

func (p *Policy) hide(f x86.Feature) {
	p.hidden[word{f.Leaf, f.Subleaf, f.Register}] |= f.Mask
}

// hideOrphans hides each feature that is of no use without one that is not
// there. The table is ordered, so one pass is enough.
func (p *Policy) hideOrphans() {
	for _, d := range dependents {
		if p.Has(d.on) {
			continue
		}
		for _, name := range d.names {
			if f, ok := x86.FindFeature(name); ok {
				p.hide(f)
			}
		}
	}
}

// Has tells whether the guest sees the feature.
func (p *Policy) Has(name string) bool {
	f, ok := x86.FindFeature(name)
	return ok && p.features(f.Leaf, f.Subleaf, f.Register)&f.Mask != 0
}

// Names lists the features that the guest sees.
func (p *Policy) Names() []string {
	var names []string
	for _, f := range x86.Features {
		if p.features(f.Leaf, f.Subleaf, f.Register)&f.Mask != 0 {
			names = append(names, f.Name)
		}
	}
	return slices.Clip(names)
}

// features is a feature word of the guest: the host's bits that are
// supported, and those that are emulated, less the hidden ones.
func (p *Policy) features(leaf, subleaf uint32, r x86.CPUIDRegister) uint32 {
	w := word{leaf, subleaf, r}
	s := supported[w]
	v := p.hostLeaf(leaf, subleaf)[r]&s.host | s.emulated
	return v &^ p.hidden[w]
}

// hostLeaf is the host's answer, or zeros for a leaf that it does not have.
func (p *Policy) hostLeaf(leaf, subleaf uint32) registers {
	if leaf>>31 == 0 && leaf > p.maxBasic || leaf>>31 == 1 && leaf > p.maxExt {
		return registers{}
	}
	a, b, c, d := p.host(leaf, subleaf)
	return registers{a, b, c, d}
}

// Foreign tells whether the guest sees one vendor's processor and runs on
// another's, so that instructions which only the former has raise #UD.
func (p *Policy) Foreign() bool { return p.foreign }

// Frozen tells whether the policy was made of a Baseline.
func (p *Policy) Frozen() bool { return p.frozen }

// AMD tells whether the guest's processor follows AMD's manual.
func (p *Policy) AMD() bool {
	v := p.hostLeaf(x86.CPUIDVendor, 0)
	return v[x86.EBX] == amdEBX && v[x86.EDX] == amdEDX && v[x86.ECX] == amdECX ||
		v[x86.EBX] == hygonEBX
}

// "AuthenticAMD" in EBX, EDX, ECX, and the first letters of "HygonGenuine".
const (
	amdEBX   = 0x68747541
	amdEDX   = 0x69746E65
	amdECX   = 0x444D4163
	hygonEBX = 0x6F677948
)
