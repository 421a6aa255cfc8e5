package tiny

import (
	"bytes"
	"debug/elf"
	"encoding/binary"

	"ringo/x86/asm"
)

const (
	elfHeaderSize  = 64
	elfProgramSize = 56

	noteXen         = "Xen\x00"
	notePhys32Entry = 18 // XEN_ELFNOTE_PHYS32_ENTRY
)

// pvhNote says at which physical address to enter.
type pvhNote struct {
	NameSize, DescSize, Type uint32
	Name                     [4]byte
	Entry                    uint64
}

// PVH makes a kernel of a program that starts in 32-bit protected mode without
// paging: flat segments, interrupts off, EBX = hvm_start_info, no stack. It is
// loaded at LoadAddress, its first byte is the entry.
func PVH(build func(a *asm.Asm)) []byte {
	code, err := assemble(build).Bytes()
	if err != nil {
		panic(err)
	}
	return wrap(code)
}

func assemble(build func(a *asm.Asm)) *asm.Asm {
	a := asm.New(asm.Bits32, LoadAddress)
	build(a)
	return a
}

// wrap puts code into an ELF file.
func wrap(code []byte) []byte {
	note := pvhNote{NameSize: uint32(len(noteXen)), DescSize: 8, Type: notePhys32Entry, Entry: LoadAddress}
	copy(note.Name[:], noteXen)
	noteAt := uint64(elfHeaderSize + 2*elfProgramSize)
	noteSize := uint64(binary.Size(note))
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: LoadAddress, Phoff: elfHeaderSize, Ehsize: elfHeaderSize, Phentsize: elfProgramSize, Phnum: 2,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	load := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X), Off: noteAt + noteSize,
		Vaddr: LoadAddress, Paddr: LoadAddress, Filesz: uint64(len(code)), Memsz: uint64(len(code)), Align: 4,
	}
	notes := elf.Prog64{
		Type: uint32(elf.PT_NOTE), Flags: uint32(elf.PF_R), Off: noteAt, Filesz: noteSize, Memsz: noteSize, Align: 4,
	}
	var b bytes.Buffer
	for _, part := range []any{header, load, notes, note, code} {
		// Only a value without a fixed size makes this fail.
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}
