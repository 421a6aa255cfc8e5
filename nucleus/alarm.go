package nucleus

import "syscall"

// An alarm adds one to a counter (eventfd) at a TSC value. The runtime's own
// timers wait in epoll_pwait, which counts milliseconds; an alarm is exact.
// It takes a Thread record for its place in a timer heap.

// newAlarm makes an alarm for the counter fd and returns its number.
func newAlarm(fd uint64) uint64 {
	if fd >= maxFDs || fdTable[fd].kind != fdEvent {
		return errno(syscall.EINVAL)
	}
	id := newThread()
	if id == 0 {
		return errno(syscall.EAGAIN)
	}
	t := threadAt(id)
	t.wait, t.waitArg = waitAlarm, fd
	t.state.Store(threadBlocked)
	return uint64(id)
}

// alarmAt gives the record of an alarm, or nil.
func alarmAt(id uint64) *Thread {
	if id == 0 || id > uint64(threadTop) {
		return nil
	}
	t := threadAt(uint32(id))
	if t.wait != waitAlarm || t.state.Load() == threadFree {
		return nil
	}
	return t
}

// setAlarm moves an alarm to TSC when; 0 stops it. Its owner makes one call at
// a time.
func setAlarm(id, when uint64) uint64 {
	t := alarmAt(id)
	if t == nil {
		return errno(syscall.EINVAL)
	}
	cancelTimer(t)
	for !t.state.CompareAndSwap(threadBlocked, threadClaimed) {
		pause() // another CPU is just ringing it
	}
	if when != 0 {
		// It counts as blocked again before it can ring.
		t.state.Store(threadBlocked)
		thisCPU().sleepUntil(t, when)
		return 0
	}
	t.state.Store(threadBlocked)
	return 0
}

// alarmDue rings a claimed alarm.
func alarmDue(t *Thread) {
	fd := t.waitArg
	t.state.Store(threadBlocked)
	signalEvent(uint32(fd), 1)
}

// freeAlarm ends an alarm that is not set.
func freeAlarm(id uint64) uint64 {
	t := alarmAt(id)
	if t == nil {
		return errno(syscall.EINVAL)
	}
	setAlarm(id, 0)
	t.wait = waitNone
	freeThread(t)
	return 0
}
