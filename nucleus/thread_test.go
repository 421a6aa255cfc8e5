package nucleus

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestThreadRecords(t *testing.T) {
	require.Zero(t, threadStride%128)
	require.GreaterOrEqual(t, threadStride, unsafe.Sizeof(Thread{}))
	require.Less(t, uint64(threadArea)+MaxThreads*uint64(threadStride), uint64(stackBase), "the next area")
}

func TestNewThread(t *testing.T) {
	resetThreads()
	a, b := mustThread(t), mustThread(t)
	require.NotEqual(t, a.id, b.id)
	require.NotEqual(t, a.xsave, b.xsave)
	require.EqualValues(t, 2, threadLive.Load())
	_, _, ok := translate(threadBase + uintptr(b.id)*threadStride)
	require.True(t, ok, "the record is backed")

	area := a.xsave
	a.Regs.RIP, a.sigMask, a.timer.when = 1, 2, 3
	store64(area+24, 0)
	id := a.id
	freeThread(a)
	require.EqualValues(t, 1, threadLive.Load())
	again := mustThread(t)
	require.Equal(t, id, again.id, "records are used again")
	require.Equal(t, area, again.xsave)
	require.Zero(t, again.Regs)
	require.Zero(t, again.sigMask)
	require.Zero(t, again.timer)
	require.Equal(t, threadFree, again.state.Load())
	require.Equal(t, initXSAVE[:], peek(area, uintptr(len(initXSAVE))), "vector state of a new thread")
}

// TestInitXSAVE: FCW and MXCSR as after FNINIT and power-up, in a header that
// XRSTOR takes (SDM volume 1, section 13.4.2 "XSAVE Header").
func TestInitXSAVE(t *testing.T) {
	p := uintptr(unsafe.Pointer(&initXSAVE))
	require.EqualValues(t, 0x37f, load32(p)&0xffff)
	require.EqualValues(t, 0x1f80, load32(p+24))
	require.Equal(t, make([]byte, 64), peek(p+512, 64))
}

func TestNewThreadLimits(t *testing.T) {
	resetThreads()
	threadTop = MaxThreads - 1
	require.Zero(t, newThread())
	threadTop = 0
	for allocFrame() != 0 {
	}
	require.Zero(t, newThread(), "no frame")
	require.Zero(t, threadLive.Load())
}

func TestCalls(t *testing.T) {
	p := addressOf(mustMap(pageSize, pageSize))
	resetCPUs(70)
	require.EqualValues(t, 16, sysGetaffinity(128, p))
	require.Equal(t, []uint64{^uint64(0), 63, 0}, []uint64{load64(p), load64(p + 8), load64(p + 16)})
	require.Equal(t, errno(syscall.EINVAL), sysGetaffinity(8, p))
	resetCPUs(MaxCPUs)
	require.EqualValues(t, MaxCPUs/8, sysGetaffinity(1024, p))
	require.Equal(t, ^uint64(0), load64(p+MaxCPUs/8-8))

	th := new(Thread)
	require.Zero(t, sysArchPrctl(th, 0x1002, 0x1234))
	require.EqualValues(t, 0x1234, th.fsBase)
	require.Equal(t, errno(syscall.EINVAL), sysArchPrctl(th, 0x1001, 0), "GS is the nucleus's")
	require.Equal(t, errno(syscall.EINVAL), sysArchPrctl(th, 0x1002, directBase), "FS in the upper half")

	require.Zero(t, sysPrlimit(0, p))
	require.EqualValues(t, maxFDs, load64(p))
	require.Equal(t, errno(syscall.EPERM), sysPrlimit(uint64(p), 0))
}
