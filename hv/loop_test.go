package hv

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/vcpu"
	"ringo/snapshot"
	"ringo/x86"
	"ringo/x86/asm"
)

// script is a VCPU that gives the same exit again and again, and a kick at the
// end. Its state is that of the vCPU which it stands in for.
type script struct {
	vcpu.VCPU
	left int
	exit vcpu.Exit
	rip  uint64
}

func (s *script) Run(e *vcpu.Exit) error {
	s.Area().RIP = s.rip
	if s.left--; s.left < 0 {
		*e = vcpu.Exit{Kind: vcpu.KindKick}
		return nil
	}
	*e = s.exit
	return nil
}

// scripted gives a vCPU whose loop meets exits from a script, then its end.
// The guest is at an instruction that reads the debug window.
func scripted(t testing.TB, exit vcpu.Exit) (*cpu, *script) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(window))
		print(a, "x")
		a.Label("spin")
		a.Jmp("spin")
	})
	t.Cleanup(func() { v.close(t) })
	require.NoError(t, v.Start())
	for v.printed() == "" {
	}
	require.NoError(t, v.Pause(context.Background()))
	b := v.board
	require.NoError(t, b.space.WriteAt([]byte{0x8B, 0x03}, 0x100200)) // mov eax, [ebx]
	c := b.cpus[0]
	s := &script{VCPU: c.v, exit: exit, rip: 0x100200}
	copied := *c // the real one stays at the gate
	copied.v = s
	copied.emul = newEmulator(&copied, c.lapic)
	copied.board = &board{
		vm: b.vm, policy: b.policy, gate: newGate(), space: b.space, mmio: b.mmio, pio: b.pio, parts: b.parts,
		backVM: b.backVM,
	}
	copied.board.gate.set(modeQuit)
	return &copied, s
}

var portRead = vcpu.Exit{Kind: vcpu.KindPIO, Port: layout.DebugExitPort, Size: 1, Len: 2}
var windowRead = vcpu.Exit{Kind: vcpu.KindStage2, GPA: layout.DebugWindowBase}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for name, e := range map[string]vcpu.Exit{"port": portRead, "window": windowRead} {
		t.Run(name, func(t *testing.T) {
			c, s := scripted(t, e)
			allocs := testing.AllocsPerRun(10, func() {
				s.left = 100
				c.loop()
			})
			require.Zero(t, allocs)
			require.Positive(t, c.board.parts.exit.Count())
		})
	}
}

func benchmarkExit(b *testing.B, e vcpu.Exit) {
	c, s := scripted(b, e)
	s.left = b.N
	b.ResetTimer()
	c.loop()
}

func BenchmarkPortRead(b *testing.B)   { benchmarkExit(b, portRead) }
func BenchmarkWindowRead(b *testing.B) { benchmarkExit(b, windowRead) }

// FuzzCPUState: no saved state of a vCPU makes its reader panic, and none that
// it takes fails later than in the guest.
func FuzzCPUState(f *testing.F) {
	v := newTestVM(f, nil, forever)
	require.NoError(f, v.Start())
	require.NoError(f, v.Pause(context.Background()))
	c := (*cpuState)(v.board.cpus[0])
	e := snapshot.NewEncoder(schemaCPU)
	require.NoError(f, c.Save(e))
	p, err := e.Payload()
	require.NoError(f, err)
	f.Add(p)
	f.Add(p[:len(p)/3])
	f.Fuzz(func(t *testing.T, p []byte) {
		if c.Restore(schemaCPU, snapshot.NewDecoder(schemaCPU, p)) != nil {
			return
		}
		s := new(x86.State)
		require.NoError(t, c.v.Store(x86.GroupAll, s))
		require.NoError(t, c.check(s))
	})
}
