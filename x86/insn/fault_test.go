package insn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// faultOf executes code and gives the fault.
func faultOf(t *testing.T, m *testMachine, s *x86.State, hexCode string) Fault {
	t.Helper()
	before := *s
	r := run(t, m, s, hexCode)
	require.Equal(t, StatusFault, r.Status)
	require.Equal(t, before, *s, "a fault must leave the state alone")
	return r.Fault
}

var (
	gp0 = Fault{Vector: x86.VectorGP, HasError: true}
	ss0 = Fault{Vector: x86.VectorSS, HasError: true}
	ud  = Fault{Vector: x86.VectorUD}
)

func TestSegmentChecks(t *testing.T) {
	m := &testMachine{}
	small := func(limit uint32, attr uint32) *x86.State {
		s := flatState(m, Mode32)
		s.Seg[x86.DS].Limit, s.Seg[x86.DS].Attr = limit, attr
		return s
	}
	at := func(s *x86.State, a uint64) *x86.State { s.GPR[x86.RBX] = a; return s }
	const data = x86.AttrData | x86.AttrDB
	require.Equal(t, gp0, faultOf(t, m, at(small(0xFFF, data), 0xFFD), "8b 03"), "limit")
	require.Equal(t, StatusDone, run(t, m, at(small(0xFFF, data), 0xFFC), "8b 03").Status)
	require.Equal(t, gp0, faultOf(t, m, at(small(0xFFFFFFFF, data), 0xFFFFFFFE), "8b 03"), "wrap at 4 GiB")
	require.Equal(t, gp0, faultOf(t, m, small(0xFFF, data|x86.AttrUnusable), "8b 03"), "null segment")
	require.Equal(t, gp0, faultOf(t, m, small(0xFFF, data&^x86.TypeWritable), "89 03"), "read-only")
	require.Equal(t, gp0, faultOf(t, m, small(0xFFF, x86.AttrP|x86.AttrS|x86.TypeCode), "8b 03"), "execute-only")

	down := uint32(data | x86.TypeExpandDown)
	require.Equal(t, gp0, faultOf(t, m, at(small(0xFFF, down), 0xFFF), "8b 03"), "expand-down below")
	require.Equal(t, StatusDone, run(t, m, at(small(0xFFF, down), 0x1000), "8b 03").Status)
	require.Equal(t, gp0, faultOf(t, m, at(small(0xFFF, down&^x86.AttrDB), 0xFFFE), "8b 03"), "16-bit expand-down ends at 64 KiB")

	s := flatState(m, Mode32)
	s.Seg[x86.SS].Limit = 0xFFF
	s.GPR[x86.RBP] = 0x1000
	require.Equal(t, ss0, faultOf(t, m, s, "8b 45 00"), "EBP means SS")
	require.Equal(t, ss0, faultOf(t, m, s, "6a 00"), "PUSH past the limit")
	s.Seg[x86.CS].Limit = codeAt + 1
	require.Equal(t, gp0, faultOf(t, m, s, "8b 45 00"), "code past the limit")
	s.Seg[x86.CS].Limit = codeAt - 1
	require.Equal(t, gp0, faultOf(t, m, s, "90"))
}

func TestRealAndVirtual8086(t *testing.T) {
	m := &testMachine{}
	s := new(x86.State)
	s.Reset()
	s.Seg[x86.CS] = x86.Segment{Attr: x86.AttrCode, Limit: 0xFFFF}
	s.Seg[x86.DS] = x86.Segment{Selector: 0x800, Attr: x86.AttrData, Limit: 0xFFFF, Base: 0x8000}
	s.RIP = codeAt
	m.ram[0x8010] = 0x42
	s.GPR[x86.RBX] = 0x10
	run(t, m, s, "8a 07") // MOV AL, [BX]
	require.EqualValues(t, 0x42, s.GPR[x86.RAX])

	s.RIP, s.GPR[x86.RBX] = codeAt, 0xFFFF
	require.Equal(t, Fault{Vector: x86.VectorGP}, faultOf(t, m, s, "8b 07"), "no error code in real mode")

	s.CR0 |= x86.CR0PE
	s.RFLAGS |= x86.FlagVM
	s.CPL = 3
	require.Equal(t, gp0, faultOf(t, m, s, "8b 07"))
	s.GPR[x86.RBX] = 0x10
	require.Equal(t, StatusDone, run(t, m, s, "8a 07").Status)
}

