package vmx

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// TestRules breaks each check in turn: its text is in the explanation, and a
// good state breaks none.
func TestRules(t *testing.T) {
	changes := map[string]func(*vcpuMem){
		"a fixed bit of CR0":               func(c *vcpuMem) { c.regs[regCR0] &^= x86.CR0NE },
		"CR0.PG is set and CR0.PE is zero": func(c *vcpuMem) { c.regs[regCR0] &^= x86.CR0PE },
		"a fixed bit of CR4":               func(c *vcpuMem) { c.regs[regCR4] |= 1 << 40 },
		"a bit of DEBUGCTL":                func(c *vcpuMem) { c.regs[regDebugCtl] = 1 << 20 },
		"64-bit mode without":              func(c *vcpuMem) { c.regs[regCR4] &^= x86.CR4PAE },
		"CR4.PCIDE": func(c *vcpuMem) {
			c.regs[regCR4] |= x86.CR4PCIDE
			c.regs[regEntryControls] &^= EntryIA32eGuest
		},
		"CR3 has a bit":              func(c *vcpuMem) { c.regs[regCR3] = 1 << 50 },
		"DR7[63:32]":                 func(c *vcpuMem) { c.regs[regDR7] = 1 << 32 },
		"SYSENTER_ESP":               func(c *vcpuMem) { c.regs[regSysenterEIP] = 1 << 62 },
		"PAT":                        func(c *vcpuMem) { c.regs[regPAT] = 2 },
		"EFER has a reserved":        func(c *vcpuMem) { c.regs[regEFER] |= x86.EFERSVME },
		"EFER.LMA and EFER.LME":      func(c *vcpuMem) { c.regs[regEFER] &^= x86.EFERLME },
		"CS has a type":              func(c *vcpuMem) { c.regs[regAR+x86.CS] ^= x86.AttrS },
		"CS.L and CS.D":              func(c *vcpuMem) { c.regs[regAR+x86.CS] |= x86.AttrDB },
		"virtual-8086":               func(c *vcpuMem) { c.regs[regRFLAGS] |= x86.FlagVM },
		"SS or a data segment":       func(c *vcpuMem) { c.regs[regAR+x86.SS] &^= x86.TypeWritable },
		"TR is not":                  func(c *vcpuMem) { c.regs[regAR+x86.TR] = 0x89 },
		"LDTR is not":                func(c *vcpuMem) { c.regs[regAR+x86.LDTR] = 0x8B },
		"the base of GDTR":           func(c *vcpuMem) { c.regs[regIDTRBase] = 1 << 60 },
		"RIP[63:32]":                 func(c *vcpuMem) { c.regs[regRIP], c.regs[regAR+x86.CS] = 1<<32, x86.AttrCode },
		"RIP is not canonical":       func(c *vcpuMem) { c.regs[regRIP] = 1 << 60 },
		"a bit of RFLAGS":            func(c *vcpuMem) { c.regs[regRFLAGS] = 0 },
		"RFLAGS.VM":                  func(c *vcpuMem) { c.regs[regRFLAGS] |= x86.FlagVM },
		"the interruptibility state": func(c *vcpuMem) { c.regs[regInterruptibility] = BlockingSTI },
	}
	require.Len(t, changes, len(rules), "each rule is broken once")
	r := newRig(t)
	r.long(t, 0x1000)
	text := r.b.limits().explain(r.c)
	require.Contains(t, text, "no check of SDM volume 3C, section 27.3.1 fails")
	for _, rule := range rules {
		require.False(t, rule.broken(r.c, r.b.limits()), rule.text)
		found := false
		for prefix, change := range changes {
			if !strings.HasPrefix(rule.text, prefix) && !strings.Contains(rule.text, "a segment does not fit "+prefix) {
				continue
			}
			found = true
			r.long(t, 0x1000)
			change(r.c)
			require.True(t, rule.broken(r.c, r.b.limits()), rule.text)
			require.Contains(t, r.b.limits().explain(r.c), rule.text)
			r.long(t, 0x1000)
		}
		require.True(t, found, rule.text)
	}
}

// TestReset: the state after RESET is one that the processor takes.
func TestReset(t *testing.T) {
	r := newRig(t)
	for _, rule := range rules {
		require.False(t, rule.broken(r.c, r.b.limits()), rule.text+" "+rule.show(r.c))
	}
}
