package nucleus

import (
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/abi/linux"
)

// System calls: what the Go runtime and the standard library make, and our
// own. docs/runtime-calls.md lists each with what is served and refused.

func errno(e syscall.Errno) uint64 { return uint64(-int64(e)) }

// ret ends t's call with a result and lets it go on.
func (t *Thread) ret(v uint64) *Thread {
	t.Regs.RAX = v
	return t
}

// Calls that the stubs make. They are variables so that assembly can call Go
// functions by the register convention.
var (
	syscallFn   = serveSyscall
	quickFn     = quickEnter
	interruptFn = threadInterrupt
	trapFn      = threadTrap
	pageFaultFn = pageFault
	nmiFn       = nmi
	fatalFn     = fatalInside
)

// serveSyscall is called with the calling thread saved, and returns the thread
// to resume. The entry stub itself sends callGuestQuick to quickEnter.
func serveSyscall(t *Thread) *Thread {
	c := thisCPU()
	c.stats.Syscalls++
	n := t.Regs.RAX
	if n >= ownCalls {
		t = ownCall(t, n)
	} else {
		t = linuxCall(t, n)
	}
	c = thisCPU()
	if c.resched.Load() != 0 || t.sigPending.Load() != 0 {
		return c.leave(t)
	}
	return t
}

func linuxCall(t *Thread, n uint64) *Thread {
	r := &t.Regs
	a0, a1, a2 := r.RDI, r.RSI, r.RDX
	switch n {
	case callFutex:
		return sysFutex(t)
	case callEpollPwait:
		return sysEpollWait(t, a0, uintptr(a1), a2, int32(r.R10))
	case callNanosleep:
		return sysNanosleep(t, uintptr(a0))
	case callSchedYield:
		return sysYield(t)
	case callClone:
		return t.ret(sysClone(t))
	case callRtSigreturn:
		return sysSigreturn(t)
	case callExit:
		return sysExit(t)
	}
	return t.ret(quickCall(t, n, a0, a1, a2))
}

// quickCall serves the calls that never block.
func quickCall(t *Thread, n, a0, a1, a2 uint64) uint64 {
	r := &t.Regs
	switch n {
	case callRead:
		return readFD(a0, uintptr(a1), a2)
	case callWrite:
		return writeFD(a0, uintptr(a1), a2)
	case callClose:
		return sysClose(a0)
	case callMmap:
		return sysMmap(uintptr(a0), uintptr(a1), uint32(a2), uint32(r.R10))
	case callMprotect:
		return sysMprotect(uintptr(a0), uintptr(a1), uint32(a2))
	case callMunmap:
		return sysMunmap(uintptr(a0), uintptr(a1))
	case callMadvise:
		return sysMadvise(uintptr(a0), uintptr(a1), int32(a2))
	case callRtSigaction:
		return sysSigaction(a0, uintptr(a1), uintptr(a2))
	case callRtSigprocmask:
		return sysSigprocmask(t, a0, uintptr(a1), uintptr(a2))
	case callSigaltstack:
		return sysSigaltstack(t, uintptr(a0), uintptr(a1))
	case callTgkill:
		return sysTgkill(a1, a2)
	case callGettid:
		return uint64(t.id)
	case callGetpid:
		return 1
	case callClockGettime:
		return sysClockGettime(int32(a0), uintptr(a1))
	case callEpollCreate1:
		return openFD(fdPoll, 0, 0)
	case callEpollCtl:
		return sysEpollCtl(a0, a1, a2, uintptr(r.R10))
	case callEventfd2:
		return openFD(fdEvent, a0, a1)
	case callGetrandom:
		return sysGetrandom(uintptr(a0), a1)
	case callSchedGetaffinity:
		return sysGetaffinity(a1, uintptr(a2))
	case callArchPrctl:
		return sysArchPrctl(t, a0, a1)
	case callFcntl:
		return sysFcntl(a0, a1, a2)
	case callPrlimit64:
		return sysPrlimit(a2, uintptr(r.R10))
	case callOpenat, callReadlinkat, callNewfstatat:
		return errno(syscall.ENOENT) // there is no file system
	case callPrctl:
		return errno(syscall.EINVAL) // names of mappings are not kept
	case callFstat:
		return errno(syscall.EBADF)
	case callExitGroup:
		exitProgram(int32(a0))
	}
	return refuse(n)
}

