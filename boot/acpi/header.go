package acpi

import (
	"encoding/binary"
	"fmt"
)

// Who made the tables, as every header says it.
var (
	oemID      = [6]byte([]byte("RINGO "))
	oemTableID = [8]byte([]byte("RINGO-1 "))
	creatorID  = [4]byte([]byte("RNGO"))
)

const (
	oemRevision     = 1
	creatorRevision = 1
	checksumOffset  = 9
)

// header is the System Description Table Header ("DESCRIPTION_HEADER Fields").
type header struct {
	Signature       [4]byte
	Length          uint32
	Revision        uint8
	Checksum        uint8
	OEMID           [6]byte
	OEMTableID      [8]byte
	OEMRevision     uint32
	CreatorID       [4]byte
	CreatorRevision uint32
}

// table makes a table: header, then each part encoded, with the length and
// the checksum right.
func table(signature string, revision uint8, parts ...any) ([]byte, error) {
	h := header{
		Signature: [4]byte([]byte(signature)), Revision: revision,
		OEMID: oemID, OEMTableID: oemTableID, OEMRevision: oemRevision,
		CreatorID: creatorID, CreatorRevision: creatorRevision,
	}
	b, err := encode(append([]any{h}, parts...)...)
	if err != nil {
		return nil, fmt.Errorf("ACPI table %s: %w", signature, err)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	b[checksumOffset] = checksum(b)
	return b, nil
}

// encode puts the parts one after another, little-endian.
func encode(parts ...any) ([]byte, error) {
	var b []byte
	for _, p := range parts {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, p); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// checksum is the byte that makes the sum of b zero, where b has a zero in
// its place.
func checksum(b []byte) byte {
	var sum byte
	for _, c := range b {
		sum += c
	}
	return -sum
}
