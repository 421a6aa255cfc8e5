package insn

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// splitMachine maps linear 0 to 5000H and the next page to A000H.
func splitMachine() (*testMachine, *x86.State) {
	m := &testMachine{}
	s := flatState(m, Mode64)
	chain(m, pwu, pwu)
	m.put64(tableAt+0x3008, 0xA000|pwu)
	return m, s
}

// at is where linear address a lies.
func at(a int) int {
	if a >= 0x1000 {
		return a - 0x1000 + 0xA000
	}
	return a + 0x5000
}

// TestCodeOverPages executes a ten-byte instruction at every distance from the
// end of a page.
func TestCodeOverPages(t *testing.T) {
	insn := code(t, "48 b8 88 77 66 55 44 33 22 11")
	for start := 0x1000 - 16; start <= 0x1000; start++ {
		m, s := splitMachine()
		for i, b := range insn {
			m.ram[at(start+i)] = b
		}
		s.RIP = uint64(start)
		var e Emulator
		r, err := e.Step(m, s, nil)
		require.NoError(t, err)
		require.Equal(t, Result{}, r)
		require.EqualValues(t, 0x1122334455667788, s.GPR[x86.RAX], "at %#x", start)
		require.EqualValues(t, start+10, s.RIP)
	}
}

// TestDataOverPages stores and loads 2 to 16 bytes at every distance from the
// end of a page.
func TestDataOverPages(t *testing.T) {
	for _, c := range []struct {
		size        int
		store, load string
	}{
		{2, "66 89 03", "66 8b 0b"}, {4, "89 03", "8b 0b"}, {8, "48 89 03", "48 8b 0b"}, {16, "0f 11 03", "0f 10 0b"},
	} {
		for start := 0x1000 - c.size; start <= 0x1000; start++ {
			m, s := splitMachine()
			s.GPR[x86.RAX], s.GPR[x86.RBX] = 0x0706050403020100, uint64(start)
			s.XSAVE[x86.XSaveHeader] = x86.XCR0SSE
			xmm0, xmm1 := s.XSAVE[x86.XSaveXMM0:][:16], s.XSAVE[x86.XSaveXMM0+16:][:16]
			for i := range xmm0 {
				xmm0[i] = byte(i)
			}
			var e Emulator
			for _, insn := range []string{c.store, c.load} {
				r, err := e.Step(m, s, append(code(t, insn), 0x90))
				require.NoError(t, err)
				require.Equal(t, Result{}, r)
			}
			for i := range c.size {
				require.EqualValues(t, i, m.ram[at(start+i)], "byte %d of %d at %#x", i, c.size, start)
			}
			require.Zero(t, m.ram[at(start+c.size)], "nothing behind")
			if c.size == 16 {
				require.Equal(t, xmm0, xmm1)
			} else {
				require.Equal(t, s.GPR[x86.RAX]&sizeMask(uint8(c.size)), s.GPR[x86.RCX])
			}
		}
	}
}

// TestLockedOverPages splits a locked access: it still happens, in two pieces.
func TestLockedOverPages(t *testing.T) {
	m, s := splitMachine()
	s.GPR[x86.RBX], s.GPR[x86.RAX] = 0xFFE, 0x01020304
	var e Emulator
	_, err := e.Step(m, s, code(t, "f0 01 03 90"))
	require.NoError(t, err)
	require.Equal(t, []byte{4, 3}, m.ram[0x5FFE:0x6000])
	require.Equal(t, []byte{2, 1}, m.ram[0xA000:0xA002])
	require.Zero(t, m.casRun)
}

// TestRegisterForms executes forms without memory.
func TestRegisterForms(t *testing.T) {
	for _, c := range []struct {
		code     string
		rax, rbx uint64 // after; 5 and 3 before
	}{
		{"48 87 c3", 3, 5},          // XCHG RBX, RAX
		{"48 0f c1 d8", 8, 5},       // XADD RAX, RBX
		{"48 0f c1 c0", 10, 3},      // XADD RAX, RAX
		{"48 0f b1 d8", 3, 3},       // CMPXCHG RAX, RBX
		{"48 0f b1 c3", 3, 3},       // CMPXCHG RBX, RAX
		{"48 0f ab d8", 5 | 8, 3},   // BTS RAX, RBX
		{"48 0f bb d8", 5 ^ 8, 3},   // BTC RAX, RBX
		{"48 0f ba f0 00", 4, 3},    // BTR RAX, 0
		{"48 01 d8", 8, 3},          // ADD
		{"0f 9d c7", 5, 0x103},      // SETGE BH
		{"0f bf c3", 3, 3},          // MOVSX EAX, BX
		{"0f 21 d0", 0x22, 3},       // MOV RAX, DR2
		{"0f 21 f0", 0xFFFF0FF0, 3}, // MOV RAX, DR6
		{"0f 20 d0", 0x77, 3},       // MOV RAX, CR2
		{"0f 22 d3", 5, 3},          // MOV CR2, RBX
		{"50", 5, 3},                // PUSH RAX
	} {
		m := &testMachine{}
		s := flatState(m, Mode64)
		s.GPR[x86.RAX], s.GPR[x86.RBX], s.DR[2], s.CR2 = 5, 3, 0x22, 0x77
		require.Equal(t, StatusDone, run(t, m, s, c.code).Status, c.code)
		require.Equal(t, []uint64{c.rax, c.rbx}, []uint64{s.GPR[x86.RAX], s.GPR[x86.RBX]}, c.code)
	}
}
