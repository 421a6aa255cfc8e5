package snapshot

// A payload is a list of fields in a fixed order. Each field is
//
//	kind    1 byte, below
//	length  1 byte: length of the name
//	name    the field's name
//	value   fixed size, or a 4-byte length (elements) and the elements
//
// Integers are little-endian. Names travel with the values, so that a reader
// that expects another field says so instead of taking the wrong bits.
type kind uint8

const (
	kindUint8 kind = iota + 1
	kindUint16
	kindUint32
	kindUint64
	kindBool
	kindBytes
	kindUint32s
	kindUint64s
	kindBegin // starts a group; no value
	kindEnd   // ends the group of that name; no value
	numKinds
)

var kindNames = [numKinds]string{
	kindUint8: "uint8", kindUint16: "uint16", kindUint32: "uint32", kindUint64: "uint64",
	kindBool: "bool", kindBytes: "bytes", kindUint32s: "[]uint32", kindUint64s: "[]uint64",
	kindBegin: "start of group", kindEnd: "end of group",
}

func (k kind) String() string {
	if k < numKinds && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown kind"
}

// Bounds of a payload.
const (
	// MaxName bounds the length in bytes of a field's, schema's or instance's
	// name.
	MaxName = 255
	// MaxPayload bounds the size in bytes of one section. Guest memory goes
	// out in many sections.
	MaxPayload = 16 << 20
	// maxDepth bounds how deep groups nest.
	maxDepth = 16
)
