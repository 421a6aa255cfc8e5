package svm

// This file is part of the loop in the nucleus. It answers how long the
// instruction is that caused the exit.
//
// Processors with NRIPS say so. On others Go decodes the instruction once and
// leaves a codeEntry, and the loop uses the length again only after it has
// proved that the processor would fetch the same bytes: same mode, CR3, CS and
// RIP, the same value in every page table entry of the walk, the same stage-2
// generation, and the same instruction bytes. So a guest that changes its code
// or its page tables, or has them changed by another vCPU, gets no stale
// length. The pointers in an entry are good as long as the generation is: a
// frame is freed only after the stage-2 flush that this vCPU acknowledges by
// taking over the new generation (asid.go).

import (
	"ringo/x86"
	"ringo/x86/insn"
)

const (
	codeEntries = 32
	codeLevels  = 5
	// codeBytes is how many bytes an entry compares, once or twice. An
	// instruction so near to the end of its page that it needs bytes from
	// behind that has no entry.
	codeBytes = 8
)

// codeEntry is a decoded instruction and what its decoding rests on. A zeroed
// entry fits nothing, because its length is 0.
type codeEntry struct {
	rip, cr3   uint64
	csBase     uint64
	mode       uint64
	generation uint64
	code       uintptr             // address of the first byte
	bytes      [2]uint64           // the bytes under mask
	mask       [2]uint64           // the second is 0 for an instruction of 8 bytes or less
	tables     [codeLevels]uintptr // addresses of the page table entries
	entries    [codeLevels]uint64
	levels     uint8
	length     uint8
	move       insn.Transfer // the instruction, if it has accessed the xAPIC page
}

// codeMode packs what, beside CR3, decides how code is fetched and decoded.
// The bits do not overlap.
func codeMode(s *SaveArea) uint64 {
	return s.CR0&(x86.CR0PE|x86.CR0PG) | s.CR4&(x86.CR4PSE|x86.CR4PAE|x86.CR4LA57) |
		s.EFER&x86.EFERLMA | uint64(s.CS.Attrib)<<40
}

// codeSlot is where the entry for an address lies, if there is one: there or in
// the place beside it, so that two instructions in a loop can share a slot.
func codeSlot(rip uint64) uint64 { return (rip ^ rip>>5 ^ rip>>12) % codeEntries }

// codeAt is the entry for an address, or another's.
func (c *vcpuMem) codeAt(rip uint64) *codeEntry {
	e := &c.code[codeSlot(rip)]
	if e.rip != rip {
		e = &c.code[codeSlot(rip)^1]
	}
	return e
}

// newCode makes room for the entry of an address: its own old one, or the older
// one of the two in question.
func (c *vcpuMem) newCode(rip uint64) *codeEntry {
	e, beside := &c.code[codeSlot(rip)], &c.code[codeSlot(rip)^1]
	switch {
	case e.rip == rip || e.length == 0:
		return e
	case beside.rip != rip:
		*beside = *e
		return e
	}
	return beside
}

// holds tells whether the instruction that e describes is still the one that
// the processor would fetch.
func (e *codeEntry) holds(s *SaveArea, generation uint64) bool {
	if e.rip != s.RIP || e.length == 0 || e.cr3 != s.CR3 || e.csBase != s.CS.Base ||
		e.mode != codeMode(s) || e.generation != generation {
		return false
	}
	for i := range e.tables[:min(e.levels, codeLevels)] {
		if load64(e.tables[i]) != e.entries[i] {
			return false
		}
	}
	return load64(e.code)&e.mask[0] == e.bytes[0] &&
		(e.mask[1] == 0 || load64(e.code+codeBytes)&e.mask[1] == e.bytes[1])
}

// nextRIP is where the guest continues behind the instruction that caused the
// exit; ok is false if Go has to find out.
func (c *vcpuMem) nextRIP() (rip uint64, ok bool) {
	s := &c.vmcb.Save
	if c.features&featureNRIP != 0 {
		return c.vmcb.Control.NRIP, true
	}
	if c.resumeLen != 0 {
		return advance(s, uint64(c.resumeLen)), true
	}
	e := c.codeAt(s.RIP)
	if !e.holds(s, c.ack.Load()) {
		return 0, false
	}
	return advance(s, uint64(e.length)), true
}

// advance adds n to RIP, which is 64 bits wide in 64-bit mode only.
func advance(s *SaveArea, n uint64) uint64 {
	rip := s.RIP + n
	if s.EFER&x86.EFERLMA == 0 || s.CS.Attrib&attribL == 0 {
		rip = uint64(uint32(rip))
	}
	return rip
}

// stepOver completes the instruction that caused the exit: RIP moves behind
// it, an interrupt shadow and RF end, and a guest that single-steps gets its
// trap.
func (c *vcpuMem) stepOver(rip uint64) {
	s := &c.vmcb.Save
	s.RIP = rip
	c.vmcb.Control.InterruptShadow &^= ShadowActive
	if s.RFLAGS&(x86.FlagTF|x86.FlagRF) == 0 {
		return
	}
	s.RFLAGS &^= x86.FlagRF
	if s.RFLAGS&x86.FlagTF != 0 {
		s.DR6 |= x86.DR6BS
		c.vmcb.Control.dirty(CleanDRx)
		c.raise(x86.VectorDB, false, 0)
	}
}
