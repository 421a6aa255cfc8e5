package hv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// Values of the registers that the instructions use.
const (
	testSTAR  = 0x0023_0010_0000_1234
	testLSTAR = 0xFFFF_8000_0000_1000
	testCSTAR = 0xFFFF_8000_0000_2000
	testESP   = 0xFFFF_8000_0000_3000
	testEIP   = 0xFFFF_8000_0000_4000
)

// callState is a processor in 64-bit, compatibility or 32-bit protected mode.
func callState(mode string, cpl uint8) *x86.State {
	s := &x86.State{
		CR0: x86.CR0PE | x86.CR0PG, EFER: x86.EFERSCE, RFLAGS: 0x10302, RIP: 0x1000,
		STAR: testSTAR, LSTAR: testLSTAR, CSTAR: testCSTAR, SFMASK: 0x300,
		SysenterCS: 0x10, SysenterESP: testESP, SysenterEIP: testEIP,
	}
	if mode != "32" {
		s.EFER |= x86.EFERLMA | x86.EFERLME
	}
	setFlat(s, 0x10, cpl, mode == "64")
	s.GPR[x86.RCX], s.GPR[x86.RDX], s.GPR[x86.R11] = 0x7777_1111_2222, 0x7777_3333_4444, 0x246
	return s
}

// landing is what a call changes.
type landing struct {
	rip, rsp, rcx, r11, rflags uint64
	cs, ss                     uint16
	cpl                        uint8
	code64                     bool
}

func landed(s *x86.State) landing {
	return landing{
		s.RIP, s.GPR[x86.RSP], s.GPR[x86.RCX], s.GPR[x86.R11], s.RFLAGS,
		s.Seg[x86.CS].Selector, s.Seg[x86.SS].Selector, s.CPL, s.Mode64(),
	}
}

// TestFastCalls compares with the operation sections of the manuals.
func TestFastCalls(t *testing.T) {
	const rcx, rdx, next = 0x7777_1111_2222, 0x7777_3333_4444, 0x1002
	for name, c := range map[string]struct {
		op   foreignOp
		mode string
		cpl  uint8
		rexW bool
		want landing
	}{
		"SYSCALL 64":     {opSYSCALL, "64", 3, false, landing{testLSTAR, 0, next, 0x302, 0x2, 0x10, 0x18, 0, true}},
		"SYSCALL compat": {opSYSCALL, "compat", 3, false, landing{testCSTAR, 0, next, 0x302, 0x2, 0x10, 0x18, 0, true}},
		"SYSCALL 32":     {opSYSCALL, "32", 3, false, landing{0x1234, 0, next, 0x246, 0x102, 0x10, 0x18, 0, false}},
		"SYSRET 64":      {opSYSRET, "64", 0, true, landing{rcx, 0, rcx, 0x246, 0x246, 0x33, 0x2B, 3, true}},
		"SYSRET 64 to 32": {opSYSRET, "64", 0, false,
			landing{0x1111_2222, 0, rcx, 0x246, 0x246, 0x23, 0x2B, 3, false}},
		"SYSRET compat":   {opSYSRET, "compat", 0, false, landing{0x1111_2222, 0, rcx, 0x246, 0x10302, 0x23, 0x2B, 3, false}},
		"SYSENTER compat": {opSYSENTER, "compat", 3, false, landing{testEIP, testESP, rcx, 0x246, 0x10102, 0x10, 0x18, 0, true}},
		"SYSENTER 64":     {opSYSENTER, "64", 3, false, landing{testEIP, testESP, rcx, 0x246, 0x10102, 0x10, 0x18, 0, true}},
		"SYSENTER 32":     {opSYSENTER, "32", 3, false, landing{0x4000, 0x3000, rcx, 0x246, 0x10102, 0x10, 0x18, 0, false}},
		"SYSEXIT to 32":   {opSYSEXIT, "64", 0, false, landing{0x3333_4444, 0x1111_2222, rcx, 0x246, 0x10302, 0x23, 0x2B, 3, false}},
		"SYSEXIT to 64":   {opSYSEXIT, "64", 0, true, landing{rdx, rcx, rcx, 0x246, 0x10302, 0x33, 0x3B, 3, true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := callState(c.mode, c.cpl)
			require.Nil(t, foreignCalls[c.op](s, &foreignCall{op: c.op, rexW: c.rexW, next: next}))
			require.Equal(t, c.want, landed(s))
			for _, i := range []int{x86.CS, x86.SS} {
				require.Equal(t, c.want.cpl, s.Seg[i].DPL())
				require.EqualValues(t, 0xFFFF_FFFF, s.Seg[i].Limit)
				require.Zero(t, s.Seg[i].Base)
			}
		})
	}
}

