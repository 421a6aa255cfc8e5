package hvtest

import (
	"encoding/binary"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/insn"
)

// fakeMemory is guest memory as a fakeCPU sees it through stage 2. It is the
// insn.Machine of the interpreter: what stage 2 does not allow, and what has
// no memory, becomes an exit.
type fakeMemory struct {
	cpu    *fakeCPU
	exited bool
}

// find translates a guest-physical address.
func (m *fakeMemory) find(gpa uint64, write bool) (memory.HPA, bool) {
	mp, ok := m.cpu.vm.stage2.Lookup(memory.GPA(gpa))
	if !ok || write && mp.Prot&memory.Write == 0 {
		return 0, false
	}
	return mp.HPA + memory.HPA(memory.GPA(gpa)-mp.GPA), true
}

// fault makes the exit of an access that stage 2 refuses.
func (m *fakeMemory) fault(gpa uint64, write bool) error {
	e := m.cpu.exit
	e.Kind, e.GPA, e.Write = vcpu.KindStage2, memory.GPA(gpa), write
	m.exited = true
	return errExit
}

// Load64 implements insn.Phys: code and page tables come from it.
func (m *fakeMemory) Load64(gpa uint64) (uint64, bool) {
	h, ok := m.find(gpa, false)
	if !ok {
		m.fault(gpa, false)
		m.cpu.exit.Fetch = m.isCode(gpa)
		m.cpu.exit.Walk = !m.cpu.exit.Fetch
		return 0, false
	}
	return m.cpu.vm.fake.word(h).Load(), true
}

// CompareAndSwap64 implements insn.Phys: the walk sets accessed and dirty
// bits with it.
func (m *fakeMemory) CompareAndSwap64(gpa, old, v uint64) (swapped, ok bool) {
	h, ok := m.find(gpa, true)
	if !ok {
		m.fault(gpa, true)
		m.cpu.exit.Walk = true
		return false, false
	}
	return m.cpu.vm.fake.word(h).CompareAndSwap(old, v), true
}

// isCode tells whether the instruction at RIP lies, in part, in the page of
// gpa: a walk that makes no exits finds out.
func (m *fakeMemory) isCode(gpa uint64) bool {
	s := &m.cpu.s
	var p insn.PagingState
	p.Set(s)
	lin := s.RIP
	if !s.Mode64() {
		lin = (lin + s.Seg[x86.CS].Base) & 0xFFFF_FFFF
	}
	for _, at := range []uint64{lin, lin + insn.MaxLen - 1} {
		t, err := insn.Walk(quietMemory{m}, &p, at, insn.AccessFetch)
		if err == nil && t.GPA&^x86.PageOffset4K == gpa&^x86.PageOffset4K {
			return true
		}
	}
	return false
}

// quietMemory is an insn.Phys that neither exits nor changes anything.
type quietMemory struct{ m *fakeMemory }

func (q quietMemory) Load64(gpa uint64) (uint64, bool) {
	h, ok := q.m.find(gpa, false)
	if !ok {
		return 0, false
	}
	return q.m.cpu.vm.fake.word(h).Load(), true
}

func (q quietMemory) CompareAndSwap64(_, _, _ uint64) (swapped, ok bool) { return true, true }

// Load implements insn.Machine.
func (m *fakeMemory) Load(gpa uint64, size uint8) (uint64, error) {
	h, ok := m.find(gpa, false)
	if !ok {
		return 0, m.fault(gpa, false)
	}
	if gpa&7+uint64(size) <= 8 {
		return m.cpu.vm.fake.word(h).Load() >> (gpa & 7 * 8), nil
	}
	var b [8]byte
	copy(b[:], m.cpu.vm.fake.frame(h, uint64(size)))
	return binary.LittleEndian.Uint64(b[:]), nil
}

