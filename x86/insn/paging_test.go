package insn

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/x86"
)

// put64 and put32 write entries of page tables.
func (m *testMachine) put64(at, v uint64) { binary.LittleEndian.PutUint64(m.ram[at:], v) }
func (m *testMachine) put32(at, v uint32) { binary.LittleEndian.PutUint32(m.ram[at:], v) }
func (m *testMachine) get64(at uint64) uint64 {
	return binary.LittleEndian.Uint64(m.ram[at:])
}

const (
	pw  = x86.PTEPresent | x86.PTEWrite
	pwu = pw | x86.PTEUser
)

// longMode is a state with 4-level paging from tableAt.
func longMode() *PagingState {
	return &PagingState{
		CR0: x86.CR0PE | x86.CR0PG | x86.CR0WP, CR3: tableAt, CR4: x86.CR4PAE,
		EFER: x86.EFERLME | x86.EFERLMA | x86.EFERNXE, PhysBits: 40,
	}
}

// chain maps linear 0 to 4 KiB pages at 5000H and 6000H through tables that
// carry the given rights.
func chain(m *testMachine, upper, leaf uint64) {
	for i := range uint64(3) {
		m.put64(tableAt+i*0x1000, tableAt+(i+1)*0x1000|upper)
	}
	m.put64(tableAt+0x3000, 0x5000|leaf)
	m.put64(tableAt+0x3008, 0x6000|leaf)
}

func TestWalkRights(t *testing.T) {
	const nx = uint64(x86.PTENX)
	cases := []struct {
		name        string
		upper, leaf uint64
		access      Access
		change      func(*PagingState)
		code        int // error code, or -1 for success
	}{
		{"read", pw, pw, 0, nil, -1},
		{"not present", pw, 0, 0, nil, 0},
		{"write not present", pw, 0, AccessWrite, nil, x86.PFWrite},
		{"user on supervisor", pwu, pw, AccessUser, nil, x86.PFPresent | x86.PFUser},
		{"user below supervisor table", pw, pwu, AccessUser, nil, x86.PFPresent | x86.PFUser},
		{"user", pwu, pwu, AccessUser | AccessWrite, nil, -1},
		{"write read-only", pw, x86.PTEPresent, AccessWrite, nil, x86.PFPresent | x86.PFWrite},
		{"write read-only without WP", pw, x86.PTEPresent, AccessWrite, func(p *PagingState) { p.CR0 &^= x86.CR0WP }, -1},
		{"user write without WP", pwu, x86.PTEPresent | x86.PTEUser, AccessWrite | AccessUser, func(p *PagingState) { p.CR0 &^= x86.CR0WP }, x86.PFPresent | x86.PFWrite | x86.PFUser},
		{"fetch NX", pw, pw | nx, AccessFetch, nil, x86.PFPresent | x86.PFFetch},
		{"fetch NX above", pw | nx, pw, AccessFetch, nil, x86.PFPresent | x86.PFFetch},
		{"read NX", pw, pw | nx, 0, nil, -1},
		{"NX without NXE", pw, pw | nx, 0, func(p *PagingState) { p.EFER &^= x86.EFERNXE }, x86.PFPresent | x86.PFReserved},
		{"fetch without NXE has no I/D", pw, 0, AccessFetch, func(p *PagingState) { p.EFER &^= x86.EFERNXE }, 0},
		{"fetch with SMEP has I/D", pw, 0, AccessFetch, func(p *PagingState) { p.EFER &^= x86.EFERNXE; p.CR4 |= x86.CR4SMEP }, x86.PFFetch},
		{"SMEP", pwu, pwu, AccessFetch, func(p *PagingState) { p.CR4 |= x86.CR4SMEP }, x86.PFPresent | x86.PFFetch},
		{"SMEP on supervisor page", pwu, pw, AccessFetch, func(p *PagingState) { p.CR4 |= x86.CR4SMEP }, -1},
		{"SMAP", pwu, pwu, 0, func(p *PagingState) { p.CR4 |= x86.CR4SMAP }, x86.PFPresent},
		{"SMAP with AC", pwu, pwu, 0, func(p *PagingState) { p.CR4 |= x86.CR4SMAP; p.RFLAGS = x86.FlagAC }, -1},
		{"SMAP implicit with AC", pwu, pwu, AccessImplicit, func(p *PagingState) { p.CR4 |= x86.CR4SMAP; p.RFLAGS = x86.FlagAC }, x86.PFPresent},
		{"address beyond MAXPHYADDR", pw, pw | 1<<40, 0, nil, x86.PFPresent | x86.PFReserved},
		{"page size in PML4E", pw | x86.PTEPageSize, pw, 0, nil, x86.PFPresent | x86.PFReserved},
		{"protection key", pwu, pwu | 3<<59, AccessUser, func(p *PagingState) { p.CR4 |= x86.CR4PKE; p.PKRU = 1 << 6 }, x86.PFPresent | x86.PFUser | x86.PFPK},
		{"protection key, write", pwu, pwu | 3<<59, AccessUser | AccessWrite, func(p *PagingState) { p.CR4 |= x86.CR4PKE; p.PKRU = 2 << 6 }, x86.PFPresent | x86.PFUser | x86.PFWrite | x86.PFPK},
		{"another protection key", pwu, pwu | 3<<59, AccessUser, func(p *PagingState) { p.CR4 |= x86.CR4PKE; p.PKRU = 1 << 8 }, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := &testMachine{}
			chain(m, c.upper, c.leaf)
			p := longMode()
			if c.change != nil {
				c.change(p)
			}
			tr, err := Walk(m, p, 0x1234, c.access)
			if c.code < 0 {
				require.NoError(t, err)
				require.EqualValues(t, 0x6234, tr.GPA)
				return
			}
			var f *Fault
			require.ErrorAs(t, err, &f)
			require.Equal(t, Fault{Vector: x86.VectorPF, HasError: true, ErrorCode: uint32(c.code), CR2: 0x1234}, *f)
			require.Zero(t, m.get64(tableAt)&x86.PTEAccessed, "a fault marks nothing")
		})
	}
}

