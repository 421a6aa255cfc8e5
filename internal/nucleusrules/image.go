package nucleusrules

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrNoFunction says that the image has no function of that name.
	ErrNoFunction = errors.New("no such function in the image")
	// ErrNotAnImage says that a file is no x86-64 ELF with a symbol table.
	ErrNotAnImage = errors.New("not a linked x86-64 image with symbols")
)

// symbol is a function or variable with its addresses [start, end).
type symbol struct {
	name       string
	start, end uint64
}

// segment is a part of the image as it lies in memory.
type segment struct {
	start    uint64
	data     []byte
	writable bool
}

// Image is a linked program.
type Image struct {
	segments  []segment
	functions []symbol // by address
	variables []symbol // by address
	byName    map[string]*symbol
}

// ReadImage reads the ELF file at path.
func ReadImage(path string) (*Image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	defer f.Close()
	m := &Image{byName: map[string]*symbol{}}
	if err := m.read(f); err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	return m, nil
}

func (m *Image) read(f *elf.File) error {
	if f.Machine != elf.EM_X86_64 || f.Class != elf.ELFCLASS64 {
		return fmt.Errorf("machine %v, %v: %w", f.Machine, f.Class, ErrNotAnImage)
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil {
			return err
		}
		m.segments = append(m.segments, segment{p.Vaddr, data, p.Flags&elf.PF_W != 0})
	}
	list, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAnImage, err)
	}
	for _, s := range list {
		sym := symbol{s.Name, s.Value, s.Value + s.Size}
		switch kind := elf.ST_TYPE(s.Info); {
		case s.Size == 0: // a mark of the linker
		case kind == elf.STT_FUNC:
			m.functions = append(m.functions, sym)
		case kind == elf.STT_OBJECT:
			m.variables = append(m.variables, sym)
		}
	}
	m.index()
	return nil
}

// index sorts the symbols and makes the names of functions unique: assembly
// may have several static functions of one name.
func (m *Image) index() {
	byStart := func(a, b symbol) int { return cmp.Compare(a.start, b.start) }
	slices.SortFunc(m.functions, byStart)
	slices.SortFunc(m.variables, byStart)
	for i := range m.functions {
		f := &m.functions[i]
		if m.byName[f.name] != nil {
			f.name = fmt.Sprintf("%s@%#x", f.name, f.start)
		}
		m.byName[f.name] = f
	}
}

// HasFunction tells whether the image has a function of that name. Those in
// assembly end in ".abi0", unless they are static.
func (m *Image) HasFunction(name string) bool { return m.byName[name] != nil }

// find gives the symbol of a sorted list that holds addr, or nil.
func find(list []symbol, addr uint64) *symbol {
	i, exact := slices.BinarySearchFunc(list, addr, func(s symbol, a uint64) int { return cmp.Compare(s.start, a) })
	if !exact {
		i--
	}
	if i < 0 || addr >= list[i].end {
		return nil
	}
	return &list[i]
}

// functionAt names the function that begins at addr, "" if none does.
func (m *Image) functionAt(addr uint64) string {
	if s := find(m.functions, addr); s != nil && s.start == addr {
		return s.name
	}
	return ""
}

// variableAt names the variable that holds addr, "" if none does.
func (m *Image) variableAt(addr uint64) string {
	if s := find(m.variables, addr); s != nil {
		return s.name
	}
	return ""
}

// bytes gives what the image holds from addr on, up to n bytes, and whether
// the program may change it.
func (m *Image) bytes(addr, n uint64) (data []byte, writable bool) {
	for _, s := range m.segments {
		if addr >= s.start && addr-s.start < uint64(len(s.data)) {
			rest := s.data[addr-s.start:]
			return rest[:min(n, uint64(len(rest)))], s.writable
		}
	}
	return nil, false
}

// constant gives the 8-byte word at addr of the read-only part of the image.
func (m *Image) constant(addr uint64) (uint64, bool) {
	data, writable := m.bytes(addr, 8)
	if len(data) < 8 || writable {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data), true
}

// Holds names the function to which a func variable is initialised in the
// image, "" if it is nil at first.
func (m *Image) Holds(variable string) string {
	i := slices.IndexFunc(m.variables, func(s symbol) bool { return s.name == variable })
	if i < 0 {
		return ""
	}
	data, _ := m.bytes(m.variables[i].start, 8)
	if len(data) < 8 {
		return ""
	}
	code, _ := m.constant(binary.LittleEndian.Uint64(data))
	return m.functionAt(code)
}
