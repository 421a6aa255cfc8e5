package insn

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// code parses hexadecimal with blanks.
func code(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// run executes one instruction of code at codeAt.
func run(t testing.TB, m *testMachine, s *x86.State, hexCode string) Result {
	t.Helper()
	copy(m.ram[codeAt:], code(t, hexCode))
	var e Emulator
	r, err := e.Step(m, s, nil)
	require.NoError(t, err, hexCode)
	return r
}

func TestMMIOForms(t *testing.T) {
	const dev = 0x1122334455667788
	read := func(size uint8) access { return access{false, mmioAt, size, 0} }
	write := func(size uint8, v uint64) access { return access{true, mmioAt, size, v} }
	cases := []struct {
		name, code string
		mode       Mode
		rax        uint64 // before
		want       uint64 // RAX after
		log        []access
	}{
		{"MOV r32,m", "8b 03", Mode64, ^uint64(0), 0x55667788, []access{read(4)}},
		{"MOV r64,m", "48 8b 03", Mode64, 0, dev, []access{read(8)}},
		{"MOV r16,m", "66 8b 03", Mode64, ^uint64(0), 0xFFFFFFFFFFFF7788, []access{read(2)}},
		{"MOV r8,m", "8a 03", Mode64, ^uint64(0), 0xFFFFFFFFFFFFFF88, []access{read(1)}},
		{"MOV ah,m", "8a 23", Mode64, 0, 0x8800, []access{read(1)}},
		{"MOV m,r32", "89 03", Mode64, 0xAABBCCDDEEFF, 0xAABBCCDDEEFF, []access{write(4, 0xCCDDEEFF)}},
		{"MOV m,imm32", "c7 03 78 56 34 92", Mode64, 0, 0, []access{write(4, 0x92345678)}},
		{"MOV m,imm64", "48 c7 03 ff ff ff ff", Mode64, 0, 0, []access{write(8, ^uint64(0))}},
		{"MOV m,imm8", "c6 03 ff", Mode64, 0, 0, []access{write(1, 0xFF)}},
		{"MOV eax,moffs64", "a1 00 00 c0 fe 00 00 00 00", Mode64, 0, 0x55667788, []access{read(4)}},
		{"MOV moffs32,al", "a2 00 00 c0 fe", Mode32, 0x1FF, 0x1FF, []access{write(1, 0xFF)}},
		{"MOV m,cs", "8c 0b", Mode32, 0, 0, []access{write(2, 0x10)}},
		{"MOVZX", "0f b6 03", Mode64, ^uint64(0), 0x88, []access{read(1)}},
		{"MOVSX", "48 0f be 03", Mode64, 0, 0xFFFFFFFFFFFFFF88, []access{read(1)}},
		{"MOVSX r16", "66 0f be 03", Mode64, 0, 0xFF88, []access{read(1)}},
		{"MOVSXD", "48 63 03", Mode64, 0, 0x55667788, []access{read(4)}},
		{"MOVBE r32", "0f 38 f0 03", Mode64, 0, 0x88776655, []access{read(4)}},
		{"MOVBE r16", "66 0f 38 f0 03", Mode64, 0, 0x8877, []access{read(2)}},
		{"MOVBE m", "0f 38 f1 03", Mode64, 0x11223344, 0x11223344, []access{write(4, 0x44332211)}},
		{"MOVNTI", "0f c3 03", Mode64, 5, 5, []access{write(4, 5)}},
		{"ADD m,r", "01 03", Mode64, 1, 1, []access{read(4), write(4, 0x55667789)}},
		{"ADD r,m", "03 03", Mode64, 1, 0x55667789, []access{read(4)}},
		{"OR m,imm8", "83 0b 01", Mode64, 0, 0, []access{read(4), write(4, 0x55667789)}},
		{"AND m8", "80 23 0f", Mode32, 0, 0, []access{read(1), write(1, 8)}},
		{"82 alias", "82 23 0f", Mode32, 0, 0, []access{read(1), write(1, 8)}},
		{"TEST", "f6 03 01", Mode64, 0, 0, []access{read(1)}},
		{"TEST alias", "f6 0b 01", Mode64, 0, 0, []access{read(1)}},
		{"CMP", "39 03", Mode64, 0, 0, []access{read(4)}},
		{"NOT", "f7 13", Mode64, 0, 0, []access{read(4), write(4, 0xAA998877)}},
		{"INC", "ff 03", Mode64, 0, 0, []access{read(4), write(4, 0x55667789)}},
		{"XCHG", "87 03", Mode64, 7, 0x55667788, []access{read(4), write(4, 7)}},
		{"XADD", "0f c1 03", Mode64, 1, 0x55667788, []access{read(4), write(4, 0x55667789)}},
		{"CMPXCHG equal", "0f b1 0b", Mode64, 0x55667788, 0x55667788, []access{read(4), write(4, 0)}},
		{"CMPXCHG other", "0f b1 0b", Mode64, 1, 0x55667788, []access{read(4), write(4, 0x55667788)}},
		{"BTS imm", "0f ba 2b 00", Mode64, 0, 0, []access{read(4), write(4, 0x55667789)}},
		{"BT r behind", "0f a3 4b 04", Mode64, 0, 0, []access{{false, mmioAt + 4, 4, 0}}},
		{"SETE", "0f 94 03", Mode64, 0, 0, []access{write(1, 0)}},
		{"CMOVNE", "0f 45 03", Mode64, 0, 0x55667788, []access{read(4)}},
		{"CMOVE", "0f 44 03", Mode64, ^uint64(0), 0xFFFFFFFF, []access{read(4)}},
		{"REX then 66", "48 66 8b 03", Mode64, 0, 0x7788, []access{read(2)}},
		{"useless REP", "f3 8b 03", Mode64, 0, 0x55667788, []access{read(4)}},
		{"address size", "67 8b 03", Mode64, 0, 0x55667788, []access{read(4)}},
		{"XACQUIRE XCHG", "f2 f0 87 03", Mode64, 7, 0x55667788, []access{read(4), write(4, 7)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := &testMachine{device: dev}
			s := flatState(m, c.mode)
			s.Seg[x86.CS].Selector = 0x10
			s.GPR[x86.RBX], s.GPR[x86.RAX] = mmioAt, c.rax
			r := run(t, m, s, c.code)
			require.Equal(t, StatusDone, r.Status)
			// A compare-and-swap of a device reads once more than the bus.
			require.Equal(t, c.log, withoutCASRead(m))
			require.Equal(t, c.want, s.GPR[x86.RAX])
			require.Equal(t, codeAt+uint64(len(code(t, c.code))), s.RIP)
		})
	}
}

// withoutCASRead drops the reads that testMachine's own compare-and-swap makes.
func withoutCASRead(m *testMachine) []access {
	if m.casRun == 0 {
		return m.log
	}
	return append(append([]access{}, m.log[:len(m.log)-2]...), m.log[len(m.log)-1])
}

func TestAddressing(t *testing.T) {
	cases := []struct {
		name, code string
		mode       Mode
		want       uint64 // linear address read
	}{
		{"base index scale disp8", "8b 44 8b 10", Mode64, 0x200000 + 4*0x30 + 0x10},
		{"base disp32", "8b 83 00 01 00 00", Mode64, 0x200100},
		{"negative disp8", "8b 43 f0", Mode64, 0x1FFFF0},
		{"RIP relative", "8b 05 00 00 20 00", Mode64, codeAt + 6 + 0x200000},
		{"disp32 by SIB", "8b 04 25 00 00 30 00", Mode64, 0x300000},
		{"disp32", "8b 05 00 00 30 00", Mode32, 0x300000},
		{"R12 base", "41 8b 04 24", Mode64, 0x500000},
		{"R13 base", "41 8b 45 00", Mode64, 0x600000},
		{"R12 index", "42 8b 04 23", Mode64, 0x700000},
		{"FS base", "64 8b 03", Mode64, 0x201000},
		{"GS base", "65 8b 03", Mode32, 0x202000},
		{"DS base is not used", "3e 8b 03", Mode64, 0x200000},
		{"16-bit BX+SI", "8b 00", Mode16, 0x8000 + 0x1234},
		{"16-bit disp16", "8b 06 34 92", Mode16, 0x9234},
		{"16-bit BP+DI+disp8", "8b 43 01", Mode16, 0xF001},
		{"16-bit wraps", "8b 80 00 f0", Mode16, (0x9234 + 0xF000) & 0xFFFF},
		{"32-bit in 16-bit code", "67 8b 06", Mode16, 0x1234},
		{"16-bit in 32-bit code", "67 8b 04", Mode32, 0x1234},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := &testMachine{}
			s := flatState(m, c.mode)
			s.Seg[x86.FS].Base, s.Seg[x86.GS].Base, s.Seg[x86.DS].Base = 0x1000, 0x2000, 0
			g := &s.GPR
			g[x86.RBX], g[x86.RCX], g[x86.RSI], g[x86.RDI], g[x86.RBP] = 0x200000, 0x30, 0x1234, 0x1000, 0xE000
			g[x86.R12], g[x86.R13] = 0x500000, 0x600000
			if c.mode == Mode16 {
				g[x86.RBX] = 0x8000
			}
			copy(m.ram[codeAt:], code(t, c.code))
			var e Emulator
			_, err := e.Step(m, s, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, e.mem.gpa[0])
		})
	}
}

