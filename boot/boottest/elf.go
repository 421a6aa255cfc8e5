package boottest

import (
	"debug/elf"
	"encoding/binary"
	"slices"
)

// Segment is one program header of a made ELF file.
type Segment struct {
	Type         elf.ProgType
	Vaddr, Paddr uint64
	Data         []byte
	// Memsz is len(Data) if 0.
	Memsz uint64
}

// elfHeaders64 is where the first segment of an ELF64 file with one segment
// starts. Linux maps pages, so a program's addresses must agree with its
// offsets modulo the page size.
const elfHeaders64 = 64 + 56

// ELF64 makes a static x86-64 executable.
func ELF64(entry uint64, segs ...Segment) []byte {
	const headerSize, progSize = 64, 56
	h := elf.Header64{
		Ident: ident(elf.ELFCLASS64), Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64),
		Version: 1, Entry: entry, Phoff: headerSize, Ehsize: headerSize,
		Phentsize: progSize, Phnum: uint16(len(segs)),
	}
	off := uint64(headerSize + progSize*len(segs))
	parts := []any{h}
	for _, s := range segs {
		parts = append(parts, elf.Prog64{
			Type: uint32(s.Type), Flags: uint32(elf.PF_R | elf.PF_X), Off: off,
			Vaddr: s.Vaddr, Paddr: s.Paddr, Filesz: uint64(len(s.Data)),
			Memsz: max(s.Memsz, uint64(len(s.Data))),
		})
		off += uint64(len(s.Data))
	}
	return appendData(encode(parts...), segs)
}

// ELF32 makes a static 32-bit x86 executable.
func ELF32(entry uint32, segs ...Segment) []byte {
	const headerSize, progSize = 52, 32
	h := elf.Header32{
		Ident: ident(elf.ELFCLASS32), Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386),
		Version: 1, Entry: entry, Phoff: headerSize, Ehsize: headerSize,
		Phentsize: progSize, Phnum: uint16(len(segs)),
	}
	off := uint32(headerSize + progSize*len(segs))
	parts := []any{h}
	for _, s := range segs {
		parts = append(parts, elf.Prog32{
			Type: uint32(s.Type), Off: off, Vaddr: uint32(s.Vaddr), Paddr: uint32(s.Paddr),
			Filesz: uint32(len(s.Data)), Memsz: uint32(max(s.Memsz, uint64(len(s.Data)))),
			Flags: uint32(elf.PF_R | elf.PF_X),
		})
		off += uint32(len(s.Data))
	}
	return appendData(encode(parts...), segs)
}

// Note makes the content of a PT_NOTE segment with one note.
func Note(name string, kind uint32, desc []byte) []byte {
	b := encode([]uint32{uint32(len(name) + 1), uint32(len(desc)), kind})
	b = pad(append(append(b, name...), 0))
	return pad(append(b, desc...))
}

// pad fills b up to a multiple of 4 bytes.
func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

func ident(class elf.Class) (id [elf.EI_NIDENT]byte) {
	copy(id[:], elf.ELFMAG)
	id[elf.EI_CLASS] = byte(class)
	id[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	id[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	return id
}

func appendData(b []byte, segs []Segment) []byte {
	for _, s := range segs {
		b = slices.Concat(b, s.Data)
	}
	return b
}

// encode panics on a value without a fixed size: a mistake in a test.
func encode(v ...any) []byte {
	var b []byte
	for _, x := range v {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, x); err != nil {
			panic(err)
		}
	}
	return b
}
