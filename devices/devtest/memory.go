package devtest

import (
	"fmt"
	"sync"

	"ringo/memory"
)

// Memory is guest RAM from address 0, in a slice.
type Memory struct {
	mu  sync.Mutex
	ram []byte
}

// NewMemory makes size bytes of zeroed RAM.
func NewMemory(size int) *Memory { return &Memory{ram: make([]byte, size)} }

func (m *Memory) slice(a memory.GPA, n uint64) ([]byte, error) {
	size := uint64(len(m.ram))
	if uint64(a) > size || n > size-uint64(a) {
		return nil, fmt.Errorf("%w: %d bytes at %#x of %#x", memory.ErrNotRAM, n, a, size)
	}
	return m.ram[a : uint64(a)+n : uint64(a)+n], nil
}

// ReadAt copies from RAM.
func (m *Memory) ReadAt(p []byte, a memory.GPA) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slice(a, uint64(len(p)))
	copy(p, s)
	return err
}

// WriteAt copies to RAM.
func (m *Memory) WriteAt(p []byte, a memory.GPA) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slice(a, uint64(len(p)))
	copy(s, p)
	return err
}

// Pin gives the RAM itself.
func (m *Memory) Pin(a memory.GPA, n uint64, _ bool) (memory.Pinned, error) {
	s, err := m.slice(a, n)
	if err != nil {
		return nil, err
	}
	return pinned(s), nil
}

// Size is the amount of RAM in bytes.
func (m *Memory) Size() uint64 { return uint64(len(m.ram)) }

// Slots is the one slot.
func (m *Memory) Slots() []memory.Slot {
	return []memory.Slot{{Name: "ram", Size: uint64(len(m.ram))}}
}

type pinned []byte

func (p pinned) Pieces() [][]byte { return [][]byte{p} }
func (p pinned) Release()         {}
