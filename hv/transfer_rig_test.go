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
	"ringo/x86/insn"
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

// rig is a vCPU at rest, with a probe in its VM's memory.
type rig struct {
	*cpu
	t     testing.TB
	probe probe
}

func newRig(t testing.TB) *rig {
	v := newTestVM(t, nil, forever)
	t.Cleanup(func() { v.close(t) })
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	b := &rig{cpu: v.board.cpus[0], t: t}
	require.NoError(t, v.board.mmio.Add("probe", probeAt, probeSize, &b.probe))
	b.tables()
	return b
}

func (b *rig) write64(at uint64, v ...uint64) {
	for i, w := range v {
		require.NoError(b.t, b.space.WriteAt(binary.LittleEndian.AppendUint64(nil, w), memory.GPA(at+8*uint64(i))))
	}
}

// tables maps 2 GiB one to one, and again at kernelLin; probeLin is another
// way to the probe.
func (b *rig) tables() {
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
func (b *rig) long(rip uint64) *x86.State {
	s := b.flat32(rip)
	s.CR0 |= x86.CR0PG | x86.CR0WP
	s.CR3, s.CR4 = pml4At, x86.CR4PAE
	s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	s.Seg[x86.CS].Attr = x86.AttrCode | x86.AttrG | x86.AttrL
	return s
}

func (b *rig) flat32(rip uint64) *x86.State {
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

// now is all of the state that an instruction can change.
func (b *rig) now() *x86.State {
	s := new(x86.State)
	require.NoError(b.t, b.v.Store(x86.GroupAll&^x86.GroupTSC, s))
	return s
}

func (b *rig) load(s *x86.State) {
	require.NoError(b.t, b.v.Load(x86.GroupAll&^x86.GroupTSC, s))
}

// slow has the emulator execute the instruction in s, without help; ok says
// that it finished.
func (b *rig) slow(s *x86.State) (after *x86.State, log []probed, ok bool) {
	b.load(s)
	b.probe.log = nil
	b.emul.insn.Known.Valid = false
	r, err := b.emul.step(b.store(groupsUsed), nil)
	if err != nil || r != (insn.Result{}) {
		return nil, nil, false
	}
	b.cpu.load(groupsChanged | x86.GroupInterrupt)
	return b.now(), b.probe.log, true
}

// quick lets transfer serve the exit of such an access in s.
func (b *rig) quick(s *x86.State, e vcpu.Exit) (after *x86.State, log []probed, ok bool) {
	b.load(s)
	b.probe.log = nil
	ok = b.transfer(&e)
	require.Equal(b.t, ok, e.Emulated)
	require.Equal(b.t, ok && e.GPA != x86.APICBaseDefault+16*vcpu.APICTPR, e.Quiet)
	return b.now(), b.probe.log, ok
}

// opcodes are what drivers use, and others to be left alone.
var opcodes = [][]byte{
	{0x88}, {0x89}, {0x8A}, {0x8B}, {0xC6}, {0xC7}, {0xA0}, {0xA1}, {0xA2}, {0xA3},
	{0x0F, 0xB6}, {0x0F, 0xB7}, {0x0F, 0xBE}, {0x0F, 0xBF}, {0x63}, {0x0F, 0xC3},
	{0x01}, {0x87}, {0x8C}, {0x8E}, {0xA5}, {0xFF}, {0xF6}, {0x0F, 0x38, 0xF0}, {0x0F, 0x6F}, {0x83},
}

var prefixes = []byte{0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65}

// random makes states in which an instruction may well access the probe.
type random struct {
	*rand.Rand
	rig *rig
}

func (r random) oneIn(n int) bool { return r.IntN(n) == 0 }

// address is where the probe may be, or a small number.
func (r random) address() uint64 {
	switch r.IntN(8) {
	case 0, 1:
		return r.Uint64N(16)
	case 2, 3:
		return probeLin + r.Uint64N(probeSize)
	case 4:
		return kernelLin + probeAt + r.Uint64N(probeSize)
	}
	return probeAt + r.Uint64N(probeSize)
}

// code is one instruction, with bytes to spare.
func (r random) code(long bool) []byte {
	var p []byte
	for r.oneIn(4) {
		p = append(p, prefixes[r.IntN(len(prefixes))])
	}
	if long && r.oneIn(2) {
		p = append(p, 0x40|byte(r.IntN(16)))
	}
	op := opcodes[r.IntN(len(opcodes))]
	p = append(p, op...)
	if op[0]&0xFC == 0xA0 {
		return binary.LittleEndian.AppendUint64(p, r.address())
	}
	p = append(p, byte(r.Uint32()))
	if r.oneIn(2) {
		p = append(p, byte(r.Uint32())) // SIB
	}
	if r.oneIn(2) {
		p = binary.LittleEndian.AppendUint32(p, uint32(r.address()))
	}
	return binary.LittleEndian.AppendUint64(p, r.Uint64()&0x3F)
}

// state is a state, its code and its tables in memory.
func (r random) state() *x86.State {
	long := !r.oneIn(3)
	rip := codeAt + []uint64{0, 1, 7, 0xFF0, 0xFF9, 0xFFE}[r.IntN(6)]
	s := r.rig.flat32(rip)
	if long {
		s = r.rig.long(rip)
		if r.oneIn(3) {
			s.RIP += kernelLin
		}
	}
	for i := range s.GPR {
		s.GPR[i] = r.address()
	}
	if r.oneIn(8) {
		s.RFLAGS |= []uint64{x86.FlagTF, x86.FlagRF, x86.FlagAC, x86.FlagIF}[r.IntN(4)]
		s.CR0 |= x86.CR0AM
	}
	if r.oneIn(8) {
		s.Interrupt.STIShadow = true
	}
	if r.oneIn(8) {
		s.Seg[r.IntN(x86.GS+1)].Base = r.Uint64N(2) << 12
	}
	if r.oneIn(8) {
		s.Seg[r.IntN(x86.GS+1)].Limit = uint32(r.address())
	}
	if r.oneIn(8) {
		s.Seg[x86.CS].Attr ^= []uint32{x86.AttrDB, x86.AttrL}[r.IntN(2)]
	}
	if r.oneIn(8) {
		s.CR4 |= x86.CR4SMEP
	}
	if r.oneIn(6) {
		s.CPL = 3
	}
	r.pages()
	r.put(long, rip)
	if !s.Mode64() {
		r.put(long, rip+s.Seg[x86.CS].Base)
	}
	return s
}

func (r random) put(long bool, at uint64) {
	require.NoError(r.rig.t, r.rig.space.WriteAt(r.code(long), memory.GPA(at)))
}

// pages changes entries of the tables, of those that map code too.
func (r random) pages() {
	entry := func(at, gpa, more uint64) {
		v := gpa | pageRW | more
		if r.oneIn(4) {
			v ^= []uint64{x86.PTEUser, x86.PTEWrite, x86.PTEAccessed, x86.PTEDirty, x86.PTENX, 1 << 40}[r.IntN(6)]
		}
		r.rig.write64(at, v)
	}
	user := []uint64{0, x86.PTEUser}[r.IntN(2)]
	entry(pml4At, pdptAt, user)
	entry(pdptAt, pdAt, user)
	entry(pdAt+8, codeAt, user|x86.PTEPageSize)
	entry(pdptAt+8, probeAt, user|x86.PTEPageSize)
	entry(ptAt, probeAt+0x1000, user)
}
