package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"ringo/boot/entry"
)

// errELF: the input is no ELF file that can be made bootable.
var errELF = errors.New("unsuitable ELF file")

const pageSize = 0x1000

// readPayload flattens the loadable segments of the ELF file in r.
func readPayload(r io.ReaderAt) (entry.Payload, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return entry.Payload{}, fmt.Errorf("not an ELF file (%v): %w", err, errELF)
	}
	if err := checkHeader(f); err != nil {
		return entry.Payload{}, err
	}
	loads, err := loadSegments(f)
	if err != nil {
		return entry.Payload{}, err
	}
	return flatten(loads, f.Entry)
}

func checkHeader(f *elf.File) error {
	switch {
	case f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64:
		return fmt.Errorf("file is %v for %v, want ELFCLASS64 for EM_X86_64: %w", f.Class, f.Machine, errELF)
	case f.Type != elf.ET_EXEC:
		return fmt.Errorf("file is %v, want ET_EXEC; link without -buildmode=pie: %w", f.Type, errELF)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return fmt.Errorf("file is dynamically linked (it has %v); build with CGO_ENABLED=0: %w", p.Type, errELF)
		}
	}
	return nil
}

// loadSegments returns the segments to load, which must be in order of address
// and apart.
func loadSegments(f *elf.File) ([]*elf.Prog, error) {
	var loads []*elf.Prog
	end := uint64(0)
	for i, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		switch {
		case p.Filesz > p.Memsz || p.Vaddr+p.Memsz < p.Vaddr:
			return nil, fmt.Errorf("segment %d at %#x has %#x bytes in the file and %#x in memory: %w", i, p.Vaddr, p.Filesz, p.Memsz, errELF)
		case p.Vaddr < end:
			return nil, fmt.Errorf("segment %d at %#x overlaps the one before, which ends at %#x: %w", i, p.Vaddr, end, errELF)
		}
		end = p.Vaddr + p.Memsz
		loads = append(loads, p)
	}
	if len(loads) == 0 {
		return nil, fmt.Errorf("file has no segment to load: %w", errELF)
	}
	return loads, nil
}

// flatten copies the segments to their places.
func flatten(loads []*elf.Prog, start uint64) (entry.Payload, error) {
	last := loads[len(loads)-1]
	p := entry.Payload{Virt: loads[0].Vaddr / pageSize * pageSize, Entry: start}
	p.Size = last.Vaddr + last.Memsz - p.Virt
	if p.Size > entry.MaxImageSize {
		return p, fmt.Errorf("image spans %#x bytes of memory, at most %#x are possible: %w", p.Size, entry.MaxImageSize, errELF)
	}
	for _, s := range loads {
		at := s.Vaddr - p.Virt
		if s.Filesz > 0 {
			p.Data = append(p.Data, make([]byte, at+s.Filesz-uint64(len(p.Data)))...)
			if _, err := io.ReadFull(s.Open(), p.Data[at:]); err != nil {
				return p, fmt.Errorf("read the segment at %#x, %#x bytes from file offset %#x: %v: %w", s.Vaddr, s.Filesz, s.Off, err, errELF)
			}
		}
		p.Segments = append(p.Segments, entry.Segment{Virt: s.Vaddr, Size: s.Memsz, Flags: uint64(s.Flags & (elf.PF_R | elf.PF_W | elf.PF_X))})
	}
	return p, nil
}
