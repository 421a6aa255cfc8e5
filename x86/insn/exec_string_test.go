package insn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

func TestRepStringBounded(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RDI], s.GPR[x86.RCX], s.GPR[x86.RAX] = mmioAt, 3000, 0x5A
	var e Emulator
	copy(m.ram[codeAt:], code(t, "f3 aa"))
	for _, want := range []Status{StatusAgain, StatusAgain, StatusDone} {
		require.EqualValues(t, codeAt, s.RIP)
		r, err := e.Step(m, s, nil)
		require.NoError(t, err)
		require.Equal(t, want, r.Status)
	}
	require.Len(t, m.log, 3000)
	require.EqualValues(t, mmioAt+3000, s.GPR[x86.RDI])
	require.Zero(t, s.GPR[x86.RCX])
}

func TestStringForms(t *testing.T) {
	cases := []struct {
		name, code    string
		rcx, flags    uint64
		rsi, rdi, cnt uint64 // after
		zf            bool
	}{
		{"MOVSB", "a4", 5, 0, dataAt + 1, dataAt + 0x101, 5, false},
		{"REP MOVSD", "f3 a5", 4, 0, dataAt + 16, dataAt + 0x110, 0, false},
		{"REP MOVSQ down", "f3 48 a5", 2, x86.FlagDF, dataAt - 16, dataAt + 0x100 - 16, 0, false},
		{"REP with 0", "f3 a4", 0, 0, dataAt, dataAt + 0x100, 0, false},
		{"REPE CMPSB", "f3 a6", 10, 0, dataAt + 4, dataAt + 0x104, 6, false},
		{"REPNE SCASB", "f2 ae", 10, 0, dataAt, dataAt + 0x104, 6, true},
		{"LODSW", "66 ad", 1, 0, dataAt + 2, dataAt + 0x100, 1, false},
		{"STOSD 32-bit address", "67 ab", 1, 0, dataAt, dataAt + 0x104, 1, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := &testMachine{}
			s := flatState(m, Mode64)
			copy(m.ram[dataAt:], []byte{1, 2, 3, 4})
			copy(m.ram[dataAt+0x100:], []byte{1, 2, 3, 9})
			g := &s.GPR
			g[x86.RSI], g[x86.RDI], g[x86.RCX], g[x86.RAX] = dataAt, dataAt+0x100, c.rcx, 9
			s.RFLAGS |= c.flags
			require.Equal(t, StatusDone, run(t, m, s, c.code).Status)
			require.Equal(t, [3]uint64{c.rsi, c.rdi, c.cnt}, [3]uint64{g[x86.RSI], g[x86.RDI], g[x86.RCX]})
			require.Equal(t, c.zf, s.RFLAGS&x86.FlagZF != 0)
		})
	}
}

func TestRepFaultIsRestartable(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode32)
	s.Seg[x86.ES].Limit = dataAt + 7
	s.GPR[x86.RDI], s.GPR[x86.RCX] = dataAt, 4
	r := run(t, m, s, "f3 ab")
	require.Equal(t, gp0, r.Fault)
	require.EqualValues(t, 2, s.GPR[x86.RCX])
	require.EqualValues(t, dataAt+8, s.GPR[x86.RDI])
	require.EqualValues(t, codeAt, s.RIP)
}

func TestMovsReadsDeviceOnce(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode32)
	s.Seg[x86.ES].Limit = 0
	s.GPR[x86.RSI], s.GPR[x86.RDI] = mmioAt, dataAt
	require.Equal(t, gp0, faultOf(t, m, s, "a5"))
	require.Empty(t, m.log, "the device must not be read when the destination faults")
}

func TestRepSingleStep(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RDI], s.GPR[x86.RCX] = dataAt, 2
	s.RFLAGS |= x86.FlagTF
	r := run(t, m, s, "f3 aa")
	require.Equal(t, Result{Status: StatusAgain, SingleStep: true}, r)
	require.EqualValues(t, 1, s.GPR[x86.RCX])
	require.Equal(t, StatusDone, run(t, m, s, "f3 aa").Status)
}

func TestPortStrings(t *testing.T) {
	m := &testMachine{in: 0xAABBCCDD}
	s := flatState(m, Mode64)
	s.GPR[x86.RDX], s.GPR[x86.RDI], s.GPR[x86.RCX] = 0x1F0, dataAt, 3
	run(t, m, s, "f3 66 6d") // REP INSW
	require.Equal(t, []byte{0xDD, 0xCC, 0xDD, 0xCC, 0xDD, 0xCC, 0}, m.ram[dataAt:dataAt+7])
	require.Len(t, m.log, 3)

	m.log, s.RIP = nil, codeAt
	s.GPR[x86.RSI], s.GPR[x86.RCX] = dataAt, 1
	run(t, m, s, "f3 48 6f") // OUTSD: W does not widen a port
	require.Equal(t, []access{{true, 0x1F0, 4, 0xCCDDCCDD}}, m.log)
}

func TestPortPermission(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode32)
	s.CPL = 3
	s.GPR[x86.RDX], s.GPR[x86.RSI] = 0x60, dataAt
	s.Seg[x86.TR] = x86.Segment{Attr: x86.AttrP | x86.TypeTSSBusy, Base: 0x9000, Limit: 0x68 + 0x20}
	m.ram[0x9066] = 0x68
	require.Equal(t, StatusDone, run(t, m, s, "6e").Status)
	s.RIP = codeAt
	m.ram[0x9068+0x60/8] = 1
	require.Equal(t, gp0, faultOf(t, m, s, "6e"))
	s.GPR[x86.RDX] = 0xFFFF
	require.Equal(t, gp0, faultOf(t, m, s, "6e"), "past the map")
	s.RFLAGS |= x86.FlagIOPL
	require.Equal(t, StatusDone, run(t, m, s, "6e").Status)
}

func TestPorts(t *testing.T) {
	m := &testMachine{in: 0xAABBCCDD}
	s := flatState(m, Mode64)
	g := &s.GPR
	for _, c := range []struct {
		code string
		rax  uint64
		log  access
	}{
		{"ed", 0xAABBCCDD, access{false, 0x3F8, 4, 0}},
		{"66 ed", 0xFFFFFFFFFFFFCCDD, access{false, 0x3F8, 2, 0}},
		{"e4 f1", 0xFFFFFFFFFFFFFFDD, access{false, 0xF1, 1, 0}},
		{"e6 80", ^uint64(0), access{true, 0x80, 1, 0xFF}},
		{"48 ef", ^uint64(0), access{true, 0x3F8, 4, 0xFFFFFFFF}},
	} {
		m.log, s.RIP = nil, codeAt
		g[x86.RAX], g[x86.RDX] = ^uint64(0), 0x3F8
		require.Equal(t, StatusDone, run(t, m, s, c.code).Status)
		require.Equal(t, []access{c.log}, m.log, c.code)
		require.Equal(t, c.rax, g[x86.RAX], c.code)
	}
	s.CPL, s.RIP, s.Seg[x86.TR].Limit = 3, codeAt, 0x67
	require.Equal(t, gp0, faultOf(t, m, s, "ed"))
}
