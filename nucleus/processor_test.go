package nucleus

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"
)

// resetCPUs leaves n CPUs that have never run.
func resetCPUs(n uint32) {
	clearBytes(uintptr(unsafe.Pointer(&cpus)), unsafe.Sizeof(cpus))
	for i := range cpus {
		cpus[i].number = uint32(i)
	}
	for i := range idleMask {
		idleMask[i].Store(0)
	}
	nCPU.Store(n)
}

// TestRuntimeG reads the g of the running runtime, which fakeG imitates: its
// first words are the stack's bounds and the guards, R14 and -8(FS) hold its
// address.
func TestRuntimeG(t *testing.T) {
	inR14 := codeAt[func() uintptr](t, 0x4c, 0x89, 0xf0, 0xc3)                                     // MOV RAX, R14; RET
	inTLS := codeAt[func() uintptr](t, 0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff, 0xc3) // MOV RAX, FS:[-8]; RET
	const preempted = 0xfffffffffffffade                                                           // runtime.stackPreempt stands in guard0 for a moment
	for {
		runtime.LockOSThread() // not needed for R14; keeps one thread for FS
		r14, tls := inR14(), inTLS()
		runtime.UnlockOSThread()
		require.Equal(t, r14, tls)
		g := (*fakeG)(unsafe.Add(unsafe.Pointer(nil), r14))
		here := uintptr(unsafe.Pointer(&r14))
		require.True(t, g.lo < here && here < g.hi)
		if g.guard0 == preempted {
			continue
		}
		require.EqualValues(t, stackGuard, g.guard0-g.lo)
		return
	}
}

// TestStackCheck finds the compiler's stack check at the beginning of nucleus
// code and compares what it reads with fakeG.
func TestStackCheck(t *testing.T) {
	f := runtime.FuncForPC(**(**uintptr)(unsafe.Pointer(&syscallFn)))
	require.Equal(t, "ringo/nucleus.serveSyscall", f.Name())
	list, _ := disassemble(t, f.Entry(), 4)
	require.Equal(t, x86asm.CMP, list[0].Op)
	require.Equal(t, x86asm.RSP, list[0].Args[0])
	guard, ok := list[0].Args[1].(x86asm.Mem)
	require.True(t, ok)
	require.Equal(t, x86asm.R14, guard.Base)
	require.EqualValues(t, unsafe.Offsetof(fakeG{}.guard0), guard.Disp)
}

func TestInitFakeG(t *testing.T) {
	c := &cpus[3]
	fs := initFakeG(&c.gStack, &c.tls, 0x9000, 0x4000)
	require.EqualValues(t, 0x5000, c.gStack.lo)
	require.EqualValues(t, 0x9000, c.gStack.hi)
	require.EqualValues(t, 0x5000+stackGuard, c.gStack.guard0)
	require.Equal(t, c.gStack.guard0, c.gStack.guard1)
	require.EqualValues(t, uintptr(unsafe.Pointer(&c.gStack)), load64(uintptr(fs)-8), "where the runtime looks for g")
}

// TestStacksOfCPUs: every stack is backed, and the page below it is not.
func TestStacksOfCPUs(t *testing.T) {
	resetTables()
	resetCPUs(1)
	for n := range uint32(3) {
		cpus[n].initTablesOfCPU(n)
	}
	type stack struct{ lo, hi uintptr }
	var stacks []stack
	for n := range 3 {
		c := &cpus[n]
		if n > 0 {
			require.Zero(t, c.gStack.hi&15)
			require.Less(t, c.stack, c.gStack.hi)
			stacks = append(stacks, stack{c.gStack.lo, c.gStack.hi})
		}
		for i := range 6 {
			top := uintptr(c.tss[9+2*i]) | uintptr(c.tss[10+2*i])<<32
			require.Zero(t, top&15)
			stacks = append(stacks, stack{top - istStack, top})
		}
		require.Equal(t, c.gPF.hi, uintptr(c.tss[9+2*(istPF-1)])|uintptr(c.tss[10+2*(istPF-1)])<<32)
		require.Equal(t, c.gTrap.hi, uintptr(c.tss[9+2*(istTrap-1)])|uintptr(c.tss[10+2*(istTrap-1)])<<32)
	}
	frames := map[phys]bool{}
	for _, s := range stacks {
		for v := s.lo; v < s.hi; v += pageSize {
			p, flags, ok := translate(v)
			require.True(t, ok)
			require.False(t, frames[p], "no two stacks share a frame")
			require.EqualValues(t, uint64(pteP|pteRW|pteNX|pteG), flags)
			frames[p] = true
		}
		_, _, ok := translate(s.lo - 8)
		require.False(t, ok, "the guard page below %#x", s.lo)
	}
}

// TestDescriptors decodes the TSS descriptor (SDM volume 3A, section 8.2.3
// "TSS Descriptor in 64-bit mode").
func TestDescriptors(t *testing.T) {
	resetTables()
	c := &cpus[1]
	c.initTablesOfCPU(1)
	low, high := c.gdt[selTSS>>3], c.gdt[selTSS>>3+1]
	base := low>>16&0xffffff | low>>56<<24 | high<<32
	require.EqualValues(t, uintptr(unsafe.Pointer(&c.tss)), base)
	require.EqualValues(t, unsafe.Sizeof(c.tss)-1, low&0xffff|low>>48&0xf<<16)
	require.EqualValues(t, 0x89, low>>40&0xff, "present, available 64-bit TSS")
	require.EqualValues(t, 1, c.gdt[selCode>>3]>>53&1, "64-bit code")
	require.EqualValues(t, uintptr(unsafe.Pointer(c)), c.self)
}
