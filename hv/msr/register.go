package msr

import (
	"slices"

	"ringo/x86"
)

// Class says who keeps a register and what an access does.
type Class uint8

const (
	// Live registers are kept elsewhere (the processor's state, the local
	// APIC, the clock): the owner of the vCPU serves them.
	Live Class = iota
	// Stored registers keep what is written, as far as it is allowed.
	Stored
	// Constant registers raise #GP when written.
	Constant
	// Ignored registers read as their reset value and drop writes: software
	// touches them without asking CPUID, and nothing depends on them.
	Ignored
)

// Register is one model-specific register, or Count of them in a row.
type Register struct {
	Number uint32
	Name   string
	Class  Class
	// Mask has the bits that a write to a Stored register may set; a write
	// with another bit raises #GP.
	Mask  uint64
	Reset uint64
	// check refuses values of a Stored register that Mask cannot describe.
	check func(v uint64) bool
}

// Registers is every register that exists, in the order of the numbers. The
// x2APIC's range is not in it; see IsX2APIC.
var Registers = build()

func build() []Register {
	t := slices.Concat(architectural, mtrrs(), longMode, amd, paravirtual)
	slices.SortFunc(t, func(a, b Register) int { return int(int64(a.Number) - int64(b.Number)) })
	return t
}

// Find gives the index of a register in Registers, or -1.
func Find(number uint32) int {
	lo, hi := 0, len(Registers)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if Registers[mid].Number < number {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(Registers) && Registers[lo].Number == number {
		return lo
	}
	return -1
}

// Name is the manual's name of a register, or "" for one that does not exist.
func Name(number uint32) string {
	if IsX2APIC(number) {
		return "x2APIC"
	}
	if i := Find(number); i >= 0 {
		return Registers[i].Name
	}
	return ""
}

// IsX2APIC tells whether the number is one of the local APIC's in x2APIC mode
// (SDM volume 3A, table "Local APIC Register Address Map Supported by x2APIC").
func IsX2APIC(number uint32) bool {
	return number >= x86.MSRx2APICBase && number <= x86.MSRx2APICLast
}
