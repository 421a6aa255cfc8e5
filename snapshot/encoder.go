package snapshot

import (
	"encoding/binary"
	"fmt"
)

// Encoder collects the fields of one state. It is deterministic: the same
// calls give the same bytes. The first error sticks and is returned by Payload;
// calls after it do nothing, so a Save need not check each field.
type Encoder struct {
	schema Schema
	buf    []byte
	groups []string
	err    error
}

// NewEncoder makes an empty Encoder for a state of that schema; the schema
// appears in errors only, the Writer stores it.
func NewEncoder(s Schema) *Encoder { return &Encoder{schema: s} }

// Uint8 adds an 8-bit field.
func (e *Encoder) Uint8(name string, v uint8) { e.field(kindUint8, name, v) }

// Uint16 adds a 16-bit field.
func (e *Encoder) Uint16(name string, v uint16) {
	e.field(kindUint16, name, byte(v), byte(v>>8))
}

// Uint32 adds a 32-bit field.
func (e *Encoder) Uint32(name string, v uint32) {
	e.field(kindUint32, name)
	e.append32(v)
}

// Uint64 adds a 64-bit field.
func (e *Encoder) Uint64(name string, v uint64) {
	e.field(kindUint64, name)
	e.append64(v)
}

// Int64 adds a signed field; it travels as its two's complement.
func (e *Encoder) Int64(name string, v int64) { e.Uint64(name, uint64(v)) }

// Bool adds a truth value.
func (e *Encoder) Bool(name string, v bool) {
	var b byte
	if v {
		b = 1
	}
	e.field(kindBool, name, b)
}

// Bytes adds a byte string.
func (e *Encoder) Bytes(name string, p []byte) {
	if !e.fits(name, len(p)) {
		return
	}
	e.field(kindBytes, name)
	e.append32(uint32(len(p)))
	e.append(p...)
}

// String adds a text.
func (e *Encoder) String(name, s string) { e.Bytes(name, []byte(s)) }

// Uint32s adds a list of 32-bit numbers.
func (e *Encoder) Uint32s(name string, v []uint32) {
	if !e.fits(name, 4*len(v)) {
		return
	}
	e.field(kindUint32s, name)
	e.append32(uint32(len(v)))
	for _, x := range v {
		e.append32(x)
	}
}

// Uint64s adds a list of 64-bit numbers.
func (e *Encoder) Uint64s(name string, v []uint64) {
	if !e.fits(name, 8*len(v)) {
		return
	}
	e.field(kindUint64s, name)
	e.append32(uint32(len(v)))
	for _, x := range v {
		e.append64(x)
	}
}

// Begin starts a group of fields; End ends it. Groups nest.
func (e *Encoder) Begin(name string) {
	if len(e.groups) >= maxDepth {
		e.fail(name, fmt.Errorf("%w: groups nest deeper than %d", ErrTooLarge, maxDepth))
		return
	}
	e.field(kindBegin, name)
	e.groups = append(e.groups, name)
}

// End ends the group that Begin started last.
func (e *Encoder) End() {
	n := len(e.groups)
	if n == 0 {
		e.fail("", fmt.Errorf("%w: End without Begin", ErrField))
		return
	}
	name := e.groups[n-1]
	e.groups = e.groups[:n-1]
	e.field(kindEnd, name)
}

// Payload is the encoded state. It fails if a call
// before it failed, or if a group is still open.
func (e *Encoder) Payload() ([]byte, error) {
	if e.err == nil && len(e.groups) != 0 {
		e.fail(e.groups[len(e.groups)-1], fmt.Errorf("%w: group was not ended", ErrField))
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.buf, nil
}

// Err is the first error so far.
func (e *Encoder) Err() error { return e.err }

func (e *Encoder) field(k kind, name string, value ...byte) {
	if e.err == nil && (len(name) == 0 || len(name) > MaxName) {
		e.fail(name, fmt.Errorf("%w: a name has 1 to %d bytes, not %d", ErrField, MaxName, len(name)))
	}
	e.append(byte(k), byte(len(name)))
	e.append([]byte(name)...)
	e.append(value...)
}

// fits refuses a value before it is encoded, so that a huge one costs nothing.
func (e *Encoder) fits(name string, n int) bool {
	if e.err == nil && len(e.buf)+n > MaxPayload {
		e.fail(name, fmt.Errorf("%w: the state would pass %d bytes", ErrTooLarge, MaxPayload))
	}
	return e.err == nil
}

func (e *Encoder) append(p ...byte) {
	if e.fits("", len(p)) {
		e.buf = append(e.buf, p...)
	}
}

func (e *Encoder) append32(v uint32) {
	if e.fits("", 4) {
		e.buf = binary.LittleEndian.AppendUint32(e.buf, v)
	}
}

func (e *Encoder) append64(v uint64) {
	if e.fits("", 8) {
		e.buf = binary.LittleEndian.AppendUint64(e.buf, v)
	}
}

func (e *Encoder) fail(name string, err error) {
	if e.err == nil {
		e.err = fmt.Errorf("save %s: field %q: %w", e.schema, name, err)
	}
}
