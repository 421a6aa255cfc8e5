package nucleus

import "sync/atomic"

// spinlock is held with interrupts disabled, for tens of instructions. While
// a CPU waits for one it answers TLB shoot-downs, so that a CPU which waits
// for an answer may hold a lock.
type spinlock struct {
	held atomic.Uint32
	// waits counts the acquisitions that found the lock held, and acquired
	// all of them: contention is watched from the first day.
	waits    uint32
	acquired uint32
}

func (l *spinlock) lock() {
	if !l.held.CompareAndSwap(0, 1) {
		for {
			for l.held.Load() != 0 {
				pause()
				tlbPoll()
			}
			if l.held.CompareAndSwap(0, 1) {
				break
			}
		}
		l.waits++
	}
	l.acquired++
}

func (l *spinlock) unlock() { l.held.Store(0) }
