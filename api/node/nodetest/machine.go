package nodetest

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/bundle"
	"ringo/api/node"
	"ringo/hv"
	"ringo/hv/hvtest"
	"ringo/memory"
)

// arenaSize is more than any test's VMs take together.
const arenaSize = 256 << 20

// Machine is a node's machine.
type Machine struct {
	Host node.Host
	// Arena is where all memory of VMs comes from.
	Arena *memory.Arena
	// PowerOffs counts how often the node has turned the machine off.
	PowerOffs atomic.Int32
}

// NewMachine makes a machine that has so many bytes for VMs. At the end of the
// test every byte must have come back.
func NewMachine(t testing.TB, ram uint64) *Machine {
	t.Helper()
	arena, err := memory.NewArena(arenaSize)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Zero(t, arena.InUse(), "bytes of frames in use at the end")
		require.NoError(t, arena.Close())
	})
	fake := hvtest.NewFake(arena)
	m := &Machine{Arena: arena}
	m.Host = node.Host{
		HV: hv.Host{
			Backend: fake, Frames: arena, TSCHz: hvtest.FakeTSCHz, TSC: fake.TSC, CPUID: cpuid,
		},
		Memory:   ram,
		PowerOff: m.powerOff,
	}
	return m
}

// PowerOffTime is how long the machine takes before it gives up to turn off.
const PowerOffTime = time.Second

func (m *Machine) powerOff() {
	m.PowerOffs.Add(1)
	time.Sleep(PowerOffTime)
}

// NewNode makes a node on the machine that is closed at the end of the test,
// with the VMs of a ringo.yaml. Load's error is the test's to judge.
func (m *Machine) NewNode(t testing.TB, config string) (*node.Node, error) {
	t.Helper()
	n, err := node.New(m.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n, n.Load(Bundle(t, config))
}

// Bundle makes a bundle of a ringo.yaml. The files that it may name are the
// kernels of Kernels.
func Bundle(t testing.TB, config string) *bundle.Bundle {
	t.Helper()
	var archive bytes.Buffer
	err := bundle.Make(&archive, []byte(config), func(name string) ([]byte, error) {
		code, ok := kernels[name]
		if !ok {
			return nil, fmt.Errorf("there is no kernel %q", name)
		}
		return assemble(code)
	})
	require.NoError(t, err)
	b, err := bundle.Parse(archive.Bytes())
	require.NoError(t, err)
	return b
}

// cpuid is a small AMD processor: leaves 0 and 1, and the extended leaves that
// long mode and the address size need.
func cpuid(leaf, _ uint32) (a, b, c, d uint32) {
	const authentic, enti, cAMD = 0x68747541, 0x69746E65, 0x444D4163
	switch leaf {
	case 0:
		return 1, authentic, cAMD, enti
	case 1:
		return 0x800F12, 0x800, 1, 0x0783FBFF
	case 0x8000_0000:
		return 0x8000_0008, authentic, cAMD, enti
	case 0x8000_0001:
		return 0x800F12, 0, 0, 0x2D93FBFF
	case 0x8000_0008:
		return 0x3028, 0, 0, 0
	}
	return 0, 0, 0, 0
}