func TestLockedOnRAM(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX], s.GPR[x86.RAX] = dataAt, 3
	m.ram[dataAt] = 4
	require.Equal(t, StatusDone, run(t, m, s, "f0 01 03").Status)
	require.EqualValues(t, 7, m.ram[dataAt])
	require.Equal(t, 1, m.casRun, "LOCK must use compare-and-swap")

	s.RIP = codeAt
	before := *s
	var e Emulator
	r, err := e.Step(racingMachine{m}, s, nil)
	require.NoError(t, err)
	require.Equal(t, StatusAgain, r.Status)
	require.Equal(t, before, *s, "a lost race must change nothing")
	require.EqualValues(t, 7, m.ram[dataAt])
}

func TestCmpxchgPair(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	g := &s.GPR
	put := func(lo, hi uint64) {
		binary.LittleEndian.PutUint64(m.ram[dataAt:], lo)
		binary.LittleEndian.PutUint64(m.ram[dataAt+8:], hi)
	}
	put(1, 2)
	g[x86.RAX], g[x86.RDX], g[x86.RBX], g[x86.RCX], g[x86.RSI] = 1, 2, 3, 4, dataAt
	run(t, m, s, "f0 48 0f c7 0e")
	require.NotZero(t, s.RFLAGS&x86.FlagZF)
	require.EqualValues(t, 3, m.ram[dataAt])
	require.EqualValues(t, 4, m.ram[dataAt+8])

	s.RIP = codeAt
	run(t, m, s, "f0 48 0f c7 0e")
	require.Zero(t, s.RFLAGS&x86.FlagZF)
	require.EqualValues(t, 3, g[x86.RAX])
	require.EqualValues(t, 4, g[x86.RDX])

	s.RIP, g[x86.RSI] = codeAt, dataAt+8
	r := run(t, m, s, "48 0f c7 0e")
	require.EqualValues(t, x86.VectorGP, r.Fault.Vector, "CMPXCHG16B wants alignment")

	put(0x0000000200000001, 0)
	s.RIP = codeAt
	g[x86.RSI], g[x86.RAX], g[x86.RDX], g[x86.RBX], g[x86.RCX] = dataAt, 1, 2, 5, 6
	run(t, m, s, "0f c7 0e")
	require.EqualValues(t, 0x0000000600000005, binary.LittleEndian.Uint64(m.ram[dataAt:]))
}

