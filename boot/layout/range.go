package layout

import (
	"fmt"

	"ringo/memory"
)

// Range is the guest-physical bytes [Start, Start+Size).
type Range struct {
	Start memory.GPA
	Size  uint64
}

// End is the first address after the range. It is right for every range whose
// end is at most 2^64-1; loaders check that before they make one.
func (r Range) End() memory.GPA { return r.Start + memory.GPA(r.Size) }

// Contains says whether all of o lies in r.
func (r Range) Contains(o Range) bool {
	return o.Start >= r.Start && o.Size <= r.Size &&
		uint64(o.Start-r.Start) <= r.Size-o.Size
}

// Overlaps says whether r and o share a byte.
func (r Range) Overlaps(o Range) bool {
	return r.Size != 0 && o.Size != 0 && r.Start < o.End() && o.Start < r.End()
}

// String gives the range as people write it: first to last byte.
func (r Range) String() string {
	if r.Size == 0 {
		return fmt.Sprintf("[%#x, empty]", uint64(r.Start))
	}
	return fmt.Sprintf("[%#x-%#x]", uint64(r.Start), uint64(r.End()-1))
}
