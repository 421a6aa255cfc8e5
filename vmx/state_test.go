package vmx

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/x86"
)

// TestStateRoundTrip: what Load takes, Store gives, for values that a
// processor can have.
func TestStateRoundTrip(t *testing.T) {
	r := newRig(t)
	rapid.Check(t, func(t *rapid.T) {
		s := new(x86.State)
		s.Reset()
		u := func(name string, mask uint64) uint64 { return rapid.Uint64().Draw(t, name) & mask }
		for i := range s.GPR {
			s.GPR[i] = u("gpr", ^uint64(0))
		}
		s.RIP, s.RFLAGS = u("rip", ^uint64(0)), u("rflags", x86.FlagsValid)|x86.FlagReserved1
		s.CR0 = u("cr0", x86.CR0Valid) | x86.CR0ET
		s.CR2, s.CR3 = u("cr2", ^uint64(0)), u("cr3", x86.CR3MaskLong)
		s.CR4 = u("cr4", 0x37_27FF&^x86.CR4VMXE)
		s.EFER = u("efer", x86.EFERSCE|x86.EFERLME|x86.EFERLMA|x86.EFERNXE)
		s.CR8 = u("cr8", x86.CR8Valid)
		s.DR6, s.DR7, s.DebugCtl = u("dr6", drMask), u("dr7", drMask), u("debugctl", 3)
		for i := range s.DR {
			s.DR[i] = u("dr", ^uint64(0))
		}
		s.STAR, s.LSTAR = u("star", ^uint64(0)), makeCanonical(u("lstar", ^uint64(0)))
		s.KernelGSBase = makeCanonical(u("gs", ^uint64(0)))
		s.SysenterCS, s.SysenterESP = u("cs", 0xFFFF), u("esp", ^uint64(0))
		s.PAT, s.TSCAux = u("pat", 0x0707070707070707), u("aux", 0xFFFF_FFFF)
		s.GDTR = x86.Table{Limit: uint16(u("limit", 0xFFFF)), Base: u("base", ^uint64(0))}
		s.Interrupt = x86.Interruptibility{NMIBlocked: rapid.Bool().Draw(t, "nmi"), STIShadow: rapid.Bool().Draw(t, "sti")}
		s.XCR0 = x86.XCR0X87 | x86.XCR0SSE
		const groups = x86.GroupAll &^ x86.GroupTSC
		require.NoError(t, r.v.Load(groups, s))
		got := new(x86.State)
		require.NoError(t, r.v.Store(groups, got))
		require.Equal(t, s, got)
		require.EqualValues(t, x86.CR0NE, r.c.regs[regCR0]&(x86.CR0NE|x86.CR0CD|x86.CR0NW), "as VM entry wants it")
		require.NotZero(t, r.c.regs[regCR4]&x86.CR4VMXE)
		require.NotZero(t, r.c.regs[regCR4]&x86.CR4MCE, "a machine check is the host's")
		require.Equal(t, s.EFER&x86.EFERLMA != 0, r.c.long())
	})
}

// TestGuestOwnedBits: a bit that the guest changes without an exit is seen by
// Store.
func TestGuestOwnedBits(t *testing.T) {
	r := newRig(t)
	r.long(t, 0)
	r.c.regs[regCR0] |= x86.CR0WP | x86.CR0TS
	r.c.regs[regCR4] |= x86.CR4PGE
	var s x86.State
	require.NoError(t, r.v.Store(x86.GroupCR, &s))
	require.EqualValues(t, x86.CR0WP|x86.CR0TS, s.CR0&(x86.CR0WP|x86.CR0TS|x86.CR0NE|x86.CR0AM))
	require.EqualValues(t, x86.CR4PGE|x86.CR4PAE, s.CR4)
}

// TestHostileState: values that a register of the host would refuse are made
// harmless before the loop loads them.
func TestHostileState(t *testing.T) {
	r := newRig(t)
	s := new(x86.State)
	s.Reset()
	s.LSTAR, s.CSTAR, s.KernelGSBase = 1<<63, 1<<62, 0x8000_0000_0000
	s.SFMASK, s.TSCAux, s.DR6, s.DR7 = ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)
	s.XCR0 = x86.XCR0AVX
	binary.LittleEndian.PutUint64(s.XSAVE[xsaveHeader:], ^uint64(0))
	binary.LittleEndian.PutUint64(s.XSAVE[xsaveHeader+8:], ^uint64(0))
	binary.LittleEndian.PutUint32(s.XSAVE[xsaveMXCSR:], ^uint32(0))
	require.NoError(t, r.v.Load(x86.GroupAll, s))
	c := r.c
	for _, v := range []uint64{c.syscall.lstar, c.syscall.cstar, c.kernelGS} {
		require.True(t, canonical(v), "%#x", v)
	}
	require.Zero(t, (c.syscall.sfmask|c.tscAux|c.dr[4]|c.regs[regDR7])>>32)
	require.EqualValues(t, x86.XCR0X87, c.xcr0)
	require.Equal(t, c.saveMask, binary.LittleEndian.Uint64(c.xsave[xsaveHeader:]))
	require.Zero(t, binary.LittleEndian.Uint64(c.xsave[xsaveHeader+8:]))
	require.EqualValues(t, mxcsrMask, binary.LittleEndian.Uint32(c.xsave[xsaveMXCSR:]))
}

func TestSegments(t *testing.T) {
	r := newRig(t)
	for name, x := range map[string]struct {
		index    int
		in, want x86.Segment
	}{
		"accessed":   {x86.DS, x86.Segment{Attr: 0x92, Limit: 0xFFFF}, x86.Segment{Attr: 0x93, Limit: 0xFFFF}},
		"absent":     {x86.ES, x86.Segment{}, x86.Segment{Attr: x86.AttrUnusable}},
		"G set":      {x86.SS, x86.Segment{Attr: 0x93, Limit: 0xFFFF_FFFF}, x86.Segment{Attr: 0x93 | x86.AttrG, Limit: 0xFFFF_FFFF}},
		"G clear":    {x86.FS, x86.Segment{Attr: 0x93 | x86.AttrG, Limit: 0x1234}, x86.Segment{Attr: 0x93, Limit: 0x1234}},
		"busy":       {x86.TR, x86.Segment{Attr: 0x89, Limit: 0x67}, x86.Segment{Attr: 0x8B, Limit: 0x67}},
		"TR absent":  {x86.TR, x86.Segment{Attr: x86.AttrUnusable | x86.TypeTSS}, x86.Segment{Attr: 0x8B}},
		"no reserve": {x86.GS, x86.Segment{Attr: 0xFFFE_0F93}, x86.Segment{Attr: 0x93}},
	} {
		r.c.setSegment(x.index, &x.in)
		require.Equal(t, x.want, r.c.segment(x.index), name)
	}
}
