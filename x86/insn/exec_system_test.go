package insn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

func TestControlRegisters(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.CR8 = 7
	s.GPR[x86.RBX] = 0x123
	run(t, m, s, "44 0f 20 c1") // MOV RCX, CR8
	require.EqualValues(t, 7, s.GPR[x86.RCX])
	s.RIP = codeAt
	run(t, m, s, "0f 22 db") // MOV CR3, RBX
	require.EqualValues(t, 0x123, m.cr[3])
	s.RIP, s.CR0 = codeAt, s.CR0|x86.CR0TS
	run(t, m, s, "0f 06") // CLTS
	require.Equal(t, s.CR0&^x86.CR0TS, m.cr[0])
	s.RIP, s.GPR[x86.RBX] = codeAt, x86.CR0MP|x86.CR0AM
	run(t, m, s, "0f 01 f3") // LMSW BX
	require.Equal(t, s.CR0&^(x86.CR0TS|x86.CR0EM)|x86.CR0MP|x86.CR0PE, m.cr[0], "PE stays, AM is out of reach")
	s.RIP = codeAt
	run(t, m, s, "0f 01 e1") // SMSW ECX
	require.Equal(t, s.CR0&0xFFFFFFFF, s.GPR[x86.RCX])

	s.RIP, m.crBad = codeAt, true
	require.Equal(t, gp0, faultOf(t, m, s, "0f 22 db"))
	s.CPL = 3
	require.Equal(t, gp0, faultOf(t, m, s, "0f 20 c0"))
}

func TestDebugRegisters(t *testing.T) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	s.GPR[x86.RBX] = 0xFFFFFFFF
	run(t, m, s, "0f 23 fb") // MOV DR7, RBX
	require.EqualValues(t, 0xFFFF27FF, s.DR7)
	s.RIP = codeAt
	require.Equal(t, Fault{Vector: x86.VectorDB}, run(t, m, s, "0f 21 c3").Fault, "DR7.GD")
	require.NotZero(t, s.DR6&x86.DR6BD)
	require.Zero(t, s.DR7&x86.DR7GD)

	run(t, m, s, "0f 23 eb") // DR5 is DR7
	s.RIP, s.DR7, s.CR4 = codeAt, x86.DR7Reserved, s.CR4|x86.CR4DE
	require.Equal(t, ud, faultOf(t, m, s, "0f 23 eb"))
	s.GPR[x86.RBX] = 1 << 32
	require.Equal(t, gp0, faultOf(t, m, s, "0f 23 f3"))
	run(t, m, s, "0f 23 d3") // MOV DR2, RBX
	require.EqualValues(t, 1<<32, s.DR[2])
}

func TestOwner(t *testing.T) {
	for _, c := range []struct {
		code       string
		op         Op
		privileged bool
	}{
		{"0f a2", CPUID, false}, {"0f 31", RDTSC, false}, {"f4", HLT, true}, {"0f 30", WRMSR, true},
		{"0f 01 c1", VMCALL, false}, {"0f 01 d9", VMMCALL, false}, {"0f 01 38", INVLPG, true}, {"66 0f a2", CPUID, false},
		{"0f 01 d1", XSETBV, true}, {"0f 09", WBINVD, true},
	} {
		m := &testMachine{}
		s := flatState(m, Mode64)
		s.GPR[x86.RAX] = 0x1234
		copy(m.ram[codeAt:], code(t, c.code))
		var e Emulator
		r, err := e.Step(m, s, nil)
		require.NoError(t, err)
		require.Equal(t, StatusOwner, r.Status, c.code)
		require.Equal(t, c.op, e.Inst().Op)
		require.EqualValues(t, codeAt, s.RIP)
		if c.op == INVLPG {
			require.EqualValues(t, 0x1234, r.Linear)
		}
		e.Skip(s)
		require.EqualValues(t, codeAt+len(code(t, c.code)), s.RIP)
		s.RIP, s.CPL = codeAt, 3
		r, err = e.Step(m, s, nil)
		require.NoError(t, err)
		require.Equal(t, c.privileged, r.Status == StatusFault, c.code)
	}
}