func TestStack(t *testing.T) {
	m := &testMachine{device: 0xAABBCCDD11223344}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = mmioAt
	run(t, m, s, "ff 33") // PUSH [RBX]
	require.EqualValues(t, stackAt-8, s.GPR[x86.RSP])
	require.EqualValues(t, m.device, binary.LittleEndian.Uint64(m.ram[stackAt-8:]))

	s.RIP = codeAt
	run(t, m, s, "8f 44 24 f0") // POP [RSP-16], RSP after the pop
	require.EqualValues(t, stackAt, s.GPR[x86.RSP])
	require.EqualValues(t, m.device, binary.LittleEndian.Uint64(m.ram[stackAt-16:]))

	s = flatState(m, Mode16)
	s.Seg[x86.SS].Attr &^= x86.AttrDB
	s.GPR[x86.RSP] = 0xABCD0000
	run(t, m, s, "68 34 12") // PUSH imm16, SP wraps
	require.EqualValues(t, 0xABCDFFFE, s.GPR[x86.RSP])
	require.EqualValues(t, 0x1234, binary.LittleEndian.Uint16(m.ram[0xFFFE:]))
}

func TestVectors(t *testing.T) {
	m := &testMachine{device: 0x1122334455667788}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = mmioAt
	xmm := func(i int) []byte { return s.XSAVE[x86.XSaveXMM0+16*i:][:16] }
	for i := range 16 {
		xmm(1)[i] = byte(i)
	}
	run(t, m, s, "0f 11 0b") // MOVUPS [RBX], XMM1
	require.Equal(t, []access{{true, mmioAt, 8, 0x0706050403020100}, {true, mmioAt + 8, 8, 0x0F0E0D0C0B0A0908}}, m.log)

	for _, c := range []struct {
		code   string
		lo, hi uint64
	}{
		{"0f 10 0b", m.device, m.device},           // MOVUPS
		{"66 0f 6f 0b", m.device, m.device},        // MOVDQA
		{"f3 0f 10 0b", 0x55667788, 0},             // MOVSS
		{"66 48 0f 6e 0b", m.device, 0},            // MOVQ
		{"66 0f 6e 0b", 0x55667788, 0},             // MOVD
		{"0f 16 0b", 0x0706050403020100, m.device}, // MOVHPS
		{"0f 12 0b", m.device, 0x0F0E0D0C0B0A0908}, // MOVLPS
		{"66 f3 0f 7e 0b", m.device, 0},            // F3 wins over 66: MOVQ
		{"66 0f 38 2a 0b", m.device, m.device},     // MOVNTDQA
	} {
		for i := range 16 {
			xmm(1)[i] = byte(i)
		}
		s.RIP = codeAt
		require.Equal(t, StatusDone, run(t, m, s, c.code).Status, c.code)
		require.Equal(t, c.lo, binary.LittleEndian.Uint64(xmm(1)), c.code)
		require.Equal(t, c.hi, binary.LittleEndian.Uint64(xmm(1)[8:]), c.code)
	}

	s.RIP, s.GPR[x86.RBX] = codeAt, mmioAt+8
	require.EqualValues(t, x86.VectorGP, run(t, m, s, "0f 28 0b").Fault.Vector, "MOVAPS wants alignment")
	require.EqualValues(t, x86.VectorUD, run(t, m, s, "c5 f8 28 0b").Fault.Vector, "VEX without OSXSAVE")
	s.CR4 |= x86.CR4OSXSAVE
	s.XCR0 = x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX
	s.GPR[x86.RBX] = mmioAt
	upper := s.XSAVE[ymmOffset+16:][:16]
	upper[3] = 9
	require.Equal(t, StatusDone, run(t, m, s, "c5 f8 28 0b").Status)
	require.Equal(t, make([]byte, 16), upper, "VEX clears the upper half")

	// A component in its initial state reads as zero.
	binary.LittleEndian.PutUint64(s.XSAVE[x86.XSaveHeader:], x86.XCR0X87)
	m.log, s.RIP = nil, codeAt
	run(t, m, s, "0f 11 0b")
	require.Zero(t, m.log[0].v)

	s.RIP = codeAt
	s.CR0 |= x86.CR0TS
	require.EqualValues(t, x86.VectorNM, run(t, m, s, "0f 11 0b").Fault.Vector)
}

