package snapshot

import "hash/crc32"

// A stream is a header, sections and an end mark. All integers are
// little-endian.
//
//	header    8 bytes streamMagic, 4 bytes streamVersion
//	section   1 byte  tagSection or tagRepeat
//	          1 byte  length of the schema's name
//	          1 byte  length of the instance's name
//	          4 bytes schema version
//	          4 bytes length of the payload
//	          schema's name, instance's name, payload
//	          4 bytes CRC-32C of all bytes of the section before it
//	end       1 byte  tagEnd
//	          8 bytes number of sections
//	          4 bytes CRC-32C of the 9 bytes before it
//
// A tagSection may come once for each schema name and instance; a tagRepeat
// may come again and again (guest memory in rounds).
const (
	streamMagic   = "RINGOSNP"
	streamVersion = 1

	tagSection = 'S'
	tagRepeat  = 'R'
	tagEnd     = 'E'

	headerSize  = 12
	sectionSize = 11 // fixed part in front of the names
	endSize     = 13
	sumSize     = 4

	// maxSections bounds the sections that may come once, because the Reader
	// remembers them.
	maxSections = 1 << 16
)

// castagnoli is the polynomial that processors compute in hardware.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Section is one saved state of a stream.
type Section struct {
	Schema
	// Instance tells several states of one schema apart ("com1", "vcpu3").
	Instance string
	// Repeat marks a section that may come more than once.
	Repeat  bool
	Payload []byte
}

// Decoder reads the section's payload.
func (s *Section) Decoder() *Decoder { return NewDecoder(s.Schema, s.Payload) }

type sectionKey struct{ schema, instance string }
