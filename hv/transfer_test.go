package hv

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

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
	probeSize = 0x1FF0
	probeLin  = 0x0060_0000 // two pages that map the probe the other way round
	pageRW    = x86.PTEPresent | x86.PTEWrite | x86.PTEAccessed | x86.PTEDirty
)

// TestTransferIsWhatTheEmulatorDoes: where an instruction accesses the probe
// once, transfer has the same effect as the emulator, or none and says so;
// whatever the code and the tables were before.
func TestTransferIsWhatTheEmulatorDoes(t *testing.T) {
	const rounds = 60000
	b := newRig(t)
	r := random{rand.New(rand.NewPCG(5, 6)), b}
	accesses, taken := 0, 0
	for range rounds {
		s := r.state()
		want, log, ok := b.slow(s)
		if !ok || len(log) != 1 {
			continue
		}
		accesses++
		e := vcpu.Exit{Kind: vcpu.KindStage2, GPA: probeAt + memory.GPA(log[0].off), Write: log[0].write}
		for range 2 { // the first may find the instruction new
			got, did, ok := b.quick(s, e)
			if !ok {
				require.Empty(t, did)
				require.Equal(t, s.GPR, got.GPR)
				require.Equal(t, s.RIP, got.RIP)
				continue
			}
			taken++
			in := b.emul.insn.Inst()
			require.Equal(t, log, did, "%+v", in)
			require.Equal(t, want, got, "%+v", in)
		}
	}
	require.Greater(t, accesses, rounds/20)
	require.Greater(t, taken, accesses/2, "of %d", accesses)
}

// TestTransferLeavesAlone: what transfer must not touch.
func TestTransferLeavesAlone(t *testing.T) {
	b := newRig(t)
	require.NoError(t, b.space.WriteAt([]byte{0x8B, 0x03}, codeAt)) // mov eax, [rbx]
	plain := vcpu.Exit{Kind: vcpu.KindStage2, GPA: probeAt + 4}
	for name, change := range map[string]func(*x86.State, *vcpu.Exit){
		"a fetch":           func(_ *x86.State, e *vcpu.Exit) { e.Fetch = true },
		"a walk":            func(_ *x86.State, e *vcpu.Exit) { e.Walk = true },
		"a write":           func(_ *x86.State, e *vcpu.Exit) { e.Write = true },
		"another offset":    func(_ *x86.State, e *vcpu.Exit) { e.GPA++ },
		"no device":         func(_ *x86.State, e *vcpu.Exit) { e.GPA = 0x6000_0004 },
		"end of the region": func(s *x86.State, e *vcpu.Exit) { e.GPA, s.GPR[x86.RBX] = probeAt+0x1FED, probeAt+0x1FED },
		"over two pages":    func(s *x86.State, e *vcpu.Exit) { e.GPA, s.GPR[x86.RBX] = probeAt+0xFFD, probeAt+0xFFD },
		"not canonical":     func(s *x86.State, _ *vcpu.Exit) { s.GPR[x86.RBX] = 1<<60 | probeAt + 4 },
		"code in a hole":    func(s *x86.State, _ *vcpu.Exit) { s.CR3 = 0x7000_0000 },
	} {
		s, e := b.long(codeAt), plain
		s.GPR[x86.RBX] = probeAt + 4
		_, _, ok := b.quick(s, e)
		require.True(t, ok, "unchanged")
		change(s, &e)
		_, log, ok := b.quick(s, e)
		require.False(t, ok, name)
		require.Empty(t, log, name)
	}
	s := b.long(codeAt)
	s.GPR[x86.RBX] = probeAt + 4
	b.load(s)
	require.NoError(t, b.v.Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD}))
	e := plain
	require.False(t, b.transfer(&e), "an event waits")
}

