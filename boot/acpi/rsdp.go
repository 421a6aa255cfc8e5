package acpi

import "ringo/memory"

const (
	xsdtRevision = 1
	rsdpRevision = 2
	rsdpSize     = 36
	rsdpV1Size   = 20 // what Checksum covers
	rsdpSum      = 8  // offset of Checksum
	rsdpExtSum   = 32 // offset of ExtendedChecksum
)

// rsdp is the Root System Description Pointer ("RSDP Structure").
type rsdp struct {
	Signature        [8]byte
	Checksum         uint8
	OEMID            [6]byte
	Revision         uint8
	RSDTAddress      uint32
	Length           uint32
	XSDTAddress      uint64
	ExtendedChecksum uint8
	_                [3]uint8
}

// newRSDP makes the RSDP. There is no RSDT: every system that runs in 64-bit
// mode reads the XSDT.
func newRSDP(xsdt memory.GPA) ([]byte, error) {
	b, err := encode(rsdp{
		Signature: [8]byte([]byte("RSD PTR ")), OEMID: oemID, Revision: rsdpRevision,
		Length: rsdpSize, XSDTAddress: uint64(xsdt),
	})
	if err != nil {
		return nil, err
	}
	b[rsdpSum] = checksum(b[:rsdpV1Size])
	b[rsdpExtSum] = checksum(b)
	return b, nil
}
