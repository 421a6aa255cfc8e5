package acpi

import "ringo/boot/layout"

// madtRevision is the revision of the table in ACPI 6.3.
const madtRevision = 5

// Types of the interrupt controller structures.
const (
	typeLocalAPIC       = 0
	typeIOAPIC          = 1
	typeSourceOverride  = 2
	typeLocalAPICNMI    = 4
	typeLocalX2APIC     = 9
	typeLocalX2APICNMI  = 10
	madtPCATCompat      = 1 << 0 // two 8259A are there too
	localAPICEnabled    = 1 << 0
	maxXAPICID          = 254 // an ID above needs the x2APIC forms
	allProcessors       = 0xFF
	allX2APICProcessors = 0xFFFF_FFFF
	nmiLINT             = 1
	busISA              = 0
)

// MPS INTI flags: polarity in bits 1:0, trigger mode in bits 3:2.
const (
	intiConforms        = 0
	intiActiveHighEdge  = 1<<2 | 1
	intiActiveHighLevel = 3<<2 | 1
)

type madt struct {
	LocalAPICAddress uint32
	Flags            uint32
}

type localAPIC struct {
	Type, Length       uint8
	ProcessorUID, APIC uint8
	Flags              uint32
}

type localX2APIC struct {
	Type, Length uint8
	_            uint16
	X2APIC       uint32
	Flags        uint32
	ProcessorUID uint32
}

type ioAPIC struct {
	Type, Length uint8
	ID           uint8
	_            uint8
	Address      uint32
	GSIBase      uint32
}

type sourceOverride struct {
	Type, Length uint8
	Bus, Source  uint8
	GSI          uint32
	Flags        uint16
}

type localAPICNMI struct {
	Type, Length uint8
	ProcessorUID uint8
	Flags        uint16
	LINT         uint8
}

type localX2APICNMI struct {
	Type, Length uint8
	Flags        uint16
	ProcessorUID uint32
	LINT         uint8
	_            [3]uint8
}

// newMADT describes the interrupt controllers of a machine with n processors,
// whose APIC IDs and UIDs are 0 to n-1.
func newMADT(n int) ([]byte, error) {
	parts := []any{madt{uint32(layout.LAPICBase), madtPCATCompat}}
	for id := range n {
		parts = append(parts, processor(uint32(id)))
	}
	parts = append(parts,
		ioAPIC{Type: typeIOAPIC, Length: 12, ID: layout.IOAPICID, Address: uint32(layout.IOAPICBase)},
		sourceOverride{typeSourceOverride, 10, busISA, layout.PITIRQ, layout.PITGSI, intiConforms},
		sourceOverride{typeSourceOverride, 10, busISA, layout.SCIIRQ, layout.SCIIRQ, intiActiveHighLevel},
		localAPICNMI{typeLocalAPICNMI, 6, allProcessors, intiActiveHighEdge, nmiLINT},
	)
	if n > maxXAPICID+1 {
		parts = append(parts, localX2APICNMI{
			Type: typeLocalX2APICNMI, Length: 12, Flags: intiActiveHighEdge,
			ProcessorUID: allX2APICProcessors, LINT: nmiLINT,
		})
	}
	return table("APIC", madtRevision, parts...)
}

// processor is the entry of one local APIC, in the short form if its ID fits.
func processor(id uint32) any {
	if id <= maxXAPICID {
		return localAPIC{typeLocalAPIC, 8, uint8(id), uint8(id), localAPICEnabled}
	}
	return localX2APIC{Type: typeLocalX2APIC, Length: 16, X2APIC: id, Flags: localAPICEnabled, ProcessorUID: id}
}