// TestTransferNeedsFlatSegments: outside of 64-bit mode segments count.
func TestTransferNeedsFlatSegments(t *testing.T) {
	b := newRig(t)
	require.NoError(t, b.space.WriteAt([]byte{0x8B, 0x03}, codeAt)) // mov eax, [ebx]
	e := vcpu.Exit{Kind: vcpu.KindStage2, GPA: probeAt}
	for _, seg := range []int{x86.ES, x86.CS, x86.SS, x86.DS} {
		for _, change := range []func(*x86.Segment){
			func(*x86.Segment) {},
			func(s *x86.Segment) { s.Base = 0x1000 },
			func(s *x86.Segment) { s.Limit = 0x7FFF_FFFF },
			func(s *x86.Segment) { s.Attr |= x86.AttrUnusable },
			func(s *x86.Segment) { s.Attr ^= x86.TypeCode },
		} {
			s := b.flat32(codeAt)
			s.GPR[x86.RBX] = probeAt
			change(&s.Seg[seg])
			_, _, ok := b.quick(s, e)
			require.Equal(t, s.Seg[seg] == b.flat32(0).Seg[seg], ok, "segment %d: %+v", seg, s.Seg[seg])
		}
	}
}

// TestCodeIsNotStale: after each change the instruction is what the processor
// would fetch now, though the old one has just been used.
func TestCodeIsNotStale(t *testing.T) {
	const load, store = 0x038B, 0x0389 // mov eax, [rbx]; mov [rbx], eax
	second := uint64(0x400000)         // another page of 2 MiB
	for name, change := range map[string]func(*rig, *vcpu.Paging){
		"the bytes":         func(b *rig, _ *vcpu.Paging) { b.write64(codeAt, store) },
		"the last table":    func(b *rig, _ *vcpu.Paging) { b.write64(pdAt+8, second|pageRW|x86.PTEPageSize) },
		"the table between": func(b *rig, _ *vcpu.Paging) { b.write64(pdptAt, (pdAt+0x10000)|pageRW) },
		"the top table":     func(b *rig, _ *vcpu.Paging) { b.write64(pml4At, (pdptAt+0x10000)|pageRW) },
		"CR3":               func(_ *rig, p *vcpu.Paging) { p.CR3 += 0x10000 },
		"the frame": func(b *rig, _ *vcpu.Paging) {
			require.NoError(b.t, b.space.Discard(codeAt, 0x1000))
			b.write64(codeAt, store)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRig(t)
			b.write64(codeAt, load)
			b.write64(second, store)
			for _, at := range []uint64{pml4At, pdptAt} { // a second set
				b.write64(at+0x10000, (at+0x11000)|pageRW)
			}
			b.write64(pdAt+0x10000+8, second|pageRW|x86.PTEPageSize)
			p := vcpu.Paging{
				CR0: x86.CR0PE | x86.CR0PG, CR3: pml4At, CR4: x86.CR4PAE,
				EFER: x86.EFERLMA | x86.EFERNXE, Mode: 64, Flat: true, Plain: true,
			}
			for range 2 {
				in := b.code.at(codeAt, &p)
				require.NotNil(t, in)
				require.False(t, in.Write)
			}
			change(b, &p)
			in := b.code.at(codeAt, &p)
			require.NotNil(t, in)
			require.True(t, in.Write, "the old instruction")
		})
	}
	t.Run("the rights", func(t *testing.T) {
		b := newRig(t)
		b.write64(codeAt, load)
		p := vcpu.Paging{
			CR0: x86.CR0PE | x86.CR0PG, CR3: pml4At, CR4: x86.CR4PAE, EFER: x86.EFERLMA | x86.EFERNXE, Mode: 64,
		}
		require.NotNil(t, b.code.at(codeAt, &p))
		p.CPL = 3
		require.Nil(t, b.code.at(codeAt, &p), "a supervisor's page")
		p.CPL = 0
		b.write64(pdAt+8, codeAt|pageRW|x86.PTEPageSize|x86.PTENX)
		require.Nil(t, b.code.at(codeAt, &p))
	})
}

// TestCodeEndsWithItsPage: what follows in memory is not what follows in the
// guest's address space.
func TestCodeEndsWithItsPage(t *testing.T) {
	b := newRig(t)
	b.write64(ptAt+2*8, codeAt|pageRW)
	p := vcpu.Paging{
		CR0: x86.CR0PE | x86.CR0PG, CR3: pml4At, CR4: x86.CR4PAE, EFER: x86.EFERLMA | x86.EFERNXE, Mode: 64,
	}
	b.write64(codeAt+0xFFC, 0x04438B) // mov eax, [rbx+4]
	require.NotNil(t, b.code.at(probeLin+0x2FFC, &p))
	b.write64(codeAt+0xFFE, 0x04438B)
	require.Nil(t, b.code.at(probeLin+0x2FFE, &p))
}

