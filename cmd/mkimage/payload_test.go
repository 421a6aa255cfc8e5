package main

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/entry"
)

const (
	rx = elf.PF_R | elf.PF_X
	rw = elf.PF_R | elf.PF_W
)

func TestFlatten(t *testing.T) {
	file := makeELF(t, 0x401010,
		load{virt: 0x401000, data: bytes.Repeat([]byte{1}, 0x20), flags: rx},
		load{virt: 0x403010, data: []byte{2, 3}, memsz: 0x5000, flags: rw})
	p, err := readPayload(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, uint64(0x401000), p.Virt)
	require.Equal(t, uint64(0x401010), p.Entry)
	require.Equal(t, uint64(0x7010), p.Size)
	require.Len(t, p.Data, 0x2012)
	require.Equal(t, byte(1), p.Data[0x1f])
	require.Equal(t, make([]byte, 0x2010-0x20), p.Data[0x20:0x2010])
	require.Equal(t, []byte{2, 3}, p.Data[0x2010:])
	require.Equal(t, []entry.Segment{
		{Virt: 0x401000, Size: 0x20, Flags: entry.SegmentR | entry.SegmentX},
		{Virt: 0x403010, Size: 0x5000, Flags: entry.SegmentR | entry.SegmentW},
	}, p.Segments)
}

func TestBadELF(t *testing.T) {
	text := load{virt: 0x401000, data: []byte{0xf4}, flags: rx}
	good := makeELF(t, 0x401000, text)
	change := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":     {nil, "not an ELF file"},
		"text":      {[]byte("#!/bin/sh\n"), "not an ELF file"},
		"truncated": {good[:100], "ELF"},
		"cut data":  {good[:len(good)-1], "read the segment at 0x401000"},
		"machine":   {change(18, byte(elf.EM_AARCH64)), "EM_X86_64"},
		"pie":       {change(16, byte(elf.ET_DYN)), "-buildmode=pie"},
		"dynamic":   {change(64, byte(elf.PT_INTERP)), "dynamically linked"},
		"nothing":   {change(64, byte(elf.PT_NOTE)), "no segment"},
		"overlap":   {makeELF(t, 0x401000, text, load{virt: 0x400fff, data: []byte{1, 2}, flags: rw}), "overlaps"},
		"too large": {makeELF(t, 0x401000, text, load{virt: 0x402000, memsz: entry.MaxImageSize, flags: rw}), "at most"},
		"wraps":     {makeELF(t, 0x401000, load{virt: 1<<64 - 4096, memsz: 8192, flags: rw}), "in memory"},
	} {
		_, err := readPayload(bytes.NewReader(c.file))
		require.ErrorIs(t, err, errELF, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPayload(bytes.NewReader(b))
		if err == nil && uint64(len(p.Data)) > p.Size {
			t.Fatalf("%d bytes of data, %d in memory", len(p.Data), p.Size)
		}
	})
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "image")
	in := filepath.Join(dir, "in.elf")
	require.NoError(t, os.WriteFile(in, makeELF(t, 0x401000, load{virt: 0x401000, data: []byte{0xf4}, flags: rx}), 0o644))
	require.NoError(t, makeImage(out, in))
	first, err := os.ReadFile(out)
	require.NoError(t, err)

	// A failure keeps the old image and leaves nothing else behind.
	require.NoError(t, os.WriteFile(in, []byte("broken"), 0o644))
	require.ErrorIs(t, makeImage(out, in), errELF)
	second, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Error(t, writeFile(dir, []byte("x"))) // a directory cannot be replaced
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2)
}
