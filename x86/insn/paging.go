package insn

import "ringo/x86"

// Phys is guest RAM as a page walk and an instruction fetch need it. Addresses
// are guest-physical and multiples of 8; ok is false where no RAM is.
type Phys interface {
	Load64(gpa uint64) (v uint64, ok bool)
	// CompareAndSwap64 replaces old by new atomically with respect to the
	// guest's processors.
	CompareAndSwap64(gpa, old, new uint64) (swapped, ok bool)
}

// Access is what a walk is for.
type Access uint8

const (
	AccessWrite Access = 1 << iota
	AccessFetch
	AccessUser     // CPL 3 and not an implicit supervisor access
	AccessImplicit // to a descriptor table, TSS or the like: AC does not help
)

// PagingState is the part of the processor's state that paging depends on.
type PagingState struct {
	CR0, CR3, CR4, EFER, RFLAGS uint64
	// PKRU counts only with CR4.PKE.
	PKRU uint32
	// PhysBits is the guest's MAXPHYADDR; 0 means 52, the most there is.
	PhysBits uint8
	// NoPage1G says that the guest's processor has no 1 GiB pages.
	NoPage1G bool

	fault Fault // what Walk returns, so that a fault allocates nothing
}

// Set takes over the registers of s and keeps the rest.
func (p *PagingState) Set(s *x86.State) {
	p.CR0, p.CR3, p.CR4, p.EFER, p.RFLAGS = s.CR0, s.CR3, s.CR4, s.EFER, s.RFLAGS
}

// Translation is where a linear address leads.
type Translation struct {
	GPA      uint64
	PageSize uint64 // bytes mapped by the entry; 4 GiB stands for no paging
	// Flags are the rights that the levels give together, PTEWrite, PTEUser
	// and PTENX, and the last level's PTEDirty, PTEGlobal, PTEPWT and PTEPCD.
	Flags uint64
}

// format is one of the processor's paging modes.
type format struct {
	levels     uint8
	bits       uint8 // of index per level
	entry      uint8 // bytes per entry
	largeLevel uint8 // highest level, from 1, whose entries may map a page
}

var (
	format32  = format{levels: 2, bits: 10, entry: 4, largeLevel: 2}
	formatPAE = format{levels: 3, bits: 9, entry: 8, largeLevel: 2}
	format4   = format{levels: 4, bits: 9, entry: 8, largeLevel: 3}
	format5   = format{levels: 5, bits: 9, entry: 8, largeLevel: 3}
)

// format picks the mode (SDM volume 3A, section 4.1.1 "Four Paging Modes").
func (p *PagingState) format() *format {
	switch {
	case p.CR4&x86.CR4PAE == 0:
		return &format32
	case p.EFER&x86.EFERLMA == 0:
		return &formatPAE
	case p.CR4&x86.CR4LA57 != 0:
		return &format5
	}
	return &format4
}

// walkTries bounds how often a walk starts over because an entry changed under
// it.
const walkTries = 8

// Walk translates the linear address gva as the processor does: it checks
// rights and reserved bits and sets accessed and dirty bits. The error is a
// *Fault (page fault), valid until the next Walk with p; ErrNotRAM for a table
// outside RAM; or ErrAgain. gva is canonical, or below 4 GiB outside IA-32e
// mode. PAE's page-directory pointers are read from memory, as AMD's
// processors do under nested paging.
func Walk(mem Phys, p *PagingState, gva uint64, access Access) (Translation, error) {
	if p.CR0&x86.CR0PG == 0 {
		return Translation{GPA: gva, PageSize: 1 << 32, Flags: x86.PTEWrite | x86.PTEUser | x86.PTEDirty}, nil
	}
	if p.EFER&x86.EFERLMA != 0 {
		if t, ok := p.fastWalk(mem, gva, access); ok {
			return t, nil
		}
	}
	return p.fullWalk(mem, gva, access)
}

// fullWalk is Walk with paging on, for everything that fastWalk leaves.
func (p *PagingState) fullWalk(mem Phys, gva uint64, access Access) (Translation, error) {
	for range walkTries {
		w := walker{mem: mem, p: p, f: p.format(), gva: gva, access: access}
		t, err := w.walk()
		if err != ErrAgain {
			return t, err
		}
	}
	return Translation{}, ErrAgain
}

