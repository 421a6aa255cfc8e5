package aml

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Resource is one resource descriptor.
type Resource []byte

// Tags, small items with their length included (ACPI Specification, section
// 6.4 "Resource Data Types for ACPI").
const (
	tagIRQNoFlags    = 0x22
	tagIO            = 0x47
	tagEnd           = 0x79
	tagMemory32Fixed = 0x86 // large: two bytes of length follow
	memory32Length   = 9
)

// IO is n ports from port on, decoded with all 16 address bits.
func IO(port uint16, n uint8) Resource {
	const decode16, align = 1, 1
	b := Resource{tagIO, decode16}
	b = binary.LittleEndian.AppendUint16(b, port) // minimum
	b = binary.LittleEndian.AppendUint16(b, port) // maximum
	return append(b, align, n)
}

// IRQ is an edge-triggered, active-high ISA interrupt.
func IRQ(n uint8) Resource {
	if n > 15 {
		panic(fmt.Sprintf("aml: ISA interrupt %d", n))
	}
	return binary.LittleEndian.AppendUint16(Resource{tagIRQNoFlags}, 1<<n)
}

// Memory32 is n bytes of writable memory space at a.
func Memory32(a, n uint32) Resource {
	const readWrite = 1
	b := binary.LittleEndian.AppendUint16(Resource{tagMemory32Fixed}, memory32Length)
	b = append(b, readWrite)
	b = binary.LittleEndian.AppendUint32(b, a)
	return binary.LittleEndian.AppendUint32(b, n)
}

// Resources encodes a resource template: the descriptors in a buffer, closed
// by an end tag. Its checksum of 0 stands for "not computed".
func Resources(r ...Resource) Term {
	return Buffer(append(slices.Concat(r...), tagEnd, 0))
}
