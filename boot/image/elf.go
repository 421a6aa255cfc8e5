package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"ringo/boot/layout"
	"ringo/memory"
)

// Bounds of what is read of an ELF file besides its segments.
const (
	maxSegments = 128
	maxNotes    = 64 << 10 // bytes of one PT_NOTE segment
	elfHeader64 = 64
)

// ELF is an executable's program headers.
type ELF struct {
	Class   elf.Class
	Machine elf.Machine
	Entry   uint64
	Progs   []elf.ProgHeader
	file    File
}

// IsELF says whether the file starts as an ELF file does.
func IsELF(head []byte) bool { return bytes.HasPrefix(head, []byte(elf.ELFMAG)) }

// ParseELF reads the program headers of a little-endian x86 executable.
func ParseELF(f File) (*ELF, error) {
	head := make([]byte, elfHeader64)
	if err := ReadFull(f, head[:elf.EI_NIDENT], 0); err != nil {
		return nil, fmt.Errorf("ELF identification: %w", err)
	}
	if !IsELF(head) {
		return nil, fmt.Errorf("%w: an ELF file was asked for, the file starts with % x", ErrFormat, head[:4])
	}
	if d := elf.Data(head[elf.EI_DATA]); d != elf.ELFDATA2LSB {
		return nil, fmt.Errorf("%w: the ELF file is %v; build the kernel for x86", ErrUnsupported, d)
	}
	e := &ELF{Class: elf.Class(head[elf.EI_CLASS]), file: f}
	switch e.Class {
	case elf.ELFCLASS64:
		return e, e.parse64()
	case elf.ELFCLASS32:
		return e, e.parse32()
	}
	return nil, fmt.Errorf("%w: the ELF file is of %v; only 32 and 64 bits exist", ErrFormat, e.Class)
}

// parse64 reads the headers of an ELFCLASS64 file.
func (e *ELF) parse64() error {
	var h elf.Header64
	if err := e.read(&h, 0); err != nil {
		return err
	}
	e.Machine, e.Entry = elf.Machine(h.Machine), h.Entry
	var p elf.Prog64
	return e.programs(h.Phoff, h.Phentsize, h.Phnum, binary.Size(&p), func(off int64) error {
		if err := e.read(&p, off); err != nil {
			return err
		}
		e.Progs = append(e.Progs, elf.ProgHeader{
			Type: elf.ProgType(p.Type), Flags: elf.ProgFlag(p.Flags), Off: p.Off,
			Vaddr: p.Vaddr, Paddr: p.Paddr, Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align,
		})
		return nil
	})
}

// parse32 reads the headers of an ELFCLASS32 file.
func (e *ELF) parse32() error {
	var h elf.Header32
	if err := e.read(&h, 0); err != nil {
		return err
	}
	e.Machine, e.Entry = elf.Machine(h.Machine), uint64(h.Entry)
	var p elf.Prog32
	return e.programs(uint64(h.Phoff), h.Phentsize, h.Phnum, binary.Size(&p), func(off int64) error {
		if err := e.read(&p, off); err != nil {
			return err
		}
		e.Progs = append(e.Progs, elf.ProgHeader{
			Type: elf.ProgType(p.Type), Flags: elf.ProgFlag(p.Flags), Off: uint64(p.Off),
			Vaddr: uint64(p.Vaddr), Paddr: uint64(p.Paddr), Filesz: uint64(p.Filesz),
			Memsz: uint64(p.Memsz), Align: uint64(p.Align),
		})
		return nil
	})
}