func TestWalkMarks(t *testing.T) {
	m := &testMachine{}
	chain(m, pw, pw)
	p := longMode()
	_, err := Walk(m, p, 0, 0)
	require.NoError(t, err)
	for i := range uint64(4) {
		require.Equal(t, uint64(x86.PTEAccessed), m.get64(tableAt+i*0x1000)&(x86.PTEAccessed|x86.PTEDirty))
	}
	tr, err := Walk(m, p, 0, AccessWrite)
	require.NoError(t, err)
	require.NotZero(t, tr.Flags&x86.PTEDirty)
	require.NotZero(t, m.get64(tableAt+0x3000)&x86.PTEDirty)
	require.Zero(t, m.get64(tableAt+0x2000)&x86.PTEDirty, "only the last level gets dirty")
}

func TestWalkLargePages(t *testing.T) {
	m := &testMachine{}
	p := longMode()
	chain(m, pw, pw)
	m.put64(tableAt+0x2000, 0x40200000|pw|x86.PTEPageSize)
	tr, err := Walk(m, p, 0x12345, 0)
	require.NoError(t, err)
	require.EqualValues(t, 0x40212345, tr.GPA)
	require.EqualValues(t, x86.PageSize2M, tr.PageSize)

	m.put64(tableAt+0x2000, 0x40202000|pw|x86.PTEPageSize) // bit 13 is reserved
	_, err = Walk(m, p, 0x12345, 0)
	require.ErrorContains(t, err, "#PF(0x9)")

	m.put64(tableAt+0x1000, 0x40000000|pw|x86.PTEPageSize)
	tr, err = Walk(m, p, 0x12345678, 0)
	require.NoError(t, err)
	require.EqualValues(t, 0x52345678, tr.GPA)
	p.NoPage1G = true
	_, err = Walk(m, p, 0x12345678, 0)
	require.ErrorContains(t, err, "#PF(0x9)")
}

func TestWalk5Level(t *testing.T) {
	m := &testMachine{}
	chain(m, pw, pw)
	const top = tableAt + 0x8000
	m.put64(top+8*3, tableAt|pw)
	p := longMode()
	p.CR4 |= x86.CR4LA57
	p.CR3 = top
	tr, err := Walk(m, p, 3<<48|0x1010, 0)
	require.NoError(t, err)
	require.EqualValues(t, 0x6010, tr.GPA)
}

func TestWalk32(t *testing.T) {
	m := &testMachine{}
	p := &PagingState{CR0: x86.CR0PE | x86.CR0PG, CR3: tableAt, PhysBits: 36}
	m.put32(tableAt+4, tableAt+0x1000|pw)  // 4 MiB to 8 MiB by a table
	m.put32(tableAt+0x1000+4, 0x5000|pw)   // its second page
	m.put32(tableAt+8, 0x0080A000|pw|1<<7) // 8 MiB: 4 MiB page at 5_0080_0000H, if PSE
	tr, err := Walk(m, p, 0x401234, AccessWrite)
	require.NoError(t, err)
	require.EqualValues(t, 0x5234, tr.GPA)
	require.EqualValues(t, 0x5000|pw|x86.PTEAccessed|x86.PTEDirty, m.get64(tableAt+0x1000)>>32)
	require.Zero(t, uint32(m.get64(tableAt+0x1000)), "the neighbour stays")

	p.CR4 = x86.CR4PSE
	tr, err = Walk(m, p, 0x812345, 0)
	require.NoError(t, err)
	require.EqualValues(t, 0x500812345, tr.GPA)
	require.EqualValues(t, x86.PageSize4M, tr.PageSize)
	p.PhysBits = 34
	_, err = Walk(m, p, 0x812345, 0)
	require.ErrorContains(t, err, "#PF(0x9)", "address bit 34 is reserved")

	p.CR0 = x86.CR0PE
	tr, err = Walk(m, p, 0x812345, AccessWrite)
	require.NoError(t, err)
	require.EqualValues(t, 0x812345, tr.GPA)
}

