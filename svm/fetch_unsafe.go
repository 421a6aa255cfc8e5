package svm

import (
	"sync/atomic"
	"unsafe"

	"ringo/memory"
	"ringo/x86"
	"ringo/x86/insn"
)

// fetcher reads the instruction that caused an exit, on the Go side, on
// processors that do not say how long it is. It sees guest memory through the
// stage-2 table and never changes it.
type fetcher struct {
	stage2 memory.Stage2
	frames memory.PageAllocator
	paging insn.PagingState
	access insn.Access // a fetch with the guest's privilege

	// tables are the page table entries that the last walk read.
	tables  [codeLevels]uintptr
	entries [codeLevels]uint64
	levels  int

	// missing is set if an address had no stage-2 mapping.
	missing   bool
	missingAt memory.GPA

	bytes [insn.MaxLen]byte
	n     int // valid ones
}

// pointer is this program's address of guest-physical memory that is mapped
// and readable.
func (f *fetcher) pointer(a memory.GPA) (unsafe.Pointer, bool) {
	m, ok := f.stage2.Lookup(a)
	if !ok || m.Prot&memory.Read == 0 {
		f.missing, f.missingAt = true, a
		return nil, false
	}
	return f.frames.Pointer(m.HPA + memory.HPA(a-m.GPA)), true
}

// Load64 reads a page table entry for insn.Walk and remembers it.
func (f *fetcher) Load64(gpa uint64) (uint64, bool) {
	p, ok := f.pointer(memory.GPA(gpa &^ 7))
	if !ok {
		return 0, false
	}
	v := atomic.LoadUint64((*uint64)(p))
	if f.levels < codeLevels {
		f.tables[f.levels], f.entries[f.levels] = uintptr(p), v
	}
	f.levels++
	return v, true
}

// CompareAndSwap64 refuses: the processor has just fetched through these
// entries, so their accessed bits are set, or another vCPU has cleared them
// and the guest has to run the instruction again.
func (f *fetcher) CompareAndSwap64(gpa, old, new uint64) (swapped, ok bool) { return false, false }

// fetch reads instruction bytes from linear address a to the end of its page.
// code is the address of the first byte.
func (f *fetcher) fetch(a uint64) (code unsafe.Pointer, ok bool) {
	f.levels = 0
	t, err := insn.Walk(f, &f.paging, a, f.access)
	if err != nil {
		return nil, false
	}
	code, ok = f.pointer(memory.GPA(t.GPA))
	if !ok {
		return nil, false
	}
	n := min(insn.MaxLen-f.n, int(x86.PageSize4K-a&x86.PageOffset4K))
	copy(f.bytes[f.n:], unsafe.Slice((*byte)(code), n))
	f.n += n
	return code, true
}

// codeSize is the size of the code that the guest executes.
func codeSize(s *SaveArea) insn.Mode {
	switch {
	case s.EFER&x86.EFERLMA != 0 && s.CS.Attrib&attribL != 0:
		return insn.Mode64
	case s.CS.Attrib&attribDB != 0:
		return insn.Mode32
	}
	return insn.Mode16
}

// linear is the linear address of an offset in the code segment.
func linear(s *SaveArea, rip uint64) uint64 {
	if codeSize(s) == insn.Mode64 {
		return rip
	}
	return uint64(uint32(s.CS.Base + rip))
}

// length finds the length of the instruction at RIP, leaving its bytes in f,
// and stores what the loop needs to know it the next time. 0 says that it
// cannot be read: f.missing if stage-2 lacks a page, else the guest has changed
// its page tables meanwhile and must run the instruction again.
func (f *fetcher) length(c *vcpuMem, generation uint64) uint8 {
	s := &c.vmcb.Save
	f.paging.CR0, f.paging.CR3, f.paging.CR4 = s.CR0, s.CR3, s.CR4
	f.paging.EFER, f.paging.RFLAGS = s.EFER, s.RFLAGS
	f.access = insn.AccessFetch
	if s.CPL == 3 {
		f.access |= insn.AccessUser
	}
	f.n, f.missing = 0, false
	at := linear(s, s.RIP)
	code, ok := f.fetch(at)
	if !ok {
		return 0
	}
	inPage := int(x86.PageSize4K - at&x86.PageOffset4K)
	n, err := insn.Length(f.bytes[:f.n], codeSize(s))
	if err != nil && f.n < insn.MaxLen {
		if _, ok = f.fetch(linear(s, s.RIP+uint64(f.n))); !ok {
			return 0
		}
		n, err = insn.Length(f.bytes[:f.n], codeSize(s))
	}
	if err != nil {
		return 0
	}
	words := (n + codeBytes - 1) / codeBytes
	if inPage >= words*codeBytes && f.levels <= codeLevels {
		f.remember(c, code, uint8(n), generation)
	}
	return uint8(n)
}

// remember fills the codeEntry of the instruction at RIP.
func (f *fetcher) remember(c *vcpuMem, code unsafe.Pointer, n uint8, generation uint64) {
	s := &c.vmcb.Save
	mask := [2]uint64{1<<(8*n) - 1} // all ones for 8 and more
	if n > codeBytes {
		mask[1] = 1<<(8*(n-codeBytes)) - 1
	}
	*c.newCode(s.RIP) = codeEntry{
		rip: s.RIP, cr3: s.CR3, csBase: s.CS.Base, mode: codeMode(s),
		generation: generation,
		code:       uintptr(code),
		bytes:      [2]uint64{leading(f.bytes[:]) & mask[0], leading(f.bytes[codeBytes:]) & mask[1]},
		mask:       mask,
		tables:     f.tables,
		entries:    f.entries,
		levels:     uint8(f.levels),
		length:     n,
	}
}

// leading is the first 8 bytes as the loop's load sees them.
func leading(p []byte) uint64 {
	var v uint64
	for i, b := range p[:min(len(p), codeBytes)] {
		v |= uint64(b) << (8 * i)
	}
	return v
}
