package hv

import (
	"encoding/binary"
	"errors"

	"ringo/devices"
	"ringo/devices/lapic"
	"ringo/hv/vcpu/apic"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/insn"
)

// emulator finishes instructions of one vCPU in Go. It is the insn.Machine
// through which they reach guest memory, device memory, ports and control
// registers.
type emulator struct {
	c     *cpu
	insn  insn.Emulator
	space *memory.Space
	mmio  *devices.Cursor
	lapic *lapic.LAPIC
	word  [8]byte

	fpuLoaded, fpuChanged bool
}

func newEmulator(c *cpu, l *lapic.LAPIC) *emulator {
	m := &emulator{c: c, space: c.board.space, mmio: &c.mmio, lapic: l}
	m.insn.Paging.PhysBits = c.board.policy.PhysAddrBits()
	m.insn.Paging.NoPage1G = !c.board.policy.Has("pdpe1gb")
	return m
}

// step executes the instruction at RIP of s.
func (m *emulator) step(s *x86.State, code []byte) (insn.Result, error) {
	m.fpuLoaded, m.fpuChanged = false, false
	return m.insn.Step(m, s, code)
}

// Load64 implements insn.Phys. RAM that was never touched is made present.
func (m *emulator) Load64(gpa uint64) (uint64, bool) {
	if v, ok := m.space.Load64(memory.GPA(gpa)); ok {
		return v, true
	}
	if m.space.Fault(memory.GPA(gpa), memory.Read) != nil {
		return 0, false
	}
	return m.space.Load64(memory.GPA(gpa))
}

// CompareAndSwap64 implements insn.Phys.
func (m *emulator) CompareAndSwap64(gpa, old, new uint64) (swapped, ok bool) {
	if swapped, ok = m.space.CompareAndSwap64(memory.GPA(gpa), old, new); ok {
		return swapped, true
	}
	if m.space.Fault(memory.GPA(gpa), memory.Read|memory.Write) != nil {
		return false, false
	}
	return m.space.CompareAndSwap64(memory.GPA(gpa), old, new)
}

// onAPICPage tells whether the address is in this vCPU's xAPIC page.
func (m *emulator) onAPICPage(gpa uint64) bool {
	return gpa&^x86.PageOffset4K == x86.APICBaseDefault && apic.Enabled(m.c.area) && !apic.X2APIC(m.c.area)
}

// Load implements insn.Machine.
func (m *emulator) Load(gpa uint64, size uint8) (uint64, error) {
	m.word = [8]byte{}
	p := m.word[:size&15]
	switch {
	case m.onAPICPage(gpa):
		m.lapic.Read(gpa&x86.PageOffset4K, p)
	case m.mmio.Lookup(gpa) != nil:
		m.mmio.Read(gpa, p)
	case gpa%uint64(size) == 0:
		if v, ok := m.Load64(gpa &^ 7); ok {
			return v >> (gpa & 7 * 8), nil
		}
		m.mmio.Read(gpa, p)
	default:
		err := m.space.ReadAt(p, memory.GPA(gpa))
		if errors.Is(err, memory.ErrNotRAM) {
			m.mmio.Read(gpa, p)
		} else if err != nil {
			return 0, err
		}
	}
	return binary.LittleEndian.Uint64(m.word[:]), nil
}

// Store implements insn.Machine. A write to ROM has no effect.
func (m *emulator) Store(gpa uint64, size uint8, v uint64) error {
	binary.LittleEndian.PutUint64(m.word[:], v)
	p := m.word[:size&15]
	switch {
	case m.onAPICPage(gpa):
		m.lapic.Write(gpa&x86.PageOffset4K, p)
	case m.mmio.Lookup(gpa) != nil:
		m.mmio.Write(gpa, p)
	default:
		err := m.space.WriteAt(p, memory.GPA(gpa))
		switch {
		case errors.Is(err, memory.ErrNotRAM):
			m.mmio.Write(gpa, p)
		case err != nil && !errors.Is(err, memory.ErrReadOnly):
			return err
		}
	}
	return nil
}

// CompareAndSwap implements insn.Machine: by the aligned 8 bytes around the
// operand where it is in RAM and inside them, and else as a plain store.
func (m *emulator) CompareAndSwap(gpa uint64, size uint8, old, v uint64) (bool, error) {
	word, shift := gpa&^7, gpa&7*8
	if m.onAPICPage(gpa) || m.mmio.Lookup(gpa) != nil || gpa&7+uint64(size) > 8 {
		return true, m.Store(gpa, size, v)
	}
	cur, ok := m.Load64(word)
	if !ok {
		return true, m.Store(gpa, size, v)
	}
	mask := ^uint64(0) >> (64 - 8*uint(size)) << shift
	if (cur^old<<shift)&mask != 0 {
		return false, nil
	}
	swapped, ok := m.CompareAndSwap64(word, cur, cur&^mask|v<<shift&mask)
	if !ok { // ROM
		return true, nil
	}
	return swapped, nil
}

// CompareAndSwap16 implements insn.Machine. The halves change one after the
// other: only an operand in device memory comes here, and no device has a
// register of 16 bytes.
func (m *emulator) CompareAndSwap16(gpa uint64, old, v [2]uint64) (bool, error) {
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

// In implements insn.Machine.
func (m *emulator) In(port uint16, size uint8) (uint32, error) {
	m.word = [8]byte{}
	m.c.pio.Read(uint64(port), m.word[:size&7])
	return binary.LittleEndian.Uint32(m.word[:]), nil
}

// Out implements insn.Machine.
func (m *emulator) Out(port uint16, size uint8, v uint32) error {
	binary.LittleEndian.PutUint32(m.word[:], v)
	m.c.pio.Write(uint64(port), m.word[:size&7])
	return nil
}

// FPU implements insn.Machine.
func (m *emulator) FPU(write bool) error {
	if !m.fpuLoaded {
		m.c.store(x86.GroupFPU)
		m.fpuLoaded = true
	}
	m.fpuChanged = m.fpuChanged || write
	return nil
}

// peek reads up to n bytes of the guest's memory at an offset in a segment, as
// the current privilege level may; of CS it fetches. It gives less, or nothing,
// where that is not allowed or not there.
func (m *emulator) peek(s *x86.State, seg int, offset uint64, n int) []byte {
	var paging insn.PagingState
	paging.Set(s)
	var access insn.Access
	if seg == x86.CS {
		access |= insn.AccessFetch
	}
	if s.CPL == 3 {
		access |= insn.AccessUser
	}
	if !s.Mode64() {
		offset = (offset + s.Seg[seg].Base) & 0xFFFF_FFFF
	}
	buf := make([]byte, 0, n)
	for len(buf) < n {
		if !x86.IsCanonical(offset, s.LinearBits()) {
			return buf
		}
		t, err := insn.Walk(m, &paging, offset, access)
		if err != nil {
			return buf
		}
		part := min(n-len(buf), int(x86.PageSize4K-offset&x86.PageOffset4K))
		buf = buf[:len(buf)+part]
		if !m.space.TryRead(buf[len(buf)-part:], memory.GPA(t.GPA)) {
			return buf[:len(buf)-part]
		}
		offset += uint64(part)
	}
	return buf
}

// disassemble is the first instruction of code.
func disassemble(code []byte, s *x86.State) string {
	return insn.Text(code, s.RIP, insn.ModeOf(s))
}
