package hv

import (
	"encoding/binary"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/insn"
)

const (
	codeEntries = 32
	codeLevels  = 5
	wordBytes   = 8
	twoWords    = 2 * wordBytes // hold any instruction
)

// codeCache remembers the instructions with which a vCPU accesses devices. It
// belongs to the vCPU's goroutine.
//
// An entry is used only after it has been proved that the processor would
// fetch the same instruction: same RIP, CR3, mode and privilege, the same value
// in every page table entry of the walk, and the same bytes. So a guest that
// changes its code or its page tables, or has them changed by another vCPU,
// gets no stale instruction. The pointers in an entry are good as long as the
// memory's generation is the same (memory.Space.Generation).
type codeCache struct {
	space   *memory.Space
	paging  insn.PagingState // what the owner knows of the processor; else scratch
	entries [codeEntries]codeEntry
}

// tableEntry is an entry of a page table and the value that it has to have.
type tableEntry struct {
	at    *[wordBytes]byte
	value uint64
}

// codeWord is a piece of an instruction: the bytes under mask have to be value.
type codeWord struct {
	at          *[wordBytes]byte
	mask, value uint64
}

// codeEntry is one instruction and what its decoding rests on.
type codeEntry struct {
	rip, cr3, key uint64
	generation    uint64
	known         bool          // insn is decided
	insn          insn.Transfer // empty for an instruction that is no Transfer
	levels        uint8
	words         uint8 // of code: 1 or 2
	code          [2]codeWord
	tables        [codeLevels]tableEntry
}

func load(at *[wordBytes]byte) uint64 { return binary.LittleEndian.Uint64(at[:]) }

// holds tells whether the instruction is still the one that would be fetched.
// The caller is in a Section.
func (e *codeEntry) holds(generation uint64) bool {
	if e.generation != generation {
		return false
	}
	for i := range e.tables[:min(e.levels, codeLevels)] {
		if t := &e.tables[i]; load(t.at) != t.value {
			return false
		}
	}
	for i := range e.code[:min(e.words, 2)] {
		if w := &e.code[i]; load(w.at)&w.mask != w.value {
			return false
		}
	}
	return true
}

// codeKey packs what, beside RIP and CR3, decides what a fetch gives. The bits
// of the control registers do not overlap.
func codeKey(p *vcpu.Paging) uint64 {
	return p.CR0&(x86.CR0PE|x86.CR0PG) | p.CR4&(x86.CR4PSE|x86.CR4PAE|x86.CR4LA57|x86.CR4SMEP) |
		p.EFER&(x86.EFERLMA|x86.EFERNXE) | uint64(p.Mode)<<32 | uint64(p.CPL)<<40
}

// at is the instruction at rip if it is a Transfer, or nil. The code segment
// is flat. The result is good until the next call.
func (c *codeCache) at(rip uint64, p *vcpu.Paging) *insn.Transfer {
	e := &c.entries[(rip^rip>>5^p.CR3>>12)%codeEntries]
	same := e.known && e.rip == rip && e.cr3 == p.CR3 && e.key == codeKey(p)
	if same && e.insn.Len == 0 {
		return nil
	}
	section := c.space.Enter()
	good := same && e.holds(c.space.Generation())
	if !good {
		good = c.learn(e, rip, p)
	}
	c.space.Leave(section)
	if !good {
		return nil
	}
	return &e.insn
}

// learn fills an entry. It says false if there is no Transfer at rip, or none
// that can be read just so. The caller is in a Section.
func (c *codeCache) learn(e *codeEntry, rip uint64, p *vcpu.Paging) bool {
	*e = codeEntry{rip: rip, cr3: p.CR3, key: codeKey(p), generation: c.space.Generation()}
	if p.Mode != 64 && rip>>32 != 0 || !reachable(rip) {
		return false
	}
	gpa, ok := c.translate(e, rip, p)
	if !ok {
		return false
	}
	// The bytes are copied, because the guest may change them meanwhile.
	var code [twoWords]byte
	view := c.view(gpa)
	n := copy(code[:], view)
	// What lies behind the page's end is not at this translation.
	n = min(n, int(x86.PageSize4K-gpa&x86.PageOffset4K))
	in, err := insn.Decode(code[:n], insn.Mode(p.Mode))
	e.known = true
	if err != nil {
		return false
	}
	t, ok := in.Transfer()
	if ok {
		e.insn = t
		e.remember(view, &code)
	}
	return ok
}

// view is guest memory at gpa: two words, one at the end of a frame, or none
// at its very end.
func (c *codeCache) view(gpa uint64) []byte {
	for _, n := range []uint64{twoWords, wordBytes} {
		if p, ok := c.space.View(memory.GPA(gpa), n); ok {
			return p
		}
	}
	return nil
}

// remember takes the bytes of the instruction, which are at view.
func (e *codeEntry) remember(view []byte, code *[twoWords]byte) {
	for n := int(e.insn.Len); n > 0; n -= wordBytes {
		at := int(e.words) * wordBytes
		mask := ^uint64(0)
		if n < wordBytes {
			mask = 1<<(8*n) - 1
		}
		e.code[e.words] = codeWord{
			at: (*[wordBytes]byte)(view[at:]), mask: mask, value: binary.LittleEndian.Uint64(code[at:]) & mask,
		}
		e.words++
	}
}

// translate walks to the instruction, and keeps the entries that it meets.
func (c *codeCache) translate(e *codeEntry, rip uint64, p *vcpu.Paging) (gpa uint64, ok bool) {
	s := &c.paging
	s.CR0, s.CR3, s.CR4, s.EFER = p.CR0, p.CR3, p.CR4, p.EFER
	access := insn.AccessFetch
	if p.CPL == 3 {
		access |= insn.AccessUser
	}
	w := walkRecorder{space: c.space, entry: e}
	t, err := insn.Walk(&w, s, rip, access)
	return t.GPA, err == nil && !w.full
}

// walkRecorder is the guest's page tables for one walk. It changes nothing: a
// table that lacks an accessed bit is left to the emulator.
type walkRecorder struct {
	space *memory.Space
	entry *codeEntry
	full  bool // the walk met more entries than a codeEntry holds
}

// Load64 implements insn.Phys.
func (w *walkRecorder) Load64(gpa uint64) (uint64, bool) {
	p, ok := w.space.View(memory.GPA(gpa), wordBytes)
	if !ok {
		return 0, false
	}
	e := w.entry
	if e.levels == codeLevels {
		w.full = true
		return 0, false
	}
	t := &e.tables[e.levels]
	e.levels++
	t.at = (*[wordBytes]byte)(p)
	t.value = load(t.at)
	return t.value, true
}

// CompareAndSwap64 implements insn.Phys.
func (w *walkRecorder) CompareAndSwap64(_, _, _ uint64) (swapped, ok bool) { return false, false }
