package snapshot

import (
	"encoding/binary"
	"fmt"
)

// Decoder reads back what an Encoder wrote, field by field, in the same
// order. It trusts nothing: a field of another name or type, a length beyond
// its bound or beyond the payload is an error that names the schema and the
// field. The first error sticks; calls after it return zero values, so a
// Restore reads all its fields and then checks Done once.
type Decoder struct {
	schema Schema
	buf    []byte // what is left
	groups []string
	err    error
}

// NewDecoder reads payload as a state of schema s. The payload is not copied;
// what Bytes returns points into it.
func NewDecoder(s Schema, payload []byte) *Decoder {
	return &Decoder{schema: s, buf: payload}
}

// Uint8 reads an 8-bit field.
func (d *Decoder) Uint8(name string) uint8 {
	if p := d.field(kindUint8, name, 1); p != nil {
		return p[0]
	}
	return 0
}

// Uint16 reads a 16-bit field.
func (d *Decoder) Uint16(name string) uint16 {
	if p := d.field(kindUint16, name, 2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

// Uint32 reads a 32-bit field.
func (d *Decoder) Uint32(name string) uint32 {
	if p := d.field(kindUint32, name, 4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// Uint64 reads a 64-bit field.
func (d *Decoder) Uint64(name string) uint64 {
	if p := d.field(kindUint64, name, 8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// Int64 reads a signed field.
func (d *Decoder) Int64(name string) int64 { return int64(d.Uint64(name)) }

// Bool reads a truth value.
func (d *Decoder) Bool(name string) bool {
	p := d.field(kindBool, name, 1)
	if p == nil {
		return false
	}
	if p[0] > 1 {
		d.Refuse(name, "a truth value is 0 or 1, not %d", p[0])
		return false
	}
	return p[0] == 1
}

// Bytes reads a byte string of at most max bytes. It points into the payload.
func (d *Decoder) Bytes(name string, max int) []byte {
	p, _ := d.list(kindBytes, name, 1, max)
	return p
}

// String reads a text of at most max bytes.
func (d *Decoder) String(name string, max int) string { return string(d.Bytes(name, max)) }

// Uint32s reads a list of exactly len(dst) numbers into dst.
func (d *Decoder) Uint32s(name string, dst []uint32) {
	p, n := d.list(kindUint32s, name, 4, len(dst))
	if d.err == nil && n != len(dst) {
		d.Refuse(name, "%d elements, want %d", n, len(dst))
		return
	}
	for i := 0; i < n; i++ {
		dst[i] = binary.LittleEndian.Uint32(p[4*i:])
	}
}

// Uint64s reads a list of exactly len(dst) numbers into dst.
func (d *Decoder) Uint64s(name string, dst []uint64) {
	p, n := d.list(kindUint64s, name, 8, len(dst))
	if d.err == nil && n != len(dst) {
		d.Refuse(name, "%d elements, want %d", n, len(dst))
		return
	}
	for i := 0; i < n; i++ {
		dst[i] = binary.LittleEndian.Uint64(p[8*i:])
	}
}

// Begin enters the group of that name; End leaves it.
func (d *Decoder) Begin(name string) {
	if len(d.groups) >= maxDepth {
		d.Refuse(name, "groups nest deeper than %d", maxDepth)
		return
	}
	d.field(kindBegin, name, 0)
	d.groups = append(d.groups, name)
}

// End leaves the group that Begin entered last, all of whose fields have been
// read.
func (d *Decoder) End() {
	n := len(d.groups)
	if n == 0 {
		d.Refuse("", "End without Begin")
		return
	}
	name := d.groups[n-1]
	d.groups = d.groups[:n-1]
	d.field(kindEnd, name, 0)
}

// Refuse records that the value of a field cannot be taken; a Restore calls
// it for values that decode but make no sense.
func (d *Decoder) Refuse(name, format string, args ...any) {
	d.fail(name, fmt.Errorf("%w: %s", ErrField, fmt.Sprintf(format, args...)))
}

// Err is the first error so far.
func (d *Decoder) Err() error { return d.err }

// Done is the first error, or an error if fields are left: a state that holds
// more than its reader knows is not understood.
func (d *Decoder) Done() error {
	if d.err == nil && len(d.groups) != 0 {
		d.Refuse(d.groups[len(d.groups)-1], "group was not ended")
	}
	if d.err == nil && len(d.buf) != 0 {
		k, name, _ := d.header()
		d.Refuse(name, "field of type %s follows the last field that this build knows", k)
	}
	return d.err
}

// header parses the kind and name at the start of what is left; rest is nil
// if it is cut short.
func (d *Decoder) header() (k kind, name string, rest []byte) {
	if len(d.buf) < 2 || len(d.buf)-2 < int(d.buf[1]) {
		return 0, "", nil
	}
	n := 2 + int(d.buf[1])
	return kind(d.buf[0]), string(d.buf[2:n]), d.buf[n:]
}

// matches is header without making a string: the usual case.
func (d *Decoder) matches(k kind, name string) bool {
	return len(d.buf) >= 2 && kind(d.buf[0]) == k && int(d.buf[1]) == len(name) &&
		len(d.buf)-2 >= len(name) && string(d.buf[2:2+len(name)]) == name
}

// field takes the header of the field and size bytes of value, or fails and
// gives nil.
func (d *Decoder) field(k kind, name string, size int) []byte {
	if d.err != nil {
		return nil
	}
	if !d.matches(k, name) {
		d.mismatch(k, name)
		return nil
	}
	rest := d.buf[2+len(name):]
	if len(rest) < size {
		d.Refuse(name, "value of %d bytes is cut short after %d", size, len(rest))
		return nil
	}
	d.buf = rest[size:]
	return rest[:size:size]
}

// list takes a field with a count in front of at most max elements.
func (d *Decoder) list(k kind, name string, size, max int) ([]byte, int) {
	p := d.field(k, name, 4)
	if p == nil {
		return nil, 0
	}
	n := binary.LittleEndian.Uint32(p)
	if uint64(n) > uint64(max) {
		d.fail(name, fmt.Errorf("%w: %d elements, at most %d", ErrTooLarge, n, max))
		return nil, 0
	}
	total := int(n) * size
	if len(d.buf) < total {
		d.Refuse(name, "list of %d bytes is cut short after %d", total, len(d.buf))
		return nil, 0
	}
	p, d.buf = d.buf[:total:total], d.buf[total:]
	return p, int(n)
}

func (d *Decoder) mismatch(k kind, name string) {
	switch found, foundName, rest := d.header(); {
	case len(d.buf) == 0:
		d.Refuse(name, "missing: the state ends before it")
	case rest == nil:
		d.Refuse(name, "missing: the state is cut short")
	default:
		d.Refuse(name, "want type %s here, found %q of type %s", k, foundName, found)
	}
}

func (d *Decoder) fail(name string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("restore %s: field %q: %w", d.schema, name, err)
	}
}
