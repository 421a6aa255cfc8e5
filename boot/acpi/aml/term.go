package aml

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Term is encoded AML.
type Term []byte

// Opcodes and prefixes, in the order of their values (ACPI Specification,
// table "AML Byte Stream Byte Values").
const (
	opZero       = 0x00
	opOne        = 0x01
	opName       = 0x08
	prefixByte   = 0x0A
	prefixWord   = 0x0B
	prefixDWord  = 0x0C
	prefixString = 0x0D
	prefixQWord  = 0x0E
	opScope      = 0x10
	opBuffer     = 0x11
	opPackage    = 0x12
	opMethod     = 0x14
	prefixDual   = 0x2E
	prefixMulti  = 0x2F
	prefixExt    = 0x5B
	opReturn     = 0xA4
	extDevice    = 0x82 // after prefixExt
)

// Integer encodes v in the fewest bytes.
func Integer(v uint64) Term {
	switch {
	case v == 0:
		return Term{opZero}
	case v == 1:
		return Term{opOne}
	case v <= 0xFF:
		return Term{prefixByte, byte(v)}
	case v <= 0xFFFF:
		return binary.LittleEndian.AppendUint16(Term{prefixWord}, uint16(v))
	case v <= 0xFFFF_FFFF:
		return binary.LittleEndian.AppendUint32(Term{prefixDWord}, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(Term{prefixQWord}, v)
}

// String encodes s, which is ASCII without NUL.
func String(s string) Term {
	for i := range len(s) {
		if s[i] == 0 || s[i] > 0x7F {
			panic(fmt.Sprintf("aml: string %q is not ASCII", s))
		}
	}
	return append(append(Term{prefixString}, s...), 0)
}

// EISAID encodes a device identification such as "PNP0501" as the integer of
// the EISAID macro: three letters of 5 bits and four hexadecimal digits, most
// significant byte first.
func EISAID(id string) Term {
	var v uint32
	if len(id) != 7 {
		panic(fmt.Sprintf("aml: EISA ID %q is not three letters and four digits", id))
	}
	for _, c := range []byte(id[:3]) {
		if c < 'A' || c > 'Z' {
			panic(fmt.Sprintf("aml: EISA ID %q does not start with three capitals", id))
		}
		v = v<<5 | uint32(c-'@')
	}
	var digits uint32
	if _, err := fmt.Sscanf(id[3:], "%04X", &digits); err != nil {
		panic(fmt.Sprintf("aml: EISA ID %q does not end in four digits: %v", id, err))
	}
	v = v<<16 | digits
	return binary.BigEndian.AppendUint32(Term{prefixDWord}, v)
}

// Name declares path with value v.
func Name(path string, v Term) Term { return join(Term{opName}, nameString(path), v) }

// Scope opens an existing object.
func Scope(path string, body ...Term) Term {
	return sized(Term{opScope}, nameString(path), join(body...))
}

// Device declares a device.
func Device(path string, body ...Term) Term {
	return sized(Term{prefixExt, extDevice}, nameString(path), join(body...))
}

// Method declares a method that takes args arguments, at most 7.
func Method(path string, args uint8, body ...Term) Term {
	if args > 7 {
		panic(fmt.Sprintf("aml: method %s takes %d arguments", path, args))
	}
	return sized(Term{opMethod}, nameString(path), Term{args}, join(body...))
}

// Return ends a method with value v.
func Return(v Term) Term { return join(Term{opReturn}, v) }

// Package encodes a list of at most 255 values.
func Package(v ...Term) Term {
	if len(v) > 0xFF {
		panic(fmt.Sprintf("aml: package of %d elements", len(v)))
	}
	return sized(Term{opPackage}, Term{byte(len(v))}, join(v...))
}

// Buffer encodes bytes.
func Buffer(b []byte) Term { return sized(Term{opBuffer}, Integer(uint64(len(b))), b) }

// join puts terms one after another.
func join(t ...Term) Term { return slices.Concat(t...) }

// sized puts a package length between an opcode and what follows.
func sized(op Term, parts ...Term) Term {
	body := join(parts...)
	return join(op, pkgLength(len(body)), body)
}

// pkgLength encodes the length of n bytes and of itself, in 1 to 4 bytes: up
// to 63 in one, else 4 bits in the first and 8 in each of the others.
func pkgLength(n int) Term {
	if n+1 < 1<<6 {
		return Term{byte(n + 1)}
	}
	for extra := 1; extra <= 3; extra++ {
		total := n + 1 + extra
		if total >= 1<<(4+8*extra) {
			continue
		}
		t := Term{byte(extra<<6 | total&0xF)}
		for i := range extra {
			t = append(t, byte(total>>(4+8*i)))
		}
		return t
	}
	panic(fmt.Sprintf("aml: term of %d bytes", n))
}
