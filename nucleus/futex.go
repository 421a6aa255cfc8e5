package nucleus

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"gvisor.dev/gvisor/pkg/abi/linux"
)

// Futexes: threads that wait for a word, in hashed buckets. The word is the
// user's; a page fault on it may nest while the bucket is locked.

const futexBuckets = 1024

type futexBucket struct {
	lock       spinlock
	head, tail uint32
	_          [10]uint32 // a cache line each
}

var futexTable [futexBuckets]futexBucket

func bucketOf(addr uintptr) *futexBucket {
	h := uint64(addr>>2) * 0x9E3779B97F4A7C15
	return &futexTable[h>>(64-10)]
}

func (b *futexBucket) push(t *Thread) {
	t.next, t.prevWait = 0, b.tail
	if b.tail != 0 {
		threadAt(b.tail).next = t.id
	} else {
		b.head = t.id
	}
	b.tail = t.id
}

func (b *futexBucket) remove(t *Thread) {
	if t.prevWait != 0 {
		threadAt(t.prevWait).next = t.next
	} else {
		b.head = t.next
	}
	if t.next != 0 {
		threadAt(t.next).prevWait = t.prevWait
	} else {
		b.tail = t.prevWait
	}
	t.next, t.prevWait, t.futexAddr = 0, 0, 0
}

// futexWait blocks t while the word at addr holds val. It returns the thread
// to resume.
func futexWait(t *Thread, addr uintptr, val uint32, timeout uintptr) *Thread {
	var when uint64
	if timeout != 0 {
		ns, ok := timespecNs(timeout)
		if !ok {
			return t.ret(errno(syscall.EINVAL))
		}
		when = after(ns)
	}
	b := bucketOf(addr)
	b.lock.lock()
	if atomic.LoadUint32((*uint32)(unsafe.Pointer(addr))) != val {
		b.lock.unlock()
		return t.ret(errno(syscall.EAGAIN))
	}
	c := thisCPU()
	c.account(t)
	t.Regs.RAX = 0
	t.wait, t.futexAddr = waitFutex, addr
	b.push(t)
	if when != 0 {
		c.sleepUntil(t, when)
	}
	t.state.Store(threadBlocked)
	b.lock.unlock()
	return c.block()
}

// futexWake makes up to n waiters of the word at addr runnable and returns
// how many.
func futexWake(addr uintptr, n uint32) uint64 {
	b := bucketOf(addr)
	var list, woken uint32
	b.lock.lock()
	for id := b.head; id != 0 && woken < n; {
		t := threadAt(id)
		next := t.next
		if t.futexAddr == addr && t.claim() {
			b.remove(t)
			t.next = list
			list = id
			woken++
		}
		id = next
	}
	b.lock.unlock()
	for list != 0 {
		t := threadAt(list)
		list = t.next
		cancelTimer(t)
		t.wait = waitNone
		ready(t)
	}
	return uint64(woken)
}

// futexTimeout takes a claimed thread out of its bucket.
func futexTimeout(t *Thread) {
	b := bucketOf(t.futexAddr)
	b.lock.lock()
	b.remove(t)
	b.lock.unlock()
	t.Regs.RAX = errno(syscall.ETIMEDOUT)
}

func sysFutex(t *Thread) *Thread {
	r := &t.Regs
	addr := uintptr(r.RDI)
	if addr&3 != 0 {
		return t.ret(errno(syscall.EINVAL))
	}
	switch r.RSI &^ (linux.FUTEX_PRIVATE_FLAG | linux.FUTEX_CLOCK_REALTIME) {
	case linux.FUTEX_WAIT:
		return futexWait(t, addr, uint32(r.RDX), uintptr(r.R10))
	case linux.FUTEX_WAKE:
		return t.ret(futexWake(addr, uint32(r.RDX)))
	}
	return t.ret(errno(syscall.ENOSYS))
}
