package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// load is a segment of a made-up ELF file.
type load struct {
	virt  uint64
	data  []byte
	memsz uint64
	flags elf.ProgFlag
}

// makeELF writes a static ELF64 file.
func makeELF(t *testing.T, entry uint64, loads ...load) []byte {
	t.Helper()
	const headerSize, progSize = 64, 56
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: entry,
		Phoff: headerSize, Ehsize: headerSize, Phentsize: progSize, Phnum: uint16(len(loads)),
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.LittleEndian, h))
	off := uint64(headerSize + progSize*len(loads))
	for _, l := range loads {
		require.NoError(t, binary.Write(&b, binary.LittleEndian, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(l.flags), Off: off, Vaddr: l.virt, Paddr: l.virt,
			Filesz: uint64(len(l.data)), Memsz: max(l.memsz, uint64(len(l.data))), Align: pageSize,
		}))
		off += uint64(len(l.data))
	}
	for _, l := range loads {
		b.Write(l.data)
	}
	return b.Bytes()
}
