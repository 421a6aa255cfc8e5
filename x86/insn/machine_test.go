package insn

import (
	"encoding/binary"

	"ringo/x86"
)

// ramSize is the RAM of a testMachine; a device lies behind it.
const ramSize = 1 << 20

// testMachine is RAM from 0, and a device everywhere else that logs.
type testMachine struct {
	ram    [ramSize]byte
	log    []access
	device uint64 // value that reads of the device give
	in     uint32
	fpu    int
	cr     map[uint8]uint64
	crBad  bool
	casRun int
}

// access is one device or port access.
type access struct {
	write bool
	addr  uint64
	size  uint8
	v     uint64
}

func (m *testMachine) Load64(gpa uint64) (uint64, bool) {
	if gpa > ramSize-8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(m.ram[gpa:]), true
}

func (m *testMachine) CompareAndSwap64(gpa, old, v uint64) (bool, bool) {
	cur, ok := m.Load64(gpa)
	if !ok || cur != old {
		return false, ok
	}
	binary.LittleEndian.PutUint64(m.ram[gpa:], v)
	return true, true
}

func (m *testMachine) Load(gpa uint64, size uint8) (uint64, error) {
	if gpa <= ramSize-8 {
		var b [8]byte
		copy(b[:size], m.ram[gpa:])
		return binary.LittleEndian.Uint64(b[:]), nil
	}
	m.note(access{false, gpa, size, 0})
	return m.device & sizeMask(size), nil
}

func (m *testMachine) Store(gpa uint64, size uint8, v uint64) error {
	if gpa <= ramSize-8 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		copy(m.ram[gpa:], b[:size])
		return nil
	}
	m.note(access{true, gpa, size, v})
	return nil
}

func (m *testMachine) note(a access) {
	if len(m.log) < 1<<16 {
		m.log = append(m.log, a)
	}
}

func (m *testMachine) CompareAndSwap(gpa uint64, size uint8, old, v uint64) (bool, error) {
	m.casRun++
	if cur, _ := m.Load(gpa, size); gpa <= ramSize-8 && cur != old {
		return false, nil
	}
	return true, m.Store(gpa, size, v)
}

func (m *testMachine) CompareAndSwap16(gpa uint64, old, v [2]uint64) (bool, error) {
	for i := range v {
		if ok, err := m.CompareAndSwap(gpa+8*uint64(i), 8, old[i], v[i]); !ok || err != nil {
			return ok, err
		}
	}
	return true, nil
}

func (m *testMachine) In(port uint16, size uint8) (uint32, error) {
	m.note(access{false, uint64(port), size, 0})
	return m.in, nil
}

func (m *testMachine) Out(port uint16, size uint8, v uint32) error {
	m.note(access{true, uint64(port), size, uint64(v)})
	return nil
}

func (m *testMachine) WriteCR(n uint8, v uint64) (bool, error) {
	if m.crBad {
		return false, nil
	}
	if m.cr == nil {
		m.cr = map[uint8]uint64{}
	}
	m.cr[n] = v
	return true, nil
}

func (m *testMachine) FPU(bool) error {
	m.fpu++
	return nil
}

// Where the tests put things.
const (
	codeAt  = 0x1000
	dataAt  = 0x8000
	stackAt = 0x7000
	tableAt = 0x10000
	mmioAt  = 0xFEC00000 // linear and guest-physical
)

// flatState is a processor in the given mode with flat segments, at CPL 0,
// paging on in 64-bit mode only.
func flatState(m *testMachine, mode Mode) *x86.State {
	s := new(x86.State)
	s.Reset()
	s.CR0 = x86.CR0PE | x86.CR0ET | x86.CR0NE | x86.CR0WP
	s.CR4 = x86.CR4OSFXSR
	s.RIP = codeAt
	s.GPR = [16]uint64{}
	s.GPR[x86.RSP] = stackAt
	for i := range 6 {
		s.Seg[i] = x86.Segment{Attr: x86.AttrData | x86.AttrDB | x86.AttrG, Limit: 0xFFFFFFFF}
	}
	s.Seg[x86.CS].Attr = x86.AttrCode | x86.AttrG
	switch mode {
	case Mode32:
		s.Seg[x86.CS].Attr |= x86.AttrDB
	case Mode64:
		s.Seg[x86.CS].Attr |= x86.AttrL
		s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
		s.CR0 |= x86.CR0PG
		s.CR4 |= x86.CR4PAE
		s.CR3 = tableAt
		identity4G(m)
	}
	return s
}

// identity4G maps the first 4 GiB to themselves with 2 MiB pages for all.
func identity4G(m *testMachine) {
	const rights = x86.PTEPresent | x86.PTEWrite | x86.PTEUser
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(m.ram[at:], v) }
	put(tableAt, tableAt+0x1000|rights)
	for i := range uint64(4) {
		directory := tableAt + 0x2000 + i*0x1000
		put(tableAt+0x1000+i*8, directory|rights)
		for j := range uint64(512) {
			put(directory+j*8, i<<30|j<<21|rights|x86.PTEPageSize)
		}
	}
}

// racingMachine changes memory under every compare-and-swap.
type racingMachine struct{ *testMachine }

func (m racingMachine) CompareAndSwap(uint64, uint8, uint64, uint64) (bool, error) {
	return false, nil
}
