package image

import (
	"fmt"

	"ringo/boot/layout"
	"ringo/memory"
)

// Low memory that every protocol uses the same way. The first page stays free
// for the BIOS data area.
const (
	gdtBase     memory.GPA = 0x1000
	gdtArea                = 0x1000
	InfoBase    memory.GPA = 0x2000 // boot_params, start info or multiboot info
	InfoSize               = 0x6000
	tableBase   memory.GPA = 0x8000 // identity page tables
	tableSize              = 6 << 12
	CmdlineBase memory.GPA = 0x1_0000
	// CmdlineSize is the most that a command line may take, its NUL included.
	CmdlineSize = 0x1_0000
)

// claim is memory that a named part of the guest takes.
type claim struct {
	what string
	at   layout.Range
}

// Plan records what each part of guest memory holds, so that no part is
// written over another. It ends with the load.
type Plan struct {
	usable []layout.Range
	claims []claim
}

// NewPlan starts a plan in which the loader's own structures are taken.
func NewPlan(l *layout.Layout) *Plan {
	return &Plan{
		usable: l.Usable(),
		claims: []claim{
			{"the BIOS data area", layout.Range{Start: 0, Size: 0x1000}},
			{"the boot GDT", layout.Range{Start: gdtBase, Size: gdtArea}},
			{"the boot information", layout.Range{Start: InfoBase, Size: InfoSize}},
			{"the boot page tables", layout.Range{Start: tableBase, Size: tableSize}},
			{"the command line", layout.Range{Start: CmdlineBase, Size: CmdlineSize}},
		},
	}
}

// Claim takes n bytes at start for what, or says why it cannot.
func (p *Plan) Claim(what string, start, n uint64) (layout.Range, error) {
	r := layout.Range{Start: memory.GPA(start), Size: n}
	if start+n < start {
		return r, fmt.Errorf("%w: %s wants %#x bytes at %#x, which is past the end of the address space; the image is damaged",
			ErrNoRoom, what, n, start)
	}
	if !p.inRAM(r) {
		return r, fmt.Errorf("%w: %s wants %v, usable RAM is %v; give the guest more memory",
			ErrNoRoom, what, r, p.usable)
	}
	for _, c := range p.claims {
		if c.at.Overlaps(r) {
			return r, fmt.Errorf("%w: %s wants %v, but %s is at %v; link the image elsewhere",
				ErrOverlap, what, r, c.what, c.at)
		}
	}
	p.claims = append(p.claims, claim{what, r})
	return r, nil
}

// Place takes n bytes for what at the highest free multiple of align, a power
// of two, such that they end at or below limit.
func (p *Plan) Place(what string, n, align uint64, limit memory.GPA) (layout.Range, error) {
	for i := len(p.usable) - 1; i >= 0; i-- {
		if start, ok := p.highest(p.usable[i], n, align, limit); ok {
			return p.Claim(what, uint64(start), n)
		}
	}
	return layout.Range{}, fmt.Errorf("%w: %s takes %d bytes below %#x, usable RAM is %v; give the guest more memory",
		ErrNoRoom, what, n, uint64(limit), p.usable)
}

// highest finds the highest place for n bytes in u. Each step moves below one
// more claim, so it ends after at most one step for each.
func (p *Plan) highest(u layout.Range, n, align uint64, limit memory.GPA) (memory.GPA, bool) {
	end := min(u.End(), limit)
	for {
		if end < u.Start || uint64(end-u.Start) < n {
			return 0, false
		}
		start := (end - memory.GPA(n)) &^ memory.GPA(align-1)
		if start < u.Start {
			return 0, false
		}
		c, ok := p.conflict(layout.Range{Start: start, Size: n})
		if !ok {
			return start, true
		}
		end = c.Start
	}
}

// conflict finds a claim that overlaps r.
func (p *Plan) conflict(r layout.Range) (layout.Range, bool) {
	for _, c := range p.claims {
		if c.at.Overlaps(r) {
			return c.at, true
		}
	}
	return layout.Range{}, false
}

// inRAM says whether all of r is usable memory.
func (p *Plan) inRAM(r layout.Range) bool {
	for _, u := range p.usable {
		if u.Contains(r) {
			return true
		}
	}
	return false
}