func TestCanonicalAndAlignment(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX], s.GPR[x86.RBP] = 0x7FFFFFFFFFFD, 1<<63
	require.Equal(t, gp0, faultOf(t, m, s, "8b 03"), "the last byte is not canonical")
	require.Equal(t, ss0, faultOf(t, m, s, "8b 45 00"))
	s.RIP = 1 << 60
	require.Equal(t, gp0, faultOf(t, m, s, ""))

	s = flatState(m, Mode64)
	s.GPR[x86.RBX] = dataAt + 2
	s.CPL, s.CR0, s.RFLAGS = 3, s.CR0|x86.CR0AM, s.RFLAGS|x86.FlagAC
	require.Equal(t, Fault{Vector: x86.VectorAC, HasError: true}, faultOf(t, m, s, "8b 03"))
	require.Equal(t, StatusDone, run(t, m, s, "66 8b 03").Status)
	s.CPL, s.RIP = 0, codeAt
	require.Equal(t, StatusDone, run(t, m, s, "8b 03").Status, "a supervisor is not checked")
}

func TestInvalidAndLong(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	require.Equal(t, ud, faultOf(t, m, s, "f0 8b 03"))
	require.Equal(t, ud, faultOf(t, m, s, "06"))
	s.GPR[x86.RBX] = 1 << 62
	require.Equal(t, StatusDone, run(t, m, s, "0f 1f 03").Status, "NOP does not access its operand")
	s.RIP = codeAt
	require.Equal(t, gp0, faultOf(t, m, s, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 8b 03"))

	copy(m.ram[codeAt:], code(t, "0f af 03"))
	var e Emulator
	_, err := e.Step(m, s, nil)
	require.ErrorIs(t, err, ErrUnsupported)
	require.Equal(t, "IMUL", e.Inst().Op.String())
}

// TestPageCrossing puts code and data over page ends, with the second page
// elsewhere or absent.
func TestPageCrossing(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	chain(m, pwu, pwu) // linear 0 is 5000H, 1000H is 6000H
	s.RIP, s.GPR[x86.RBX] = 0x0FFE, 0x0FFD
	copy(m.ram[0x5FFE:], []byte{0x8B, 0x83})
	copy(m.ram[0x6000:], []byte{0, 0, 0, 0})
	copy(m.ram[0x5FFD:], []byte{0x11})
	var e Emulator
	r, err := e.Step(m, s, nil)
	require.NoError(t, err)
	require.Equal(t, StatusDone, r.Status)
	require.EqualValues(t, 0x1004, s.RIP)
	require.EqualValues(t, 0x00838B11, s.GPR[x86.RAX])

	m.put64(tableAt+0x3008, 0)
	s.RIP = 0x0FFE
	r, err = e.Step(m, s, nil)
	require.NoError(t, err)
	require.Equal(t, Fault{Vector: x86.VectorPF, HasError: true, ErrorCode: x86.PFFetch, CR2: 0x1000}, r.Fault)

	copy(m.ram[0x5000:], code(t, "89 03"))
	s.RIP, s.CPL = 0, 3
	r, err = e.Step(m, s, nil)
	require.NoError(t, err)
	require.Equal(t, Fault{Vector: x86.VectorPF, HasError: true, ErrorCode: x86.PFWrite | x86.PFUser, CR2: 0x1000}, r.Fault)
	require.EqualValues(t, 0x11, m.ram[0x5FFD], "nothing is written before both pages are known")
}

func TestBytesFromProcessor(t *testing.T) {
	m := &testMachine{device: 9}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = mmioAt
	var e Emulator
	r, err := e.Step(m, s, code(t, "8b 03 90 90"))
	require.NoError(t, err)
	require.Equal(t, StatusDone, r.Status)
	require.EqualValues(t, 9, s.GPR[x86.RAX])
	// Too few of them: the rest is fetched.
	copy(m.ram[s.RIP:], code(t, "8b 4b 08"))
	_, err = e.Step(m, s, code(t, "8b 4b"))
	require.NoError(t, err)
	require.EqualValues(t, 9, s.GPR[x86.RCX])
}

func TestFetch(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	var e Emulator
	copy(m.ram[codeAt:], code(t, "66 0f a2"))
	in, err := e.Fetch(m, s, nil)
	require.NoError(t, err)
	require.Equal(t, CPUID, in.Op)
	require.EqualValues(t, 3, in.Len)
	copy(m.ram[codeAt:], code(t, "62 f5 7c 48 3d 43 01")) // an opcode that nobody has defined
	in, err = e.Fetch(m, s, nil)
	require.ErrorIs(t, err, ErrUnsupported)
	require.EqualValues(t, 7, in.Len)
	m.put64(tableAt, 0)
	_, err = e.Fetch(m, s, nil)
	require.EqualError(t, err, "#PF(0x10) at 0x1000")
}

func TestRetire(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = dataAt
	s.RFLAGS |= x86.FlagRF | x86.FlagTF
	s.Interrupt.STIShadow = true
	r := run(t, m, s, "8b 03")
	require.True(t, r.SingleStep)
	require.Zero(t, s.RFLAGS&x86.FlagRF)
	require.False(t, s.Interrupt.STIShadow)
}
