package svm

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/nucleus"
	"ringo/x86"
)

// epyc answers CPUID as QEMU's TCG does for -cpu EPYC: nested paging, 16
// address space identifiers and no other SVM feature. extra is added to leaf
// 8000_000AH EDX.
func epyc(extra uint32) cpuidFunc {
	return func(leaf, _ uint32) (a, b, c, d uint32) {
		switch leaf {
		case 0:
			return 0xD, 0x68747541, 0x444D4163, 0x69746E65
		case 1:
			return 0x800F12, 0, x86.CPUID1ECXOSXSAVE, 0
		case 0x8000_0000:
			return 0x8000_001E, 0, 0, 0
		case 0x8000_0001:
			return 0, 0, x86.CPUID80000001ECXSVM, x86.CPUID80000001EDXLM | x86.CPUID80000001EDXPage1GB | x86.CPUID80000001EDXRDTSCP
		case 0x8000_0008:
			return 0x3028, x86.CPUID80000008EBXIBPB, 0, 0
		case 0x8000_000A:
			return 1, 16, 0, x86.CPUID8000000AEDXNP | extra
		}
		return 0, 0, 0, 0
	}
}

// rig is a backend over an arena. enter stands for the nucleus and the
// processor: it gets the vCPU's memory where a real Enter would run the guest.
type rig struct {
	b     *Backend
	arena *memory.Arena
	vm    *VM
	v     *VCPU
	c     *vcpuMem
	enter func(*vcpuMem)
	kicks int
}

// arenaBytes is the memory of every rig, one after another: no test runs in
// parallel with another, and an arena clears what it gives. It is outside of
// the Go heap, as the frames of the image are.
var arenaBytes = func() []byte {
	p, err := syscall.Mmap(-1, 0, 16<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	return p
}()

func newRig(t *testing.T, extra uint32) *rig {
	t.Helper()
	arena := memory.NewArenaOver(arenaBytes)
	r := &rig{arena: arena}
	swap(t, &allocContiguous, func(uint64) (memory.HPA, error) { return arena.Alloc(memory.Page2M) })
	swap(t, &freeContiguous, func(p memory.HPA, _ uint64) { arena.Free(p, memory.Page2M) })
	swap(t, &frames, func() memory.PageAllocator { return arena })
	swap(t, &hostPAT, func() uint64 { return x86.PATDefault })
	swap(t, &tscFrequency, func() uint64 { return 1e9 })
	swap(t, &enterGuest, func(g *nucleus.Guest) error { r.enter(guestMem(g)); return nil })
	swap(t, &kickGuest, func(*nucleus.Guest) { r.kicks++ })
	var err error
	r.b, err = newBackend(epyc(extra))
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
func swap[T any](t *testing.T, p *T, v T) {
	old := *p
	*p = v
	t.Cleanup(func() { *p = old })
}

// long puts the vCPU in 64-bit mode at rip, without paging tables.
func (r *rig) long(rip uint64) {
	s := &r.c.vmcb.Save
	s.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0ET
	s.CR4 = x86.CR4PAE
	s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERSVME
	s.CS.Attrib = attribP | attribL | 0x1B
	s.RIP, r.c.area.RIP = rip, rip
	s.RFLAGS, r.c.area.RFLAGS = x86.FlagReserved1, x86.FlagReserved1
}

// exit makes the next entry end with an exit code; f may fill in more.
func (r *rig) exit(code ExitCode, f func(*ControlArea)) {
	r.enter = func(c *vcpuMem) {
		ctl := &c.vmcb.Control
		ctl.ExitCode, ctl.ExitInfo1, ctl.ExitInfo2, ctl.ExitIntInfo = uint64(code), 0, 0, 0
		c.reason = reasonExit
		if f != nil {
			f(ctl)
		}
	}
}

// ram maps n pages of guest memory from GPA 0 and returns their frame.
func (r *rig) ram(t *testing.T) []byte {
	t.Helper()
	h, err := r.arena.Alloc(memory.Page2M)
	require.NoError(t, err)
	require.NoError(t, r.vm.stage2.Map(0, h, memory.Page2M, memory.RWX, memory.WriteBack))
	return bytesAt(r.arena.Pointer(h), int(memory.Page2M))
}

var _ vcpu.VCPU = (*VCPU)(nil)
var _ vcpu.VM = (*VM)(nil)

// ramAt is guest memory that ram has mapped, from gpa to the end of its page.
func (r *rig) ramAt(gpa memory.GPA) []byte {
	m, _ := r.vm.stage2.Lookup(gpa)
	return bytesAt(r.arena.Pointer(m.HPA+memory.HPA(gpa-m.GPA)), int(pageSize-gpa%pageSize))
}
