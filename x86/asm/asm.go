package asm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors that Bytes returns, wrapped with the offset and the reason.
var (
	// ErrOperand: the instruction does not take this operand or operand size.
	ErrOperand = errors.New("bad operand")
	// ErrRange: a value or a distance does not fit its field.
	ErrRange = errors.New("out of range")
	// ErrLabel: a label is used but never defined, or defined twice.
	ErrLabel = errors.New("bad label")
	// ErrMode: the instruction or operand does not exist in this mode.
	ErrMode = errors.New("wrong mode")
)

// Mode is the code size that the processor runs in: the default operand and
// address size, in bits.
type Mode int

// The three code sizes.
const (
	Bits16 Mode = 16
	Bits32 Mode = 32
	Bits64 Mode = 64
)

// Asm collects machine code.
type Asm struct {
	mode   Mode
	origin uint64
	code   []byte
	labels map[string]int // offsets in code
	fixups []fixup
	unique int
	errs   []error

	insts    []Instruction
	prefixed bool // the last byte was a prefix of the next instruction
}

// New starts an empty program for mode. origin is the address of its first
// byte as the program itself sees it: 0 for code that is loaded anywhere and
// adds its base register to label addresses.
func New(mode Mode, origin uint64) *Asm {
	return &Asm{mode: mode, origin: origin, labels: map[string]int{}}
}

// Bits says that the code that follows runs in mode. It emits nothing.
func (a *Asm) Bits(mode Mode) { a.mode = mode }

// Mode returns the mode of the code that follows.
func (a *Asm) Mode() Mode { return a.mode }

// Here returns the address of the next byte.
func (a *Asm) Here() uint64 { return a.origin + uint64(len(a.code)) }

// Label gives the next byte a name.
func (a *Asm) Label(name string) {
	if _, ok := a.labels[name]; ok {
		a.errorf(ErrLabel, "label %q is defined twice", name)
		return
	}
	a.labels[name] = len(a.code)
}

// Unique returns a label name that nobody else uses, for loops inside
// functions that are emitted several times. prefix makes it readable.
func (a *Asm) Unique(prefix string) string {
	a.unique++
	return fmt.Sprintf("%s.%d", prefix, a.unique)
}

// Address returns the address of a label that is already defined.
func (a *Asm) Address(label string) (uint64, error) {
	off, ok := a.labels[label]
	if !ok {
		return 0, fmt.Errorf("asm: label %q is not defined: %w", label, ErrLabel)
	}
	return a.origin + uint64(off), nil
}

// Bytes resolves the labels and returns the code. The error joins every
// mistake found on the way.
func (a *Asm) Bytes() ([]byte, error) {
	for _, f := range a.fixups {
		a.resolve(f)
	}
	a.fixups = nil
	if err := errors.Join(a.errs...); err != nil {
		return nil, err
	}
	return a.code, nil
}

// Fail records an error of the caller's, which Bytes will return.
func (a *Asm) Fail(err error) { a.failAt(len(a.code), "%w", err) }

func (a *Asm) failAt(offset int, format string, args ...any) {
	a.errs = append(a.errs, fmt.Errorf("asm: offset %#x: "+format, append([]any{offset}, args...)...))
}

func (a *Asm) errorf(kind error, format string, args ...any) {
	a.failAt(len(a.code), format+": %w", append(args, kind)...)
}

// Raw emits bytes as they are.
func (a *Asm) Raw(b ...byte) { a.code = append(a.code, b...) }

// Data8 emits bytes of data.
func (a *Asm) Data8(v ...byte) { a.Raw(v...) }

// Data16 emits 16-bit little-endian values.
func (a *Asm) Data16(v ...uint16) {
	for _, x := range v {
		a.code = binary.LittleEndian.AppendUint16(a.code, x)
	}
}

// Data32 emits 32-bit little-endian values.
func (a *Asm) Data32(v ...uint32) {
	for _, x := range v {
		a.code = binary.LittleEndian.AppendUint32(a.code, x)
	}
}

// Data64 emits 64-bit little-endian values.
func (a *Asm) Data64(v ...uint64) {
	for _, x := range v {
		a.code = binary.LittleEndian.AppendUint64(a.code, x)
	}
}

// DataAddr emits the address of a label as a little-endian value of size
// bits: 16, 32 or 64.
func (a *Asm) DataAddr(size int, label string, add int64) {
	a.value(Addr{Label: label, Add: add}, size, false)
}

// String emits the bytes of s and a zero byte.
func (a *Asm) String(s string) {
	a.Raw([]byte(s)...)
	a.Raw(0)
}

// Space emits n zero bytes.
func (a *Asm) Space(n int) { a.Raw(make([]byte, n)...) }

// Align emits fill bytes until the offset is a multiple of n.
func (a *Asm) Align(n int, fill byte) {
	for len(a.code)%n != 0 {
		a.Raw(fill)
	}
}

// Pad emits fill bytes until the offset from the start is off. It is an error
// if the code is already longer.
func (a *Asm) Pad(off int, fill byte) {
	if len(a.code) > off {
		a.errorf(ErrRange, "the code ends at %#x, beyond %#x where something has a fixed place", len(a.code), off)
		return
	}
	for len(a.code) < off {
		a.Raw(fill)
	}
}
