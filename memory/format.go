package memory

// Format is one vendor's layout of a table entry, as data, so that the walker
// makes no indirect call. A processor uses an entry that has any bit of
// Present set. An entry of zero maps nothing; a page without rights is not
// present but keeps its address.
type Format struct {
	Name string

	// Rights are an entry's bits for each Prot. A combination that the format
	// cannot say has the bits of the next wider one.
	Rights     [RWX + 1]uint64
	RightsMask uint64 // every bit that Rights can hold
	Present    uint64 // the processor uses an entry that has any of them
	Table      uint64 // of an entry that leads to another table
	Large      uint64 // makes an entry of level 2 or 3 a page

	// Types are the bits of a 4 KiB page for each memory type, LargeTypes
	// those of a larger page. TypesKnown has bit 1<<t for each type t that
	// can be said.
	Types, LargeTypes [8]uint64
	TypesKnown        uint8

	Accessed, Dirty uint64
	// AddressBits is the width of a host-physical address in an entry.
	AddressBits uint8
	// MaxPage is the largest page that the processor takes.
	MaxPage PageSize
}

// Bits of an entry that both vendors leave to software.
const (
	// entryMapped is in every page's entry, so that one without rights at
	// address 0 is not mistaken for nothing.
	entryMapped = 1 << 55
	// entryFrozen is the whole entry in a table that is being taken away:
	// nobody may map there any more.
	entryFrozen = 1 << 56
)

// Shape of the tables: four levels of 512 entries translate 48 bits.
const (
	levels     = 4
	levelBits  = 9
	entryCount = 1 << levelBits
	pageShift  = 12
	pageMask   = 1<<pageShift - 1
	largeShift = pageShift + levelBits
	largeMask  = 1<<largeShift - 1
	maxGPA     = 1 << (pageShift + levels*levelBits)
)

// shift is the number of address bits below those that index level l.
func shift(l int) uint { return uint(pageShift + (l-1)*levelBits) }

// span is the number of bytes that one entry of level l covers.
func span(l int) uint64 { return 1 << shift(l) }

// index is g's entry in a table of level l.
func index(g GPA, l int) uint64 { return uint64(g) >> shift(l) % entryCount }

// levelOf is the level whose entries map pages of size s, 0 if there is none.
func levelOf(s PageSize) int {
	for l := 1; l < levels; l++ {
		if span(l) == uint64(s) {
			return l
		}
	}
	return 0
}

// sound tells whether the format hangs together with what the walker assumes.
func (f *Format) sound() bool {
	used := f.RightsMask | f.Present | f.Table | f.Large | f.Accessed | f.Dirty
	return f.Present != 0 && f.Table&f.Present != 0 && f.Table&f.Large == 0 && f.Large != 0 &&
		f.Rights[0]&f.Present == 0 && used&(entryMapped|entryFrozen|f.addressMask(1)) == 0 &&
		f.AddressBits >= 32 && f.AddressBits <= 52 && levelOf(f.MaxPage) != 0
}

// addressMask covers the address bits of an entry that maps at level l.
func (f *Format) addressMask(l int) uint64 {
	return (1<<f.AddressBits - 1) &^ (span(l) - 1)
}

// isPage tells whether a non-zero entry of level l maps a page.
func (f *Format) isPage(e uint64, l int) bool { return l == 1 || e&f.Large != 0 }

// page makes the entry of level l for a page at h.
func (f *Format) page(h HPA, l int, p Prot, t Type) uint64 {
	e := uint64(h) | f.Rights[p] | entryMapped
	if l == 1 {
		return e | f.Types[t]
	}
	return e | f.Large | f.LargeTypes[t]
}

// table makes the entry that leads to the table at h.
func (f *Format) table(h HPA) uint64 { return uint64(h) | f.Table }

// address is where the page of entry e, level l, starts.
func (f *Format) address(e uint64, l int) HPA { return HPA(e & f.addressMask(l)) }

// tableAt is the address of the table that entry e leads to.
func (f *Format) tableAt(e uint64) HPA { return HPA(e & f.addressMask(1)) }

// prot is what entry e allows; of equal encodings the widest is its name.
func (f *Format) prot(e uint64) Prot {
	for p := RWX; p > 0; p-- {
		if f.Rights[p] == e&f.RightsMask {
			return p
		}
	}
	return 0
}

// smaller makes the first entry of the table that replaces the page e of level
// l. Each next entry is span(l-1) more.
func (f *Format) smaller(e uint64, l int) uint64 {
	if l-1 > 1 {
		return e
	}
	var mask uint64
	for _, bits := range f.LargeTypes {
		mask |= bits
	}
	rest := e &^ mask &^ f.Large
	for t, bits := range f.LargeTypes {
		if f.TypesKnown>>t&1 != 0 && bits == e&mask {
			return rest | f.Types[t]
		}
	}
	return rest
}
