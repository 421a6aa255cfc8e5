package nucleus

import (
	"math/bits"
	"syscall"

	"gvisor.dev/gvisor/pkg/abi/linux"
)

// File descriptors: the standard three, and objects that the runtime's
// network poller knows: one kind of counter (eventfd) and the poller itself.
// Device interrupts reach Go as counters.

const (
	maxFDs     = 4096
	eventWords = maxFDs / 64
)

const (
	fdFree uint32 = iota
	fdConsole
	fdEvent
	fdPoll
)

type descriptor struct {
	kind     uint32
	nonblock uint32
	count    uint64 // eventfd
	events   uint32 // what the poller wants to hear; 0 if not registered
	data     uint64 // the poller's word
}

var (
	fdLock  spinlock
	fdTable [maxFDs]descriptor
	// fdReady has a bit for each registered descriptor that became readable,
	// or was writable when it was registered.
	fdReady  [eventWords]uint64
	pollHead uint32 // threads in epoll_wait
	fdHint   = uint32(3)
)

func initDescriptors() {
	for i := 0; i < 3; i++ {
		fdTable[i].kind = fdConsole
	}
}

func newFD(kind uint32) (uint32, bool) {
	for i := fdHint; i < maxFDs; i++ {
		if fdTable[i].kind == fdFree {
			fdTable[i] = descriptor{kind: kind}
			fdHint = i + 1
			return i, true
		}
	}
	return 0, false
}

func openFD(kind uint32, count uint64, flags uint64) uint64 {
	fdLock.lock()
	fd, ok := newFD(kind)
	if ok {
		d := &fdTable[fd]
		d.count = count
		if flags&linux.O_NONBLOCK != 0 {
			d.nonblock = 1
		}
	}
	fdLock.unlock()
	if !ok {
		return errno(syscall.EMFILE)
	}
	return uint64(fd)
}

func sysClose(fd uint64) uint64 {
	if fd >= maxFDs {
		return errno(syscall.EBADF)
	}
	fdLock.lock()
	d := &fdTable[fd]
	ok := d.kind != fdFree
	if ok && fd >= 3 {
		*d = descriptor{}
		fdReady[fd/64] &^= 1 << (fd % 64)
		if uint32(fd) < fdHint {
			fdHint = uint32(fd)
		}
	}
	fdLock.unlock()
	if !ok {
		return errno(syscall.EBADF)
	}
	return 0
}

// signalEvent adds n to a counter and wakes the poller. Nucleus code; any CPU.
func signalEvent(fd uint32, n uint64) bool {
	fdLock.lock()
	d := &fdTable[fd]
	if d.kind != fdEvent {
		fdLock.unlock()
		return false
	}
	if d.count+n < d.count || d.count+n == 1<<64-1 {
		fdLock.unlock()
		return false
	}
	d.count += n
	var woken *Thread
	if d.events&linux.EPOLLIN != 0 {
		fdReady[fd/64] |= 1 << (fd % 64)
		woken = takePoller()
	}
	fdLock.unlock()
	if woken != nil {
		wakePoller(woken)
	}
	return true
}

// takePoller claims a thread in epoll_wait, or returns nil. fdLock is held.
func takePoller() *Thread {
	for pollHead != 0 {
		t := threadAt(pollHead)
		pollHead = t.next
		if t.claim() {
			return t
		}
		// Its timeout has claimed it; that path finds it gone from the list.
	}
	return nil
}

// wakePoller ends the wait of a claimed poller. The events are collected in
// its name; its buffer is in the one address space.
func wakePoller(t *Thread) {
	cancelTimer(t)
	t.Regs.RAX = collect(uintptr(t.waitArg), t.waitArg2)
	t.wait = waitNone
	ready(t)
}

// epollTimeout takes a claimed thread off the list of pollers.
func epollTimeout(t *Thread) {
	fdLock.lock()
	link := &pollHead
	for *link != 0 {
		if *link == t.id {
			*link = t.next
			break
		}
		link = &threadAt(*link).next
	}
	fdLock.unlock()
	t.Regs.RAX = 0
}

// collect writes up to n ready events to the array at buf. A counter stays
// ready while it is not zero, unless it was registered edge-triggered.
func collect(buf uintptr, n uint64) uint64 {
	var got uint64
	fdLock.lock()
	for w := range fdReady {
		for m := fdReady[w]; m != 0 && got < n; m &= m - 1 {
			b := uint(bits.TrailingZeros64(m))
			d := &fdTable[w*64+int(b)]
			ev := d.ready() & d.events
			if ev == 0 || d.events&linux.EPOLLET != 0 {
				fdReady[w] &^= 1 << b
			}
			if ev == 0 {
				continue
			}
			// struct epoll_event is packed: events, then the data word.
			p := buf + uintptr(got)*12
			store32(p, ev)
			store64(p+4, d.data)
			got++
		}
	}
	fdLock.unlock()
	return got
}

