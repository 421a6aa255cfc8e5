package nucleus

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"pgregory.net/rapid"
)

// drawRegisters fills in everything that a signal frame keeps.
func drawRegisters(t *rapid.T, r *Registers) {
	for _, p := range regOrder(r) {
		*p = rapid.Uint64().Draw(t, "register")
	}
	r.RFLAGS = r.RFLAGS&flagsUser | 0x202
}

// TestSignalRoundTrip runs a handler that changes everything, and returns from
// it.
func TestSignalRoundTrip(t *testing.T) {
	const size = 64 << 10
	stack, alt := addressOf(mustMap(size, pageSize)), addressOf(mustMap(size, pageSize))
	rapid.Check(t, func(t *rapid.T) {
		resetThreads()
		th := mustThread(t)
		drawRegisters(t, &th.Regs)
		th.Regs.RSP = uint64(stack) + size/2 + uint64(rapid.IntRange(0, 4000).Draw(t, "sp"))
		th.frame = uint32(rapid.SampledFrom([]int{int(frameSyscall), int(frameTrap)}).Draw(t, "frame"))
		th.sigMask = 1 << 40
		onAlt := rapid.Bool().Draw(t, "alternate stack")
		act := &sigActions[linux.SIGURG]
		*act = sigAction{handler: 0x4000, restorer: 0x5000, mask: 1 << 9}
		if onAlt {
			act.flags = linux.SA_ONSTACK
			th.sigStack, th.sigSize = alt, size
		}
		for i := range uintptr(512 / 8) {
			store64(th.xsave+8*i, 0x1111*uint64(i))
		}
		store32(th.xsave+24, 0x1f80)
		redZone := uintptr(th.Regs.RSP) - 128
		for i := range uintptr(128) {
			store8(redZone+i, 0x5a)
		}
		was, vectors := th.Regs, peek(th.xsave, 512)

		th.sigPending.Store(1 << (linux.SIGURG - 1))
		require.Same(t, th, deliver(th))
		require.Zero(t, th.sigPending.Load())
		checkHandlerEntry(t, th, &was)
		require.Equal(t, onAlt, uintptr(th.Regs.RSP)-alt < size)
		require.Equal(t, bytes.Repeat([]byte{0x5a}, 128), peek(redZone, 128))

		trap := th.frame == frameSyscall && load64(uintptr(th.Regs.RDX)+ucVectors) != 0
		th.Regs.RSP += 8 // the handler returned to the restorer
		clearBytes(th.xsave, 512)
		require.Same(t, th, sysSigreturn(th))
		require.Equal(t, was, th.Regs)
		require.EqualValues(t, 1<<40, th.sigMask)
		require.Equal(t, frameTrap, th.frame)
		if trap {
			require.Equal(t, vectors, peek(th.xsave, 512))
		} else {
			require.Equal(t, initXSAVE[:], peek(th.xsave, uintptr(len(initXSAVE))))
		}
	})
	sigActions[linux.SIGURG] = sigAction{}
}

// checkHandlerEntry looks at a handler's first instruction, as the psABI and
// sigaction(2) want it.
func checkHandlerEntry(t *rapid.T, th *Thread, was *Registers) {
	r := &th.Regs
	require.EqualValues(t, 0x4000, r.RIP)
	require.EqualValues(t, 8, r.RSP&15, "as after a call")
	require.EqualValues(t, 0x5000, load64(uintptr(r.RSP)), "the return address")
	require.EqualValues(t, linux.SIGURG, r.RDI)
	require.EqualValues(t, linux.SIGURG, load32(uintptr(r.RSI)), "si_signo")
	// uc_mcontext of struct ucontext: gregs from offset 40, RIP the 17th.
	require.Equal(t, was.RIP, load64(uintptr(r.RDX)+40+16*8))
	require.Equal(t, was.R8, load64(uintptr(r.RDX)+40))
	require.Equal(t, was.RSP, load64(uintptr(r.RDX)+40+15*8))
	require.EqualValues(t, 1<<40|1<<9|1<<(linux.SIGURG-1), th.sigMask)
	if v := uintptr(load64(uintptr(r.RDX) + ucVectors)); v != 0 {
		require.Zero(t, v&63)
	}
}

// TestSigreturnFlags: a frame cannot turn interrupts off or change IOPL.
func TestSigreturnFlags(t *testing.T) {
	resetThreads()
	frame := addressOf(mustMap(2*pageSize, pageSize))
	th := mustThread(t)
	for _, flags := range []uint64{0, ^uint64(0), 3 << 12, 1 << 17} {
		th.Regs.RSP, th.Regs.RFLAGS = uint64(frame), 0x202
		store64(frame+ucRegs+17*8, flags)
		sysSigreturn(th)
		require.Equal(t, flags&flagsUser|0x202, th.Regs.RFLAGS)
	}
}