// TestFastCallFaults: a refused one changes nothing.
func TestFastCallFaults(t *testing.T) {
	const bad = 0x8000_0000_0000
	for name, c := range map[string]struct {
		op     foreignOp
		cpl    uint8
		rexW   bool
		change func(*x86.State)
		vector uint8
	}{
		"SYSCALL without SCE":      {opSYSCALL, 3, false, func(s *x86.State) { s.EFER &^= x86.EFERSCE }, x86.VectorUD},
		"SYSCALL in real mode":     {opSYSCALL, 0, false, func(s *x86.State) { s.CR0, s.EFER = 0, x86.EFERSCE }, x86.VectorUD},
		"SYSRET without SCE":       {opSYSRET, 0, false, func(s *x86.State) { s.EFER &^= x86.EFERSCE }, x86.VectorUD},
		"SYSRET at CPL 3":          {opSYSRET, 3, false, func(*x86.State) {}, x86.VectorGP},
		"SYSENTER without CS":      {opSYSENTER, 3, false, func(s *x86.State) { s.SysenterCS = 3 }, x86.VectorGP},
		"SYSENTER in real mode":    {opSYSENTER, 0, false, func(s *x86.State) { s.CR0, s.EFER = 0, 0 }, x86.VectorGP},
		"SYSEXIT at CPL 3":         {opSYSEXIT, 3, false, func(*x86.State) {}, x86.VectorGP},
		"SYSEXIT without CS":       {opSYSEXIT, 0, false, func(s *x86.State) { s.SysenterCS = 0 }, x86.VectorGP},
		"SYSEXIT to a bad address": {opSYSEXIT, 0, true, func(s *x86.State) { s.GPR[x86.RDX] = bad }, x86.VectorGP},
		"SYSEXIT with a bad stack": {opSYSEXIT, 0, true, func(s *x86.State) { s.GPR[x86.RCX] = bad }, x86.VectorGP},
		"SYSRET in virtual-8086":   {opSYSRET, 3, false, func(s *x86.State) { s.EFER, s.RFLAGS = x86.EFERSCE, x86.FlagVM }, x86.VectorUD},
		"SYSCALL in virtual-8086":  {opSYSCALL, 3, false, func(s *x86.State) { s.EFER, s.RFLAGS = x86.EFERSCE, x86.FlagVM }, x86.VectorUD},
	} {
		t.Run(name, func(t *testing.T) {
			s := callState("64", c.cpl)
			c.change(s)
			before := *s
			f := foreignCalls[c.op](s, &foreignCall{op: c.op, rexW: c.rexW, next: 0x1002})
			require.NotNil(t, f)
			require.Equal(t, c.vector, f.Vector)
			require.Equal(t, c.vector == x86.VectorGP, f.HasError)
			require.Equal(t, before, *s)
		})
	}
}

func TestFindForeignCall(t *testing.T) {
	for _, c := range []struct {
		code   []byte
		mode64 bool
		want   foreignCall
		ok     bool
	}{
		{[]byte{0x0F, 0x05, 0xCC}, true, foreignCall{op: opSYSCALL, len: 2}, true},
		{[]byte{0x66, 0x0F, 0x05}, false, foreignCall{op: opSYSCALL, len: 3}, true},
		{[]byte{0x48, 0x0F, 0x07}, true, foreignCall{op: opSYSRET, len: 3, rexW: true}, true},
		{[]byte{0xF3, 0x41, 0x0F, 0x34}, true, foreignCall{op: opSYSENTER, len: 4}, true},
		{[]byte{0x48, 0x0F, 0x35}, true, foreignCall{op: opSYSEXIT, len: 3, rexW: true}, true},
		{[]byte{0x0F, 0x01, 0xC1}, false, foreignCall{op: opHypercall, len: 3}, true},
		{[]byte{0x0F, 0x01, 0xD9}, true, foreignCall{op: opHypercall, len: 3}, true},
		{code: []byte{0x0F, 0x01, 0xD8}},
		{code: []byte{0x0F, 0x01}},
		{code: []byte{0xF0, 0x0F, 0x05}},
		{code: []byte{0x48, 0x0F, 0x05}},
		{code: []byte{0x48, 0x66, 0x0F, 0x05}, mode64: true},
		{code: []byte{0x0F, 0x0B}},
		{code: []byte{0x0F}},
		{},
	} {
		got, ok := findForeignCall(c.code, c.mode64)
		require.Equal(t, c.ok, ok, "% x", c.code)
		if ok {
			require.Equal(t, c.want, got, "% x", c.code)
		}
	}
}

// FuzzFindForeignCall: no bytes of a guest make it read beyond them.
func FuzzFindForeignCall(f *testing.F) {
	f.Add([]byte{0x48, 0x0F, 0x01, 0xC1}, true)
	f.Fuzz(func(t *testing.T, code []byte, mode64 bool) {
		code = code[:min(len(code), maxInsnLen)]
		if c, ok := findForeignCall(code, mode64); ok {
			require.LessOrEqual(t, c.len, len(code))
			require.Less(t, int(c.op), len(foreignCalls))
		}
	})
}