// programs checks the program header table and calls f with the file offset
// of each entry.
func (e *ELF) programs(off uint64, size, num uint16, want int, f func(int64) error) error {
	if e.Machine != elf.EM_X86_64 && e.Machine != elf.EM_386 {
		return fmt.Errorf("%w: the ELF file is for %v; build the kernel for x86", ErrUnsupported, e.Machine)
	}
	if num == 0 || num > maxSegments || int(size) != want {
		return fmt.Errorf("%w: the ELF file has %d program headers of %d bytes; 1 to %d of %d bytes can be loaded",
			ErrFormat, num, size, maxSegments, want)
	}
	table := uint64(num) * uint64(size)
	if off > uint64(e.file.Size()) || table > uint64(e.file.Size())-off {
		return fmt.Errorf("%w: the ELF program headers take %d bytes at offset %d, the file has %d",
			ErrTruncated, table, off, e.file.Size())
	}
	for i := range int64(num) {
		if err := f(int64(off) + i*int64(size)); err != nil {
			return err
		}
	}
	return nil
}

// read decodes the little-endian structure v from offset off.
func (e *ELF) read(v any, off int64) error {
	b := make([]byte, binary.Size(v))
	if err := ReadFull(e.file, b, off); err != nil {
		return fmt.Errorf("ELF header: %w", err)
	}
	_, err := binary.Decode(b, binary.LittleEndian, v)
	return err
}

// Load copies every PT_LOAD segment to its physical address and clears the
// part that is not in the file. Everything is checked and claimed before
// anything is written.
func (e *ELF) Load(mem memory.Guest, p *Plan) error {
	at := make([]layout.Range, len(e.Progs))
	for i := range e.Progs {
		var err error
		if at[i], err = e.claim(p, i); err != nil {
			return err
		}
	}
	for i, r := range at {
		if r.Size == 0 {
			continue
		}
		h := &e.Progs[i]
		if err := Copy(mem, r.Start, e.file, int64(h.Off), h.Filesz); err != nil {
			return fmt.Errorf("ELF segment %d: %w", i, err)
		}
		bss := layout.Range{Start: r.Start + memory.GPA(h.Filesz), Size: h.Memsz - h.Filesz}
		if err := Zero(mem, bss); err != nil {
			return fmt.Errorf("ELF segment %d: %w", i, err)
		}
	}
	return nil
}

// claim takes the memory of segment i, which is empty if it is not loaded.
func (e *ELF) claim(p *Plan, i int) (layout.Range, error) {
	h := &e.Progs[i]
	if h.Type != elf.PT_LOAD || h.Memsz == 0 {
		return layout.Range{}, nil
	}
	if h.Filesz > h.Memsz {
		return layout.Range{}, fmt.Errorf("%w: ELF segment %d has %d bytes in the file but %d in memory",
			ErrFormat, i, h.Filesz, h.Memsz)
	}
	if err := e.inFile(fmt.Sprintf("ELF segment %d", i), h.Off, h.Filesz); err != nil {
		return layout.Range{}, err
	}
	return p.Claim(fmt.Sprintf("ELF segment %d", i), h.Paddr, h.Memsz)
}

// inFile checks that n bytes at offset off are in the file.
func (e *ELF) inFile(what string, off, n uint64) error {
	size := uint64(e.file.Size())
	if off > size || n > size-off {
		return fmt.Errorf("%w: %s takes %d bytes at offset %d, the file has %d", ErrTruncated, what, n, off, size)
	}
	return nil
}

// Loaded says whether n bytes at physical address a are in a loaded segment.
func (e *ELF) Loaded(a, n uint64) bool {
	want := layout.Range{Start: memory.GPA(a), Size: n}
	for _, h := range e.Progs {
		seg := layout.Range{Start: memory.GPA(h.Paddr), Size: h.Memsz}
		if h.Type == elf.PT_LOAD && seg.Contains(want) {
			return true
		}
	}
	return false
}

// PhysicalEntry is the physical address of the entry point, which the header
// gives as a virtual address of a loaded segment.
func (e *ELF) PhysicalEntry() (uint64, bool) {
	for _, h := range e.Progs {
		seg := layout.Range{Start: memory.GPA(h.Vaddr), Size: h.Memsz}
		if h.Type == elf.PT_LOAD && seg.Contains(layout.Range{Start: memory.GPA(e.Entry), Size: 1}) {
			return h.Paddr + (e.Entry - h.Vaddr), true
		}
	}
	return 0, false
}
