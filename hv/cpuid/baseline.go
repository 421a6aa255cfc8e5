package cpuid

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringo/x86"
)

// ErrBaseline says that a baseline describes no processor that this build can
// present, or that a host cannot present it.
var ErrBaseline = errors.New("baseline not possible")

// Vendor is the name that CPUID leaf 0 gives.
type Vendor string

// The vendors whose processors a baseline can name.
const (
	Intel Vendor = "GenuineIntel"
	AMD   Vendor = "AuthenticAMD"
)

// Baseline describes a processor in full: what CPUID answers to its guests
// depends on nothing else, neither on the host nor on what later builds can
// do. A guest on it moves between all hosts that can present it, whichever
// vendor made them.
type Baseline struct {
	Vendor       Vendor   // what guests are told
	PhysAddrBits uint8    // MAXPHYADDR, the smallest of all hosts'
	Features     []string // names of x86.Features: these are shown and no other
}

// oneVendor are features that only one vendor's processors have, or that mean
// something else on the other's.
var oneVendor = []string{
	"sse4a", "misalignsse", "xop", "fma4", "tbm", "topoext", "cr8_legacy", // AMD's
	"mmxext", "fxsr_opt", "3dnowext", "3dnow", "clzero", "xsaveerptr",
	"no_nested_data_bp", "fsgs_non_serializing", "lfence_rdtsc", "null_sel_clr_base",
	"fdp_excptn_only", "zero_fcs_fds", "md_clear", // Intel's
}

// ownPlace are features whose XSAVE components have different offsets in the
// standard format on the vendors' processors (CPUID leaf 0DH): AMD has no MPX
// in front of them.
var ownPlace = []string{"avx512f", "pku"}

// tscBound are features that promise a TSC of one frequency, which a host that
// cannot scale it does not keep.
var tscBound = []string{"tsc_deadline_timer", "invtsc"}

// Offer is the baseline with all that a host can present to guests that move.
// physBits bounds MAXPHYADDR as Config.PhysAddrBits does.
func Offer(host Host, physBits uint8) (Baseline, error) {
	p, err := New(host, Config{VCPUs: 1, PhysAddrBits: physBits})
	if err != nil {
		return Baseline{}, err
	}
	b := Baseline{Vendor: Intel, PhysAddrBits: p.PhysAddrBits()}
	if p.AMD() {
		b.Vendor = AMD
	}
	for _, name := range p.Names() {
		if stays(name) == "" && !slices.Contains(tscBound, name) {
			b.Features = append(b.Features, name)
		}
	}
	return b, nil
}

// stays says why a feature cannot be in a baseline, or "".
func stays(name string) string {
	if slices.Contains(oneVendor, name) {
		return "only one vendor's processors have it"
	}
	if slices.Contains(ownPlace, name) || needs(name, ownPlace) {
		return "the place of its XSAVE state differs between the vendors"
	}
	f, ok := x86.FindFeature(name)
	if s := supported[word{f.Leaf, f.Subleaf, f.Register}]; !ok || (s.host|s.emulated)&f.Mask == 0 {
		return "this build does not support it"
	}
	return ""
}

// needs tells whether a feature is of no use without one of those.
func needs(name string, on []string) bool {
	for _, d := range dependents {
		if slices.Contains(on, d.on) && slices.Contains(d.names, name) {
			return true
		}
	}
	return false
}

// Intersect is what hosts with either baseline can present, under b's vendor.
func (b Baseline) Intersect(other Baseline) Baseline {
	r := Baseline{Vendor: b.Vendor, PhysAddrBits: min(b.PhysAddrBits, other.PhysAddrBits)}
	for _, name := range b.Features {
		if slices.Contains(other.Features, name) {
			r.Features = append(r.Features, name)
		}
	}
	return r
}

// String describes the baseline in a line.
func (b Baseline) String() string {
	return fmt.Sprintf("%s, %d address bits: %s", b.Vendor, b.PhysAddrBits, strings.Join(b.Features, " "))
}

// minPhysAddrBits is that of the first processors with PAE (SDM volume 3A,
// section 4.1.4); 52 is the most that page tables hold.
const minPhysAddrBits, maxPhysAddrBits = 36, 52

// check refuses a baseline that describes no processor.
func (b *Baseline) check() error {
	if b.Vendor != Intel && b.Vendor != AMD {
		return fmt.Errorf("%w: vendor %q: it must be %q or %q", ErrBaseline, b.Vendor, Intel, AMD)
	}
	if b.PhysAddrBits < minPhysAddrBits || b.PhysAddrBits > maxPhysAddrBits {
		return fmt.Errorf("%w: %d address bits: %d to %d are possible", ErrBaseline, b.PhysAddrBits, minPhysAddrBits, maxPhysAddrBits)
	}
	for _, name := range b.Features {
		if _, ok := x86.FindFeature(name); !ok {
			return fmt.Errorf("%w: %w %q", ErrBaseline, ErrFeature, name)
		}
		if why := stays(name); why != "" {
			return fmt.Errorf("%w: feature %q: %s", ErrBaseline, name, why)
		}
	}
	return nil
}

// fits refuses a baseline that the host cannot present, naming what it lacks.
func (b *Baseline) fits(host *Policy) error {
	var lacks []string
	for _, name := range b.Features {
		if !host.Has(name) {
			lacks = append(lacks, name)
		}
	}
	switch have := host.PhysAddrBits(); {
	case len(lacks) != 0:
		return fmt.Errorf("%w: this host lacks %s", ErrBaseline, strings.Join(lacks, ", "))
	case b.PhysAddrBits > have:
		return fmt.Errorf("%w: MAXPHYADDR %d: this host has %d address bits", ErrBaseline, b.PhysAddrBits, have)
	case !slices.Contains(b.Features, "avx"):
		return nil
	}
	if c := host.component(avxIndex); c.size != avxSize || c.offset != avxOffset {
		return fmt.Errorf("%w: XSAVE component AVX has %d bytes at %d on this host; the baseline has %d at %d",
			ErrBaseline, c.size, c.offset, avxSize, avxOffset)
	}
	return nil
}

// NewFrozen makes the policy that is just the baseline, for a VM on host. The
// width of addresses and the hidden features of cfg bound what the host is
// taken to have.
func NewFrozen(host Host, cfg Config, b Baseline) (*Policy, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	real, err := New(host, Config{VCPUs: 1, Hide: cfg.Hide, PhysAddrBits: cfg.PhysAddrBits})
	if err != nil {
		return nil, err
	}
	if err := b.fits(real); err != nil {
		return nil, err
	}
	cfg.PhysAddrBits, cfg.Hide = b.PhysAddrBits, b.unlisted()
	p, err := New(b.host(), cfg)
	if err != nil {
		return nil, err
	}
	for _, name := range b.Features {
		if !p.Has(name) {
			return nil, fmt.Errorf("%w: feature %q needs another that the baseline does not list", ErrBaseline, name)
		}
	}
	p.frozen, p.foreign = true, p.AMD() != real.AMD()
	return p, nil
}

// unlisted are the emulated features that the baseline leaves out.
func (b *Baseline) unlisted() (names []string) {
	for _, f := range x86.Features {
		if supported[word{f.Leaf, f.Subleaf, f.Register}].emulated&f.Mask != 0 && !b.has(f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}
