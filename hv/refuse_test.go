package hv

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// TestForeignInstructions: an intercepted instruction that CPUID does not show,
// and that nobody here knows, is #UD, in a kernel too.
func TestForeignInstructions(t *testing.T) {
	for name, code := range map[string][]byte{
		"INVVPID":             {0x66, 0x0F, 0x38, 0x81, 0x07},
		"SEAMCALL":            {0x66, 0x0F, 0x01, 0xCF},
		"TDCALL":              {0x66, 0x0F, 0x01, 0xCC},
		"WRMSRLIST":           {0xF3, 0x0F, 0x01, 0xC6},
		"URDMSR":              {0xF2, 0x0F, 0x38, 0xF8, 0xC1},
		"RDMSR (immediate)":   {0xC4, 0xE7, 0x7B, 0xF6, 0xC0, 1, 0, 0, 0},
		"WRMSRNS (immediate)": {0xC4, 0xE7, 0x7A, 0xF6, 0xC0, 1, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := newTestVM(t, nil, forever)
			require.NoError(t, v.Start())
			require.NoError(t, v.Pause(context.Background()))
			c := v.board.cpus[0]
			require.NoError(t, v.board.space.WriteAt(code, memory.GPA(c.area.RIP)))
			e := &vcpu.Exit{Kind: vcpu.KindInsn}
			require.True(t, c.instruction(e))
			require.True(t, e.Emulated)
			ev, ok := c.v.Pending()
			require.True(t, ok)
			require.Equal(t, vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD}, ev)
			v.close(t)
		})
	}
}