// Store implements insn.Machine.
func (m *fakeMemory) Store(gpa uint64, size uint8, v uint64) error {
	h, ok := m.find(gpa, true)
	if !ok {
		return m.fault(gpa, true)
	}
	if gpa&7+uint64(size) <= 8 {
		m.update(h, size, func(uint64) (uint64, bool) { return v, true })
		return nil
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(m.cpu.vm.fake.frame(h, uint64(size)), b[:])
	return nil
}

// update changes size bytes inside an aligned word, if f agrees to the value
// that is there.
func (m *fakeMemory) update(h memory.HPA, size uint8, f func(old uint64) (uint64, bool)) bool {
	w := m.cpu.vm.fake.word(h)
	shift := uint(h&7) * 8
	mask := ^uint64(0) >> (64 - 8*uint(size))
	for {
		old := w.Load()
		v, ok := f(old >> shift & mask)
		if !ok {
			return false
		}
		if w.CompareAndSwap(old, old&^(mask<<shift)|v&mask<<shift) {
			return true
		}
	}
}

// CompareAndSwap implements insn.Machine.
func (m *fakeMemory) CompareAndSwap(gpa uint64, size uint8, old, v uint64) (bool, error) {
	h, ok := m.find(gpa, true)
	if !ok {
		return false, m.fault(gpa, true)
	}
	if gpa&7+uint64(size) > 8 {
		return true, m.Store(gpa, size, v)
	}
	return m.update(h, size, func(cur uint64) (uint64, bool) { return v, cur == old }), nil
}

// CompareAndSwap16 implements insn.Machine, for guests with one vCPU.
func (m *fakeMemory) CompareAndSwap16(gpa uint64, old, v [2]uint64) (bool, error) {
	for i := range old {
		if cur, err := m.Load(gpa+8*uint64(i), 8); err != nil || cur != old[i] {
			return false, err
		}
	}
	for i := range v {
		if err := m.Store(gpa+8*uint64(i), 8, v[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// In implements insn.Machine: the owner of the vCPU finishes IN and INS.
func (m *fakeMemory) In(port uint16, size uint8) (uint32, error) {
	return 0, m.port(port, size, false, 0)
}

// Out implements insn.Machine: OUT and OUTS.
func (m *fakeMemory) Out(port uint16, size uint8, v uint32) error {
	return m.port(port, size, true, v)
}

func (m *fakeMemory) port(port uint16, size uint8, write bool, v uint32) error {
	e, in := m.cpu.exit, m.cpu.emul.Inst()
	e.Kind, e.Port, e.Size, e.Write = vcpu.KindPIO, port, size, write
	e.String = in.Op != insn.IN && in.Op != insn.OUT
	switch {
	case e.String:
		e.Rep = in.Rep != 0
	case write:
		e.Data = uint64(v)
	}
	if !e.String {
		m.cpu.setLen(in)
	}
	m.exited = true
	return errExit
}

// WriteCR implements insn.Machine, with the checks that decide whether the
// guest can run at all.
func (m *fakeMemory) WriteCR(n uint8, v uint64) (bool, error) {
	s := &m.cpu.s
	switch n {
	case 0:
		if v&x86.CR0PG != 0 && v&x86.CR0PE == 0 || v>>32 != 0 {
			return false, nil
		}
		s.EFER &^= x86.EFERLMA
		if v&x86.CR0PG != 0 && s.EFER&x86.EFERLME != 0 {
			s.EFER |= x86.EFERLMA
		}
		s.CR0 = v
	case 3:
		s.CR3 = v &^ x86.CR3NoFlush
	case 4:
		s.CR4 = v
	case 8:
		m.cpu.setCR8(v)
	}
	return true, nil
}

// FPU implements insn.Machine: the state is always at hand.
func (m *fakeMemory) FPU(bool) error { return nil }

// segment is the linear address of an offset, without checks.
func (m *fakeMemory) segment(seg uint8, offset uint64) uint64 {
	s := &m.cpu.s
	if s.Mode64() {
		if seg == x86.FS || seg == x86.GS {
			offset += s.Seg[seg].Base
		}
		return offset
	}
	return (offset + s.Seg[seg].Base) & 0xFFFF_FFFF
}

// linear reads or writes up to 8 bytes at a linear address, with the
// privileges of an implicit access (descriptor tables, the stack of an
// event's delivery).
func (m *fakeMemory) linear(lin uint64, size uint8, write bool, v uint64) (uint64, error) {
	access := insn.AccessImplicit
	if write {
		access |= insn.AccessWrite
	}
	var out uint64
	for i := uint8(0); i < size; i++ {
		m.cpu.paging.Set(&m.cpu.s)
		t, err := insn.Walk(m, &m.cpu.paging, lin+uint64(i), access)
		if err != nil {
			return 0, err
		}
		if write {
			err = m.Store(t.GPA, 1, v>>(8*i))
		} else {
			var b uint64
			b, err = m.Load(t.GPA, 1)
			out |= b & 0xFF << (8 * i)
		}
		if err != nil {
			return 0, err
		}
	}
	return out, nil
}

func (m *fakeMemory) read(lin uint64, size uint8) (uint64, error) {
	return m.linear(lin, size, false, 0)
}

func (m *fakeMemory) write(lin uint64, size uint8, v uint64) error {
	_, err := m.linear(lin, size, true, v)
	return err
}