func TestWalkPAE(t *testing.T) {
	m := &testMachine{}
	p := &PagingState{CR0: x86.CR0PE | x86.CR0PG, CR3: tableAt + 0x20, CR4: x86.CR4PAE, PhysBits: 40}
	m.put64(tableAt+0x20+8, tableAt+0x1000|x86.PTEPresent) // 1 GiB to 2 GiB
	m.put64(tableAt+0x1000, tableAt+0x2000|pw)
	m.put64(tableAt+0x2000, 0x3000005000|pw)
	tr, err := Walk(m, p, 0x40000123, AccessWrite)
	require.NoError(t, err)
	require.EqualValues(t, 0x3000005123, tr.GPA)
	require.EqualValues(t, tableAt+0x1000|x86.PTEPresent, m.get64(tableAt+0x28), "PDPTEs have no accessed bit")
	m.put64(tableAt+0x28, tableAt+0x1000|pw) // R/W is reserved in a PDPTE
	_, err = Walk(m, p, 0x40000123, 0)
	require.ErrorContains(t, err, "#PF(0x9)")
}

func TestWalkHostile(t *testing.T) {
	m := &testMachine{}
	p := longMode()
	p.CR3 = 1 << 39
	_, err := Walk(m, p, 0, 0)
	require.ErrorIs(t, err, ErrNotRAM)
	// A table that contains itself ends after the last level.
	p.CR3 = tableAt
	m.put64(tableAt, tableAt|pw)
	tr, err := Walk(m, p, 0, 0)
	require.NoError(t, err)
	require.EqualValues(t, tableAt, tr.GPA)

	chain(m, pw, pw)
	_, err = Walk(lostCAS{m}, p, 0, 0)
	require.ErrorIs(t, err, ErrAgain)
}

// lostCAS loses every race.
type lostCAS struct{ *testMachine }

func (lostCAS) CompareAndSwap64(uint64, uint64, uint64) (bool, bool) { return false, true }

// TestFastWalkAgrees runs both walks over random tables.
func TestFastWalkAgrees(t *testing.T) {
	m := &testMachine{}
	rapid.Check(t, func(t *rapid.T) {
		bitsOf := func(name string) uint64 {
			return rapid.Custom(func(t *rapid.T) uint64 {
				v := uint64(x86.PTEPresent | x86.PTEAccessed)
				for _, b := range []uint64{x86.PTEWrite, x86.PTEUser, x86.PTEDirty, x86.PTEGlobal} {
					if rapid.Bool().Draw(t, "bit") {
						v |= b
					}
				}
				for _, b := range []uint64{x86.PTENX, x86.PTEPresent, x86.PTEAccessed, 1 << 45, x86.PTEPageSize, 1 << 59} {
					if rapid.IntRange(0, 9).Draw(t, "rare") == 0 {
						v ^= b
					}
				}
				return v
			}).Draw(t, name)
		}
		chain(m, 0, 0)
		for i := range uint64(4) {
			m.put64(tableAt+i*0x1000, tableAt+(i+1)*0x1000|bitsOf("entry"))
		}
		p := longMode()
		p.CR4 |= rapid.SampledFrom([]uint64{0, x86.CR4SMEP, x86.CR4SMAP, x86.CR4PKE}).Draw(t, "CR4")
		p.PKRU = 0x55555555 &^ 3
		p.EFER ^= rapid.SampledFrom([]uint64{0, x86.EFERNXE}).Draw(t, "EFER")
		p.CR0 ^= rapid.SampledFrom([]uint64{0, x86.CR0WP}).Draw(t, "CR0")
		access := Access(rapid.IntRange(0, 15).Draw(t, "access"))
		fast, ok := p.fastWalk(m, 0x123, access)
		if !ok {
			return
		}
		full, err := p.fullWalk(m, 0x123, access)
		require.NoError(t, err)
		require.Equal(t, full, fast)
	})
}
