package insn

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"ringo/x86"
)

// seeds are instructions that touch every part of the decoder.
var seeds = [][]byte{
	{0x8B, 0x03}, {0x48, 0x89, 0x44, 0x8B, 0x10}, {0xF3, 0x48, 0xA5}, {0xF0, 0x48, 0x0F, 0xC7, 0x0E},
	{0xC5, 0xF8, 0x28, 0x0B}, {0x62, 0xF1, 0x7C, 0x48, 0x10, 0x43, 1}, {0x8F, 0xE9, 0x78, 0xE1, 0xC0},
	{0x66, 0xF3, 0x0F, 0x7E, 0x0B}, {0x0F, 0x22, 0xDB}, {0x6D}, {0x8F, 0x44, 0x24, 0xF0}, {0x0F, 0xA3, 0x4B, 4},
	{0x67, 0xA1, 1, 2, 3, 4}, {0x0F, 0x01, 0xD9}, {0x0F, 0x0F, 0xC1, 0xB4},
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		for mode := range byte(3) {
			f.Add(s, mode)
		}
	}
	f.Fuzz(func(t *testing.T, code []byte, mode byte) {
		m := [3]Mode{Mode16, Mode32, Mode64}[mode%3]
		in, err := Decode(code, m)
		n, lengthErr := Length(code, m)
		if err == nil && (lengthErr != nil || n != int(in.Len) || n < 1 || n > MaxLen || n > len(code)) {
			t.Fatalf("%x: length %d and %v, instruction has %d", code, n, lengthErr, in.Len)
		}
		if lengthErr == nil {
			requirePrefixFree(t, code[:n], m)
		}
		_ = Text(code, 0, m)
	})
}

// requirePrefixFree checks that an instruction cut short is seen to be so, and
// that nothing behind it counts.
func requirePrefixFree(t *testing.T, code []byte, m Mode) {
	if n, err := Length(code, m); err != nil || n != len(code) {
		t.Fatalf("%x: %d, %v alone", code, n, err)
	}
	if _, err := Length(code[:len(code)-1], m); !errors.Is(err, ErrTruncated) {
		t.Fatalf("%x cut by one: %v", code, err)
	}
}

func FuzzEmulate(f *testing.F) {
	for i, s := range seeds {
		for mode := range byte(5) {
			f.Add(s, mode, uint64(i)*0x9E3779B97F4A7C15, uint64(0))
		}
	}
	m := &testMachine{device: 0x1122334455667788}
	f.Fuzz(func(t *testing.T, code []byte, mode byte, seed, control uint64) {
		s := fuzzState(m, mode, seed, control)
		for i := range code {
			m.ram[codeAt+i%0x800] = code[i]
		}
		var e Emulator
		e.Paging.PhysBits = 40
		begin := time.Now()
		for range 4 {
			m.log = m.log[:0]
			if _, err := e.Step(m, s, nil); err != nil && !known(err) {
				t.Fatalf("unknown error %v", err)
			}
		}
		if d := time.Since(begin); d > time.Second {
			t.Fatalf("%x took %v", code, d)
		}
	})
}

// known tells whether Step may return err.
func known(err error) bool { return errors.Is(err, ErrUnsupported) || errors.Is(err, ErrNotRAM) }

// fuzzState makes a state from numbers: flat in one of five modes, then with
// random registers, and with random segments and control bits where asked.
func fuzzState(m *testMachine, mode byte, seed, control uint64) *x86.State {
	s := flatState(m, [5]Mode{Mode16, Mode32, Mode64, Mode16, Mode16}[mode%5])
	next := func() uint64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return seed ^ seed>>29
	}
	for i := range s.GPR {
		s.GPR[i] = next() >> (next() % 64)
	}
	binary.LittleEndian.PutUint64(s.XSAVE[x86.XSaveHeader:], next())
	s.XCR0 = x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX
	switch mode % 5 {
	case 3: // real mode
		s.CR0 &^= x86.CR0PE
	case 4: // virtual-8086 mode
		s.RFLAGS |= x86.FlagVM
		s.CPL = 3
	}
	s.CR0 ^= control & (x86.CR0WP | x86.CR0AM | x86.CR0TS | x86.CR0EM)
	s.CR4 ^= control >> 8 & (x86.CR4SMEP | x86.CR4SMAP | x86.CR4LA57 | x86.CR4PKE | x86.CR4OSXSAVE | x86.CR4DE)
	s.RFLAGS ^= control >> 32 & (x86.FlagsStatus | x86.FlagDF | x86.FlagAC | x86.FlagTF | x86.FlagIOPL)
	if control>>56&1 != 0 {
		s.CPL = 3
	}
	if control>>57&1 != 0 {
		r := next()
		s.Seg[r%6] = x86.Segment{Attr: uint32(next()), Limit: uint32(next()), Base: next()}
		s.CR3 = next() % ramSize
	}
	if control>>58&1 != 0 {
		s.CR0 |= x86.CR0PG
	}
	return s
}
