package hv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/x86/asm"
)

// FuzzGuest runs random bytes as a kernel, and as its interrupt handler. The
// guest may do to itself what it likes; nothing in it may fail this
// hypervisor, run past Stop, or keep memory.
func FuzzGuest(f *testing.F) {
	f.Add([]byte{0xF4}, uint32(0))
	f.Add([]byte{0xE4, 0x40, 0xE6, 0x70, 0x6F, 0xF3, 0x6E}, uint32(0xFEE00000))
	f.Add([]byte{0x8B, 0x03, 0x89, 0x43, 0x20, 0xA5, 0xF3, 0xA4, 0x0F, 0x30, 0x0F, 0x32}, uint32(0xFEC00000))
	f.Add([]byte{0x0F, 0xA2, 0x0F, 0x01, 0xD9, 0x0F, 0x22, 0xC0, 0xCD, 0x03}, uint32(0xFEDE0000))
	f.Fuzz(func(t *testing.T, code []byte, address uint32) {
		v := newTestVM(t, nil, func(a *asm.Asm) {
			a.Mov(asm.ESP, asm.Imm(0x280000))
			a.Mov(asm.EBX, asm.Imm(int64(address)))
			a.Mov(asm.ESI, asm.Imm(int64(address)))
			a.Mov(asm.EDI, asm.Imm(int64(address)))
			a.Mov(asm.ECX, asm.Imm(int64(address&0xFFF)))
			idt32(a, 0x0D, "code")
			a.Sti()
			a.Label("code")
			a.Raw(code[:min(len(code), 256)]...)
			a.Jmp("code")
		})
		require.NoError(t, v.Start())
		select {
		case r := <-v.stopped:
			require.NotEqual(t, CauseHost, r.Cause, "%v\n%v\n%q", r, r.Report, v.host.log)
		case <-time.After(5 * time.Millisecond):
			// It may have crashed itself just now.
			require.NotEqual(t, CauseHost, v.Reason().Cause, "%v\n%q", v.Reason(), v.host.log)
		}
		v.close(t)
	})
}
