package hv

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// Where the tests of this file put things: all in RAM but the probe.
const (
	pml4At    = 0x300000
	pdptAt    = 0x301000
	pdAt      = 0x302000
	ptAt      = 0x303000 // maps probeLin
	codeAt    = 0x200000
	kernelLin = 0xFFFF_FFFF_8000_0000 // the same memory again, as a kernel has it
	probeAt   = 0x4000_0000
	probeSize = 0x2000
	probeLin  = 0x0060_0000 // two pages that map the probe the other way round
	pageRW    = x86.PTEPresent | x86.PTEWrite | x86.PTEAccessed | x86.PTEDirty
)

// probe is a device that logs.
type probe struct {
	log []probed
}

type probed struct {
	write bool
	off   uint64
	size  int
	v     uint64
}

func (p *probe) Read(off uint64, b []byte) {
	p.log = append(p.log, probed{false, off, len(b), 0})
	devices.PutValue(b, 0x8877_6655_4433_F2F1+off)
}

func (p *probe) Write(off uint64, b []byte) {
	p.log = append(p.log, probed{true, off, len(b), devices.Value(b)})
}

// bench is a vCPU at rest, with a probe in its VM's memory.
type bench struct {
	*cpu
	t     testing.TB
	probe probe
}

func newBench(t testing.TB) *bench {
	v := newTestVM(t, nil, forever)
	t.Cleanup(func() { v.close(t) })
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	b := &bench{cpu: v.board.cpus[0], t: t}
	require.NoError(t, v.board.mmio.Add("probe", probeAt, probeSize, &b.probe))
	b.tables()
	return b
}

func (b *bench) write64(at uint64, v ...uint64) {
	for i, w := range v {
		require.NoError(b.t, b.space.WriteAt(binary.LittleEndian.AppendUint64(nil, w), memory.GPA(at+8*uint64(i))))
	}
}

// tables maps 2 GiB one to one, and again at kernelLin; probeLin is another
// way to the probe.
func (b *bench) tables() {
	b.write64(pml4At, pdptAt|pageRW)
	b.write64(pml4At+511*8, pdptAt|pageRW)
	b.write64(pdptAt, pdAt|pageRW, probeAt|pageRW|x86.PTEPageSize)
	b.write64(pdptAt+510*8, pdAt|pageRW, probeAt|pageRW|x86.PTEPageSize)
	for i := uint64(0); i < 512; i++ {
		b.write64(pdAt+8*i, i<<21|pageRW|x86.PTEPageSize)
	}
	b.write64(pdAt+8*(probeLin>>21), ptAt|pageRW)
	b.write64(ptAt, (probeAt+0x1000)|pageRW, probeAt|pageRW)
}

// long and flat32 are states with everything plain.
func (b *bench) long(rip uint64) *x86.State {
	s := b.flat32(rip)
	s.CR0 |= x86.CR0PG | x86.CR0WP
	s.CR3, s.CR4 = pml4At, x86.CR4PAE
	s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	s.Seg[x86.CS].Attr = x86.AttrCode | x86.AttrG | x86.AttrL
	return s
}

func (b *bench) flat32(rip uint64) *x86.State {
	s := new(x86.State)
	s.Reset()
	s.RIP = rip
	s.CR0 = x86.CR0PE | x86.CR0ET
	data := x86.Segment{Selector: 0x10, Attr: x86.AttrData | x86.AttrG | x86.AttrDB, Limit: 0xFFFF_FFFF}
	for i := x86.ES; i <= x86.GS; i++ {
		s.Seg[i] = data
	}
	s.Seg[x86.CS] = x86.Segment{Selector: 8, Attr: x86.AttrCode | x86.AttrG | x86.AttrDB, Limit: 0xFFFF_FFFF}
	return s
}

// state is all of the state that an instruction can change.
func (b *bench) now() *x86.State {
	s := new(x86.State)
	require.NoError(b.t, b.v.Store(x86.GroupAll&^x86.GroupTSC, s))
	return s
}

func (b *bench) load(s *x86.State) {
	require.NoError(b.t, b.v.Load(x86.GroupAll&^x86.GroupTSC, s))
}

// slow has the emulator execute the instruction in s, without help; ok says
// that it finished.
func (b *bench) slow(s *x86.State) (after *x86.State, log []probed, ok bool) {
	b.load(s)
	b.probe.log = nil
	b.emul.insn.Known.Valid = false
	r, err := b.emul.step(b.store(groupsUsed), nil)
	if err != nil || r != (struct{ insn }{}).result() {
		return nil, nil, false
	}
	b.cpu.load(groupsChanged | x86.GroupInterrupt)
	return b.now(), b.probe.log, true
}
