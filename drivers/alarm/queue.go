package alarm

import (
	"container/heap"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"ringo/nucleus"
)

// ringer is what a Queue needs of the nucleus: one alarm and the counter that
// it goes by.
type ringer interface {
	Set(when uint64)
	Wait() error
}

// Queue runs functions at their time. All of its timers share one alarm.
type Queue struct {
	ring ringer
	tsc  func() uint64
	hz   uint64

	mu   sync.Mutex
	due  timers
	next uint64 // what the alarm is set to, 0 if it is not
}

// Timer is one function to be run once for each Reset that is not undone.
type Timer struct {
	q    *Queue
	f    func()
	when uint64 // TSC
	at   int    // index in the heap, -1 when not armed
}

// New makes a queue over an alarm of the nucleus.
func New() (*Queue, error) {
	a, err := nucleus.NewAlarm()
	if err != nil {
		return nil, fmt.Errorf("timer queue: %w", err)
	}
	return newQueue(a, nucleus.TSC, nucleus.TSCFrequency()), nil
}

func newQueue(r ringer, tsc func() uint64, hz uint64) *Queue {
	q := &Queue{ring: r, tsc: tsc, hz: hz}
	go q.serve()
	return q
}

// AfterFunc arms a new timer to run f on a goroutine of its own after d.
func (q *Queue) AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{q: q, f: f, at: -1}
	t.Reset(d)
	return t
}

// ticks converts a duration, which is not negative, to TSC ticks.
func (q *Queue) ticks(d time.Duration) uint64 {
	hi, lo := bits.Mul64(uint64(d), q.hz)
	if hi >= uint64(time.Second) {
		return 1 << 62
	}
	n, _ := bits.Div64(hi, lo, uint64(time.Second))
	return n
}

// Reset arms the timer for d from now. It reports whether it was armed.
func (t *Timer) Reset(d time.Duration) bool {
	q := t.q
	q.mu.Lock()
	defer q.mu.Unlock()
	was := t.at >= 0
	t.when = q.tsc() + q.ticks(max(d, 0))
	if was {
		heap.Fix(&q.due, t.at)
	} else {
		heap.Push(&q.due, t)
	}
	q.arm()
	return was
}

// Stop disarms the timer. It reports whether it was armed.
func (t *Timer) Stop() bool {
	q := t.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.at < 0 {
		return false
	}
	heap.Remove(&q.due, t.at)
	return true
}

// arm sets the alarm if the first timer is due before it rings. An alarm that
// rings too early only looks.
func (q *Queue) arm() {
	if len(q.due) == 0 {
		return
	}
	if first := q.due[0].when; q.next == 0 || first < q.next {
		q.next = first
		q.ring.Set(first)
	}
}

// serve runs what is due each time that the alarm rings.
func (q *Queue) serve() {
	for q.ring.Wait() == nil {
		q.mu.Lock()
		q.next = 0
		now := q.tsc()
		for len(q.due) > 0 && q.due[0].when <= now {
			t := heap.Pop(&q.due).(*Timer)
			go t.f()
		}
		q.arm()
		q.mu.Unlock()
	}
}

// timers is a heap by time.
type timers []*Timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].when < h[j].when }
func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *timers) Push(x any) {
	t := x.(*Timer)
	t.at = len(*h)
	*h = append(*h, t)
}

func (h *timers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.at = -1
	return t
}