// ready is what can be done on d without waiting.
func (d *descriptor) ready() uint32 {
	ev := uint32(linux.EPOLLOUT)
	if d.kind == fdEvent && d.count != 0 {
		ev |= linux.EPOLLIN
	}
	return ev
}

func sysEpollCtl(epfd, op, fd uint64, event uintptr) uint64 {
	if epfd >= maxFDs || fd >= maxFDs {
		return errno(syscall.EBADF)
	}
	var events uint32
	var data uint64
	if op != linux.EPOLL_CTL_DEL {
		events, data = load32(event), load64(event+4)
	}
	fdLock.lock()
	d := &fdTable[fd]
	var err uint64
	switch {
	case fdTable[epfd].kind != fdPoll || d.kind == fdFree:
		err = errno(syscall.EBADF)
	case d.kind != fdEvent:
		err = errno(syscall.EPERM) // as for a plain file: the runtime then blocks
	case op == linux.EPOLL_CTL_ADD && d.events != 0:
		err = errno(syscall.EEXIST)
	case op != linux.EPOLL_CTL_ADD && d.events == 0:
		err = errno(syscall.ENOENT)
	case op == linux.EPOLL_CTL_DEL:
		d.events, d.data = 0, 0
		fdReady[fd/64] &^= 1 << (fd % 64)
	default:
		d.events, d.data = events|linux.EPOLLERR|linux.EPOLLHUP, data
		if d.ready()&d.events != 0 {
			fdReady[fd/64] |= 1 << (fd % 64)
		}
	}
	var woken *Thread
	if err == 0 && op != linux.EPOLL_CTL_DEL && fdReady[fd/64]>>(fd%64)&1 != 0 {
		woken = takePoller()
	}
	fdLock.unlock()
	if woken != nil {
		wakePoller(woken)
	}
	return err
}

func sysEpollWait(t *Thread, epfd uint64, buf uintptr, n uint64, timeoutMs int32) *Thread {
	if epfd >= maxFDs || fdTable[epfd].kind != fdPoll {
		return t.ret(errno(syscall.EBADF))
	}
	if got := collect(buf, n); got != 0 || timeoutMs == 0 {
		return t.ret(got)
	}
	c := thisCPU()
	c.account(t)
	fdLock.lock()
	if anyReady() {
		fdLock.unlock()
		return t.ret(collect(buf, n))
	}
	t.wait = waitEpoll
	t.waitArg, t.waitArg2 = uint64(buf), n
	t.next, pollHead = pollHead, t.id
	if timeoutMs > 0 {
		c.sleepUntil(t, after(uint64(timeoutMs)*1_000_000))
	}
	t.state.Store(threadBlocked)
	fdLock.unlock()
	return c.block()
}

// anyReady says that an event came since the last collect. fdLock is held.
func anyReady() bool {
	for _, w := range fdReady {
		if w != 0 {
			return true
		}
	}
	return false
}

// readFD serves read(2) on a counter: eight bytes, the count, which it clears.
func readFD(fd uint64, buf uintptr, n uint64) uint64 {
	if fd >= maxFDs {
		return errno(syscall.EBADF)
	}
	fdLock.lock()
	d := &fdTable[fd]
	kind, count := d.kind, d.count
	if kind == fdEvent && n >= 8 {
		d.count = 0
	}
	fdLock.unlock()
	switch {
	case kind == fdConsole:
		return 0 // end of file: the console's input goes to its driver
	case kind != fdEvent:
		return errno(syscall.EBADF)
	case n < 8:
		return errno(syscall.EINVAL)
	case count == 0:
		return errno(syscall.EAGAIN)
	}
	store64(buf, count)
	return 8
}

func writeFD(fd uint64, buf uintptr, n uint64) uint64 {
	if fd >= maxFDs {
		return errno(syscall.EBADF)
	}
	switch fdTable[fd].kind {
	case fdConsole:
		if fd == 0 {
			return errno(syscall.EBADF)
		}
		consoleWrite(buf, n)
		return n
	case fdEvent:
		if n < 8 {
			return errno(syscall.EINVAL)
		}
		v := load64(buf)
		if v == 1<<64-1 {
			return errno(syscall.EINVAL)
		}
		if !signalEvent(uint32(fd), v) {
			return errno(syscall.EAGAIN)
		}
		return 8
	}
	return errno(syscall.EBADF)
}
