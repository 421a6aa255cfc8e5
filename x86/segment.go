package x86

// Bits of Segment.Attr (SDM volume 3C, table "Format of Access Rights").
const (
	AttrTypeMask = 0xF
	AttrS        = 1 << 4 // code or data; 0 is a system segment
	AttrDPLShift = 5
	AttrDPLMask  = 3 << AttrDPLShift
	AttrP        = 1 << 7
	AttrAVL      = 1 << 12
	AttrL        = 1 << 13
	AttrDB       = 1 << 14
	AttrG        = 1 << 15
	AttrUnusable = 1 << 16
	// AttrDescriptor are the bits that come from a descriptor.
	AttrDescriptor = 0xF0FF
)

// Bits of the type of a code or data segment (SDM volume 3A, table "Code- and
// Data-Segment Types").
const (
	TypeAccessed   = 1 << 0
	TypeWritable   = 1 << 1 // data
	TypeReadable   = 1 << 1 // code
	TypeExpandDown = 1 << 2 // data
	TypeConforming = 1 << 2 // code
	TypeCode       = 1 << 3
)

// Types of system segments (SDM volume 3A, table "System-Segment and
// Gate-Descriptor Types").
const (
	TypeTSS16     = 0x1
	TypeLDT       = 0x2
	TypeTSS16Busy = 0x3
	TypeTSS       = 0x9
	TypeTSSBusy   = 0xB
	TypeCallGate  = 0xC
	TypeIntGate   = 0xE
	TypeTrapGate  = 0xF
)

// Bits of a selector.
const (
	SelectorRPL = 3
	SelectorTI  = 1 << 2
)

// Access rights that boot code and reset use, without L, D/B and G.
const (
	AttrCode = AttrP | AttrS | TypeCode | TypeReadable | TypeAccessed // 9BH
	AttrData = AttrP | AttrS | TypeWritable | TypeAccessed            // 93H
)

// Type is the four type bits.
func (s *Segment) Type() uint32 { return s.Attr & AttrTypeMask }

// DPL is the descriptor's privilege level.
func (s *Segment) DPL() uint8 { return uint8(s.Attr & AttrDPLMask >> AttrDPLShift) }

// Usable tells whether an access through s is possible at all.
func (s *Segment) Usable() bool { return s.Attr&(AttrUnusable|AttrP) == AttrP }

// IsCode tells whether s is a code segment.
func (s *Segment) IsCode() bool { return s.Attr&(AttrS|TypeCode) == AttrS|TypeCode }

// CanRead tells whether data may be read through s.
func (s *Segment) CanRead() bool {
	return s.Attr&AttrS != 0 && (s.Attr&TypeCode == 0 || s.Attr&TypeReadable != 0)
}

// CanWrite tells whether data may be written through s.
func (s *Segment) CanWrite() bool {
	return s.Attr&(AttrS|TypeCode|TypeWritable) == AttrS|TypeWritable
}

// IsExpandDown tells whether s is a data segment whose valid offsets lie above
// the limit.
func (s *Segment) IsExpandDown() bool {
	return s.Attr&(AttrS|TypeCode|TypeExpandDown) == AttrS|TypeExpandDown
}

// ParseDescriptor gives the segment register that loading sel with the 8-byte
// descriptor d makes. The base of a system segment in 64-bit mode has 32 more
// bits in the next 8 bytes, which the caller adds.
func ParseDescriptor(sel uint16, d uint64) Segment {
	s := Segment{
		Selector: sel,
		Attr:     uint32(d>>40) & AttrDescriptor,
		Limit:    uint32(d&0xFFFF | d>>32&0xF0000),
		Base:     d>>16&0xFFFFFF | d>>32&0xFF000000,
	}
	if s.Attr&AttrG != 0 {
		s.Limit = s.Limit<<12 | 0xFFF
	}
	return s
}

// Descriptor packs s into an 8-byte descriptor; base bits 63:32 do not fit.
func (s *Segment) Descriptor() uint64 {
	limit := uint64(s.Limit)
	if s.Attr&AttrG != 0 {
		limit >>= 12
	}
	return limit&0xFFFF | limit&0xF0000<<32 |
		s.Base&0xFFFFFF<<16 | s.Base&0xFF000000<<32 |
		uint64(s.Attr&AttrDescriptor)<<40
}
