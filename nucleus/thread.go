package nucleus

import (
	"sync/atomic"
	"unsafe"
)

// Registers is the general-purpose state of a thread, in the order in which
// the entry stubs store it.
type Registers struct {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RIP, RFLAGS                            uint64
}

// Thread states. A thread that is blocked is made runnable by whoever takes
// it from threadBlocked to threadClaimed.
const (
	threadFree uint32 = iota
	threadRunnable
	threadRunning
	threadBlocked
	threadClaimed
)

// How a thread left its CPU, which says how it must be resumed.
const (
	frameSyscall uint32 = iota // vector registers are dead; resume by jump
	frameTrap                  // everything is live; resume by XRSTOR and IRETQ
)

// What a blocked thread waits for, so that a timeout can take it out again.
const (
	waitNone uint32 = iota
	waitSleep
	waitFutex
	waitEpoll
	waitGuest
	waitAlarm // no thread at all: the record of an Alarm (alarm.go)
)

// MaxThreads bounds the threads of the program. The records are backed by
// memory as they come into use.
const MaxThreads = 16384

// Thread is one thread of the Go runtime. It refers to other records by
// index, 0 meaning none, so that storing a reference needs no write barrier.
type Thread struct {
	Regs  Registers
	frame uint32 // frameSyscall, frameTrap
	id    uint32 // index, and thread ID as the runtime sees it

	fsBase uint64
	xsave  uintptr // XSAVE area, 64-byte aligned

	state atomic.Uint32
	cpu   uint32 // where it runs or ran last
	next  uint32 // in a run queue, a futex bucket or the free list

	wait      uint32
	futexAddr uintptr
	prevWait  uint32 // in a futex bucket
	timedOut  uint32

	timer timerNode

	sigMask    uint64
	sigPending atomic.Uint64
	sigStack   uintptr
	sigSize    uintptr
	sigFlags   uint32
	guest      uintptr // *Guest while inside Enter
	ticks      uint64  // TSC ticks run
	started    uint64  // TSC when it was resumed

	waitArg  uint64 // epoll: user buffer
	waitArg2 uint64 // epoll: its length
}

// threadBase is where the records lie. It is a variable so that tests can put
// them where a program of Linux may have memory.
var threadBase uintptr = threadArea

// threadAt gives the record of thread id.
func threadAt(id uint32) *Thread {
	return (*Thread)(unsafe.Pointer(threadBase + uintptr(id)*threadStride))
}

// threadStride keeps records on cache lines of their own.
const threadStride = (unsafe.Sizeof(Thread{}) + 127) &^ 127

var (
	threadLock  spinlock
	threadFreeL uint32 // head of the free list
	threadTop   uint32 // records ever used; 0 is never given out
	threadLive  atomic.Int32
)

// newThread takes a record and gives it an XSAVE area, or returns 0.
func newThread() uint32 {
	threadLock.lock()
	id := threadFreeL
	if id != 0 {
		threadFreeL = threadAt(id).next
		threadLock.unlock()
		threadLive.Add(1)
		threadAt(id).reset(id)
		return id
	}
	if threadTop+1 >= MaxThreads {
		threadLock.unlock()
		return 0
	}
	id = threadTop + 1
	first := threadBase + uintptr(id)*threadStride
	if !mapRange(first, first+threadStride) {
		threadLock.unlock()
		return 0
	}
	threadTop = id
	threadLock.unlock()
	t := threadAt(id)
	f := allocFrame()
	if f == 0 {
		return 0
	}
	t.xsave = physPtr(f)
	threadLive.Add(1)
	t.reset(id)
	return id
}

// reset makes a record new; it keeps its XSAVE area.
func (t *Thread) reset(id uint32) {
	x := t.xsave
	clearBytes(uintptr(unsafe.Pointer(t)), unsafe.Sizeof(*t))
	t.xsave, t.id = x, id
	copyBytes(x, uintptr(unsafe.Pointer(&initXSAVE)), 576)
}

// freeThread gives the record back. The caller runs on the CPU's stack and
// the thread never runs again.
func freeThread(t *Thread) {
	t.state.Store(threadFree)
	threadLive.Add(-1)
	threadLock.lock()
	t.next = threadFreeL
	threadFreeL = t.id
	threadLock.unlock()
}