// TestSanitizeXSAVE: nothing in a header from memory makes XRSTOR fault (SDM
// volume 1, section 13.8.1 "Standard Form of XRSTOR").
func TestSanitizeXSAVE(t *testing.T) {
	defer func(have bool, xcr0 uint64) { haveXSAVE, hostXCR0 = have, xcr0 }(haveXSAVE, hostXCR0)
	haveXSAVE, hostXCR0 = true, 7
	area := addressOf(mustMap(pageSize, pageSize))
	for i := range uintptr(pageSize) {
		store8(area+i, 0xff)
	}
	sanitizeXSAVE(area)
	require.EqualValues(t, 7, load64(area+512), "only components that the host has")
	require.Equal(t, make([]byte, 56), peek(area+520, 56), "XCOMP_BV and the reserved bytes")
	require.Equal(t, mxcsrMask, load32(area+24))
	require.EqualValues(t, 0xff, load8(area+576))
	require.EqualValues(t, 0xff, load8(area+511))
}

func TestIgnoredSignals(t *testing.T) {
	th := &Thread{Regs: Registers{RIP: 1}}
	for _, sig := range []linux.Signal{linux.SIGURG, linux.SIGCHLD, linux.SIGWINCH, linux.SIGCONT} {
		sigActions[sig] = sigAction{}
		th.sigPending.Or(1 << (sig - 1))
	}
	sigActions[linux.SIGHUP] = sigAction{handler: 1} // SIG_IGN
	th.sigPending.Or(1 << (linux.SIGHUP - 1))
	th.sigMask = 1 << (linux.SIGTERM - 1)
	th.sigPending.Or(1 << (linux.SIGTERM - 1))
	require.Same(t, th, deliver(th))
	require.Equal(t, Registers{RIP: 1}, th.Regs)
	require.EqualValues(t, 1<<(linux.SIGTERM-1), th.sigPending.Load(), "a blocked signal waits")
	sigActions[linux.SIGHUP] = sigAction{}
}

func TestSignalCalls(t *testing.T) {
	p := addressOf(mustMap(pageSize, pageSize))
	for i := range uintptr(4) {
		store64(p+8*i, uint64(i)+10)
	}
	require.Zero(t, sysSigaction(64, p, 0))
	require.Zero(t, sysSigaction(64, 0, p+64))
	require.Equal(t, peek(p, 32), peek(p+64, 32))
	for _, bad := range []uint64{0, 65, ^uint64(0)} {
		require.Equal(t, errno(syscall.EINVAL), sysSigaction(bad, 0, p))
	}

	th := &Thread{sigMask: 0b1100}
	store64(p, 0b1010)
	for _, c := range []struct{ how, want uint64 }{{linux.SIG_BLOCK, 0b1110}, {linux.SIG_UNBLOCK, 0b0100}, {linux.SIG_SETMASK, 0b1010}} {
		was := th.sigMask
		require.Zero(t, sysSigprocmask(th, c.how, p, p+8))
		require.Equal(t, c.want, th.sigMask)
		require.Equal(t, was, load64(p+8))
	}
	require.Equal(t, errno(syscall.EINVAL), sysSigprocmask(th, 9, p, 0))
	require.Zero(t, sysSigprocmask(th, 9, 0, 0), "without a set")

	store64(p, 0x7000)
	store32(p+8, 0)
	store64(p+16, 0x8000)
	require.Zero(t, sysSigaltstack(th, p, 0))
	require.Zero(t, sysSigaltstack(th, 0, p+24))
	require.EqualValues(t, [2]uint64{0x7000, 0x8000}, [2]uint64{load64(p + 24), load64(p + 40)})
	store32(p+8, linux.SS_DISABLE)
	require.Zero(t, sysSigaltstack(th, p, 0))
	require.Zero(t, th.sigSize)
}

func TestTgkillRefusals(t *testing.T) {
	resetThreads()
	th := mustThread(t)
	for _, c := range [][2]uint64{{0, 1}, {2, 1}, {^uint64(0), 1}, {1 << 32, 1}, {1, 65}, {1, 23}} {
		require.Equal(t, errno(syscall.ESRCH), sysTgkill(c[0], c[1]), "%v", c)
	}
	th.state.Store(threadBlocked)
	require.Zero(t, sysTgkill(uint64(th.id), 0), "only looks")
	require.Zero(t, th.sigPending.Load())
}
