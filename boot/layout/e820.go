package layout

// Type is what a range of the memory map is (ACPI Specification, table
// "Address Range Types"). PVH and multiboot use the same numbers.
type Type uint32

const (
	TypeMemory   Type = 1 // AddressRangeMemory
	TypeReserved Type = 2 // AddressRangeReserved
	TypeACPI     Type = 3 // AddressRangeACPI
	TypeNVS      Type = 4 // AddressRangeNVS
)

// Entry is one line of the memory map.
type Entry struct {
	Range
	Type Type
}

// E820 is the memory map that the guest is told, in ascending order and
// without overlaps. What is in no entry is not decoded, or is a device.
func (l *Layout) E820() []Entry {
	m := []Entry{
		{Range{0, uint64(EBDABase)}, TypeMemory},
		{Range{EBDABase, uint64(LowEnd - EBDABase)}, TypeReserved},
		{Range{BIOSBase, BIOSSize}, TypeReserved},
		{Range{HighBase, uint64(l.ACPI.Start - HighBase)}, TypeMemory},
		{l.ACPI, TypeACPI},
		{l.NVS, TypeNVS},
	}
	for _, r := range l.RAM[1:] {
		m = append(m, Entry{r, TypeMemory})
	}
	return m
}

// Usable is the ranges of the memory map that are ordinary memory.
func (l *Layout) Usable() []Range {
	var u []Range
	for _, e := range l.E820() {
		if e.Type == TypeMemory {
			u = append(u, e.Range)
		}
	}
	return u
}
