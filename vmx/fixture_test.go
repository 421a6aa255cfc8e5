package vmx

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/nucleus"
	"ringo/x86"
)

// skylakeCPUID answers as Bochs' corei7_skylake_x does.
func skylakeCPUID(leaf, _ uint32) (a, b, c, d uint32) {
	switch leaf {
	case 0:
		return 0xD, 0, 0, 0
	case 1:
		return 0x50654, 0, x86.CPUID1ECXVMX, 0
	case 0x8000_0000:
		return 0x8000_0008, 0, 0, 0
	case 0x8000_0008:
		return 0x3028, 0, 0, 0
	}
	return 0, 0, 0, 0
}

// skylakeMSRs are its capability MSRs.
func skylakeMSRs() map[uint32]uint64 {
	return map[uint32]uint64{
		msrBasic:        1<<55 | 6<<50 | 4096<<32 | 0x12,
		msrPinBased:     0x7F<<32 | 0x16,
		msrPrimary:      0xFFF9_FFFE<<32 | 0x0401_E172,
		msrExit:         0x7F_FFFF<<32 | 0x3_6DFF,
		msrEntry:        0xFFFF<<32 | 0x11FF,
		msrMisc:         0x2000_0065,
		msrCR0Fixed0:    0x8000_0021,
		msrCR0Fixed1:    0xFFFF_FFFF,
		msrCR4Fixed0:    0x2000,
		msrCR4Fixed1:    0x37_27FF | 1<<22,
		msrSecondary:    0x0217_D7FF << 32,
		msrEPTVPID:      0x0F01_0633_4141,
		msrTruePinBased: 0x7F<<32 | 0x16,
		msrTruePrimary:  0xFFF9_FFFE<<32 | 0x0400_6172,
		msrTrueExit:     0x7F_FFFF<<32 | 0x3_6DFB,
		msrTrueEntry:    0xFFFF<<32 | 0x11FB,
	}
}

func reader(msrs map[uint32]uint64) msrFunc { return func(n uint32) uint64 { return msrs[n] } }

// rig is a backend over an arena. enter stands for the nucleus and the
// processor: it gets the vCPU's memory where a real Enter would run the guest.
type rig struct {
	b        *Backend
	arena    *memory.Arena
	vm       *VM
	v        *VCPU
	c        *vcpuMem
	enter    func(*vcpuMem)
	kicks    int
	releases int
}

// arenaBytes is the memory of every rig, one after another, outside of the Go
// heap as the frames of the image are.
var arenaBytes = func() []byte {
	p, err := syscall.Mmap(-1, 0, 16<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	return p
}()

func newRig(t testing.TB) *rig {
	t.Helper()
	arena := memory.NewArenaOver(arenaBytes)
	r := &rig{arena: arena}
	swap(t, &allocContiguous, func(uint64) (memory.HPA, error) { return arena.Alloc(memory.Page2M) })
	swap(t, &freeContiguous, func(p memory.HPA, _ uint64) { arena.Free(p, memory.Page2M) })
	swap(t, &frames, func() memory.PageAllocator { return arena })
	swap(t, &tscFrequency, func() uint64 { return 1e9 })
	swap(t, &enterGuest, func(g *nucleus.Guest) error { r.enter(guestMem(g)); return nil })
	swap(t, &kickGuest, func(*nucleus.Guest) { r.kicks++ })
	swap(t, &onEachCPU, func(func()) { r.releases++; r.c.loadedOn.Store(0) })
	var err error
	r.b, err = newBackend(skylakeCPUID, reader(skylakeMSRs()), nil)
	require.NoError(t, err)
	r.b.saveMask = x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX
	s2, err := r.b.NewStage2(arena)
	require.NoError(t, err)
	vm, err := r.b.NewVM(s2)
	require.NoError(t, err)
	r.vm = vm.(*VM)
	v, err := vm.NewVCPU(0)
	require.NoError(t, err)
	r.v = v.(*VCPU)
	r.c = r.v.c
	return r
}

// swap sets a variable for the time of a test.
func swap[T any](t testing.TB, p *T, v T) {
	old := *p
	*p = v
	t.Cleanup(func() { *p = old })
}

// long puts the vCPU in 64-bit mode at rip, without paging tables.
func (r *rig) long(t testing.TB, rip uint64) {
	t.Helper()
	s := new(x86.State)
	s.Reset()
	s.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0ET
	s.CR4 = x86.CR4PAE
	s.EFER = x86.EFERLME | x86.EFERLMA
	s.Seg[x86.CS] = x86.Segment{Selector: 8, Attr: x86.AttrCode | x86.AttrL | x86.AttrG, Limit: 0xFFFF_FFFF}
	s.RIP = rip
	require.NoError(t, r.v.Load(x86.GroupAll&^x86.GroupTSC, s))
	r.c.enterState()
}

// exit makes the next entry end with a reason; f may fill in more. All copies
// count as read.
func (r *rig) exit(reason ExitReason, length uint32, f func(*vcpuMem)) {
	r.enter = func(c *vcpuMem) {
		c.wantParts = 0
		r.left(reason, length)
		if f != nil {
			f(c)
		}
	}
}

// left is what a stay in the guest leaves that ended with a reason.
func (r *rig) left(why ExitReason, length uint32) {
	c := r.c
	c.exitReason, c.exitLength, c.exit = uint32(why), length, exitInfo{}
	c.reason, c.dirty, c.stepped, c.valid = reasonExit, 0, 0, partAll
}