func TestCache(t *testing.T) {
	m := &testMachine{device: 5}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = mmioAt
	var e Emulator
	step := func(hexCode string) {
		t.Helper()
		copy(m.ram[codeAt:], code(t, hexCode))
		s.RIP = codeAt
		r, err := e.Step(m, s, nil)
		require.NoError(t, err)
		require.Equal(t, StatusDone, r.Status)
	}
	step("8b 03")
	first := e.Inst()
	step("8b 03")
	require.Same(t, first, e.Inst())
	require.EqualValues(t, 5, s.GPR[x86.RAX])
	step("8b 0b") // the code has changed
	require.EqualValues(t, 5, s.GPR[x86.RCX])
	step("48 b8 88 77 66 55 44 33 22 11")
	require.EqualValues(t, 0x1122334455667788, s.GPR[x86.RAX])
	step("48 b8 88 77 66 55 44 33 22 12") // differs in the tenth byte
	require.EqualValues(t, 0x1222334455667788, s.GPR[x86.RAX])
}

func TestKnownTranslation(t *testing.T) {
	m := &testMachine{device: 5}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = 0x345678 // not where the device is
	var e Emulator
	step := func(hexCode string, k Known) {
		t.Helper()
		m.log, s.RIP, e.Known = nil, codeAt, k
		r, err := e.Step(m, s, append(code(t, hexCode), 0x90, 0x90))
		require.NoError(t, err)
		require.Equal(t, Result{}, r)
		require.False(t, e.Known.Valid)
	}
	const gpa = mmioAt + 0x678

	step("8b 03", Known{Valid: true, GPA: gpa})
	require.Equal(t, []access{{false, gpa, 4, 0}}, m.log)
	step("89 03", Known{Valid: true, Write: true, GPA: gpa})
	require.Equal(t, []access{{true, gpa, 4, 5}}, m.log)
	step("89 03", Known{Valid: true, GPA: gpa}) // a read gives no right to write
	step("8b 43 01", Known{Valid: true, GPA: gpa})
	s.GPR[x86.RBX] = 0x345FFE
	step("8b 03", Known{Valid: true, GPA: mmioAt + 0xFFE})
	require.Equal(t, uint64(0x345FFE), e.mem.gpa[0], "an access over a page end is walked")
}

func TestNoAllocation(t *testing.T) {
	m, s := mmioLoop()
	var e Emulator
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.RIP, m.log = codeAt, m.log[:0]
		if _, err := e.Step(m, s, nil); err != nil {
			t.Fatal(err)
		}
	}))
}

// mmioLoop is a 64-bit guest about to read a device register.
func mmioLoop() (*testMachine, *x86.State) {
	m := &testMachine{device: 5, log: make([]access, 0, 16)}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = mmioAt
	copy(m.ram[codeAt:], []byte{0x8B, 0x43, 0x10})
	return m, s
}

func BenchmarkMMIORead(b *testing.B) {
	m, s := mmioLoop()
	var e Emulator
	b.ReportAllocs()
	for b.Loop() {
		s.RIP, m.log = codeAt, m.log[:0]
		e.Known = Known{Valid: true, GPA: mmioAt + 0x10}
		if _, err := e.Step(m, s, nil); err != nil {
			b.Fatal(err)
		}
	}
}