// refused counts calls that nobody serves; the first of each number is shown.
var (
	refused     [8]atomic.Uint64
	refusedLast atomic.Uint64
)

func refuse(n uint64) uint64 {
	refusedLast.Store(n)
	if n < 512 && refused[n/64].Or(1<<(n%64))>>(n%64)&1 == 0 {
		earlyPrint("nucleus: system call ")
		earlyDec(n)
		earlyPrint(" is not served: ENOSYS\n")
	}
	return errno(syscall.ENOSYS)
}

func sysNanosleep(t *Thread, ts uintptr) *Thread {
	ns, ok := timespecNs(ts)
	if !ok {
		return t.ret(errno(syscall.EINVAL))
	}
	c := thisCPU()
	c.account(t)
	t.wait = waitSleep
	c.sleepUntil(t, after(ns))
	t.state.Store(threadBlocked)
	return c.block()
}

func sysYield(t *Thread) *Thread {
	t.Regs.RAX = 0
	c := thisCPU()
	if c.runCount.Load() == 0 {
		return t
	}
	return c.yield(t)
}

func sysClone(t *Thread) uint64 {
	const need = linux.CLONE_VM | linux.CLONE_THREAD
	flags := t.Regs.RDI
	if flags&need != need {
		return errno(syscall.EINVAL) // threads only: there are no processes
	}
	id := newThread()
	if id == 0 {
		return errno(syscall.EAGAIN)
	}
	n := threadAt(id)
	n.Regs = t.Regs
	n.Regs.RAX, n.Regs.RSP = 0, t.Regs.RSI
	n.frame = frameSyscall
	n.fsBase = t.fsBase
	if flags&linux.CLONE_SETTLS != 0 {
		n.fsBase = t.Regs.R8
	}
	n.sigMask = t.sigMask
	n.cpu = t.cpu
	ready(n)
	return uint64(id)
}

func sysExit(t *Thread) *Thread {
	c := thisCPU()
	c.account(t)
	freeThread(t)
	return c.block()
}

// sysGetaffinity gives one bit per CPU that was found.
func sysGetaffinity(size uint64, buf uintptr) uint64 {
	n := uint64(nCPU.Load())
	bytes := (n + 63) / 64 * 8
	if size < bytes {
		return errno(syscall.EINVAL)
	}
	for i := uint64(0); i < bytes/8; i++ {
		word := ^uint64(0)
		if rest := n - i*64; rest < 64 {
			word = 1<<rest - 1
		}
		store64(buf+uintptr(i)*8, word)
	}
	return bytes
}

func sysArchPrctl(t *Thread, code, addr uint64) uint64 {
	const archSetFS = 0x1002
	if code != archSetFS || addr >= userTop {
		return errno(syscall.EINVAL)
	}
	t.fsBase = addr
	return 0
}

func sysFcntl(fd, cmd, arg uint64) uint64 {
	if fd >= maxFDs || fdTable[fd].kind == fdFree {
		return errno(syscall.EBADF)
	}
	switch cmd {
	case linux.F_GETFD, linux.F_SETFD:
		return 0
	case linux.F_GETFL:
		return uint64(fdTable[fd].nonblock)*linux.O_NONBLOCK | linux.O_RDWR
	case linux.F_SETFL:
		fdTable[fd].nonblock = uint32(arg/linux.O_NONBLOCK) & 1
		return 0
	}
	return errno(syscall.EINVAL)
}

func sysPrlimit(newLimit uint64, old uintptr) uint64 {
	if newLimit != 0 {
		return errno(syscall.EPERM)
	}
	if old != 0 {
		store64(old, maxFDs)
		store64(old+8, maxFDs)
	}
	return 0
}