// step is one entry on the way.
type step struct{ gpa, entry uint64 }

// walker is the state of one walk.
type walker struct {
	mem    Phys
	p      *PagingState
	f      *format
	gva    uint64
	access Access
	path   [5]step
	flags  uint64
}

// walk goes from CR3 to the entry that maps the page.
func (w *walker) walk() (Translation, error) {
	table := w.root()
	w.flags = x86.PTEWrite | x86.PTEUser
	for level := w.f.levels; ; level-- {
		s := &w.path[level-1]
		s.gpa = table + w.index(level)*uint64(w.f.entry)
		if err := w.load(s); err != nil {
			return Translation{}, err
		}
		if s.entry&x86.PTEPresent == 0 {
			return Translation{}, w.fault(0)
		}
		leaf := level == 1 || w.isLarge(level, s.entry)
		if s.entry&w.reserved(level, leaf) != 0 {
			return Translation{}, w.fault(x86.PFPresent | x86.PFReserved)
		}
		w.combine(level, s.entry)
		if leaf {
			return w.finish(level, s.entry)
		}
		table = s.entry & w.addrMask()
	}
}

// root is the address of the top table.
func (w *walker) root() uint64 {
	switch w.f.levels {
	case 2:
		return w.p.CR3 & x86.CR3Mask32
	case 3:
		return w.p.CR3 & x86.CR3MaskPAE
	}
	return w.p.CR3 & x86.CR3MaskLong
}

// addrMask selects an entry's address.
func (w *walker) addrMask() uint64 {
	if w.f.entry == 4 {
		return x86.CR3Mask32
	}
	return x86.PTEAddrMask
}

// shift is the number of address bits below level's index.
func (w *walker) shift(level uint8) uint { return 12 + uint(level-1)*uint(w.f.bits) }

// index is gva's index in a table of that level. PAE's top table has four
// entries, which the 32 bits of gva see to.
func (w *walker) index(level uint8) uint64 {
	return w.gva >> w.shift(level) & (1<<w.f.bits - 1)
}

// load reads an entry, of 4 or 8 bytes.
func (w *walker) load(s *step) error {
	v, ok := w.mem.Load64(s.gpa &^ 7)
	if !ok {
		return ErrNotRAM
	}
	if w.f.entry == 4 {
		v = v >> (s.gpa & 4 * 8) & 0xFFFFFFFF
	}
	s.entry = v
	return nil
}

// isLarge tells whether an entry above the last level maps a page.
func (w *walker) isLarge(level uint8, entry uint64) bool {
	if entry&x86.PTEPageSize == 0 || level > w.f.largeLevel || level == 3 && w.p.NoPage1G {
		return false
	}
	return w.f.entry == 8 || w.p.CR4&x86.CR4PSE != 0
}

// combine takes an entry into the rights so far. PAE's top entries carry none.
func (w *walker) combine(level uint8, entry uint64) {
	if w.f.levels == 3 && level == 3 {
		return
	}
	w.flags &= entry | ^uint64(x86.PTEWrite|x86.PTEUser)
	if w.nxOn() {
		w.flags |= entry & x86.PTENX
	}
}

// nxOn tells whether bit 63 of an entry means no-execute.
func (w *walker) nxOn() bool { return w.f.entry == 8 && w.p.EFER&x86.EFERNXE != 0 }

// finish checks the rights, sets the accessed and dirty bits and composes the
// address.
func (w *walker) finish(level uint8, entry uint64) (Translation, error) {
	if code := w.denied(entry); code != 0 {
		return Translation{}, w.fault(code)
	}
	if err := w.mark(level); err != nil {
		return Translation{}, err
	}
	size := uint64(1) << w.shift(level)
	base := entry & w.addrMask() &^ (size - 1)
	if w.f.entry == 4 && level == 2 {
		base |= entry >> 13 & 0xFF << 32 // PSE-36
	}
	const last = x86.PTEDirty | x86.PTEGlobal | x86.PTEPWT | x86.PTEPCD
	return Translation{
		GPA:      base | w.gva&(size-1),
		PageSize: size,
		Flags:    w.flags | w.path[level-1].entry&last,
	}, nil
}