// TestTransferAtTheTopOf32Bits: paging of 32 bits, and RIP that wraps.
func TestTransferAtTheTopOf32Bits(t *testing.T) {
	const directory, table, rights = 0x310000, 0x311000, x86.PTEPresent | x86.PTEWrite | x86.PTEAccessed
	b := newRig(t)
	b.write64(directory+1023*4&^7, (table|rights)<<32)
	b.write64(table+1023*4&^7, (codeAt|rights)<<32)
	b.write64(codeAt+0xFFE, 0x038B) // mov eax, [ebx]
	s := b.flat32(0xFFFF_FFFE)
	s.CR0 |= x86.CR0PG
	s.CR3 = directory
	s.GPR[x86.RBX] = probeAt
	after, log, ok := b.quick(s, vcpu.Exit{Kind: vcpu.KindStage2, GPA: probeAt})
	require.True(t, ok)
	require.Len(t, log, 1)
	require.Zero(t, after.RIP)
	require.EqualValues(t, 0x4433_F2F1, after.GPR[x86.RAX])
}

// TestDeviceUsesTheProcessorsTranslation: the emulator does not walk to an
// address that the processor has translated already.
func TestDeviceUsesTheProcessorsTranslation(t *testing.T) {
	b := newRig(t)
	require.NoError(t, b.space.WriteAt([]byte{0x03, 0x03}, codeAt)) // add eax, [rbx]
	b.write64(pdptAt+8, 0)                                          // gone since
	s := b.long(codeAt)
	s.GPR[x86.RBX] = probeAt + 8
	b.load(s)
	e := vcpu.Exit{Kind: vcpu.KindStage2, GPA: probeAt + 8}
	require.True(t, b.deviceMemory(&e))
	require.True(t, e.Emulated)
	require.Equal(t, []probed{{false, 8, 4, 0}}, b.probe.log)
	require.EqualValues(t, codeAt+2, b.area.RIP)
}

// TestAPICPageTransfer: the xAPIC page goes to this vCPU's own local APIC.
func TestAPICPageTransfer(t *testing.T) {
	b := newRig(t)
	b.write64(pdptAt+3*8, 3<<30|pageRW|x86.PTEPageSize)
	s := b.long(codeAt)
	s.GPR[x86.RBX], s.GPR[x86.RAX] = x86.APICBaseDefault+16*vcpu.APICTPR, 0x40
	require.NoError(t, b.space.WriteAt([]byte{0x89, 0x03}, codeAt)) // mov [rbx], eax
	e := vcpu.Exit{Kind: vcpu.KindStage2, GPA: x86.APICBaseDefault + 16*vcpu.APICTPR, Write: true}
	_, _, ok := b.quick(s, e)
	require.True(t, ok)
	require.EqualValues(t, 0x40, *b.area.APIC.Reg(vcpu.APICTPR))

	require.NoError(t, b.space.WriteAt([]byte{0x8B, 0x03}, codeAt)) // mov eax, [rbx]
	s.GPR[x86.RAX], s.CR8, e.Write = 0, 4, false
	after, _, ok := b.quick(s, e)
	require.True(t, ok)
	require.EqualValues(t, 0x40, after.GPR[x86.RAX])
}

// plainVCPU hides what a VCPU can do besides.
type plainVCPU struct{ vcpu.VCPU }

// TestPagerOfAnyBackend: a backend that is no Pager gives the same Paging.
func TestPagerOfAnyBackend(t *testing.T) {
	b := newRig(t)
	r := random{rand.New(rand.NewPCG(7, 8)), b}
	own := b.v
	for range 200 {
		b.load(r.state())
		b.setPager()
		want := *b.look()
		b.v = plainVCPU{own}
		b.setPager()
		require.Equal(t, want, *b.look())
		b.v = own
	}
}
