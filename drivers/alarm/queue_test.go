package alarm

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const testHz = 1_000_000_000

// fakeRing is an alarm over Go's (fake) clock, one tick a nanosecond.
type fakeRing struct {
	start time.Time
	set   chan uint64
	rings chan struct{}
	sets  atomic.Int32
}

func newFakeRing() *fakeRing {
	r := &fakeRing{start: time.Now(), set: make(chan uint64, 100), rings: make(chan struct{}, 100)}
	go r.run()
	return r
}

func (r *fakeRing) tsc() uint64 { return uint64(time.Since(r.start)) + 1 }

func (r *fakeRing) Set(when uint64) {
	r.sets.Add(1)
	r.set <- when
}

func (r *fakeRing) Wait() error {
	if _, ok := <-r.rings; !ok {
		return errors.New("closed")
	}
	return nil
}

func (r *fakeRing) run() {
	timer := time.NewTimer(time.Hour)
	for {
		select {
		case when, ok := <-r.set:
			if !ok {
				close(r.rings)
				return
			}
			timer.Reset(time.Duration(int64(when - r.tsc())))
		case <-timer.C:
			r.rings <- struct{}{}
		}
	}
}

func TestOrderAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRing()
		q := newQueue(r, r.tsc, testHz)
		start := time.Now()
		var got []time.Duration
		done := make(chan time.Duration)
		for _, d := range []time.Duration{300, 100, 200, 0, -5} {
			q.AfterFunc(d*time.Microsecond, func() { done <- time.Since(start) })
		}
		for range 5 {
			got = append(got, <-done)
		}
		us := time.Microsecond
		require.Equal(t, []time.Duration{0, 0, 100 * us, 200 * us, 300 * us}, got)
		close(r.set)
	})
}

func TestStopAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRing()
		q := newQueue(r, r.tsc, testHz)
		var fired atomic.Int32
		a := q.AfterFunc(time.Millisecond, func() { fired.Add(1) })
		b := q.AfterFunc(2*time.Millisecond, func() { fired.Add(10) })
		require.True(t, a.Stop())
		require.False(t, a.Stop())
		require.True(t, b.Reset(5*time.Millisecond))
		time.Sleep(4 * time.Millisecond)
		require.Zero(t, fired.Load())
		time.Sleep(2 * time.Millisecond)
		require.EqualValues(t, 10, fired.Load())
		require.False(t, b.Reset(time.Millisecond), "a timer that has fired is not armed")
		time.Sleep(2 * time.Millisecond)
		require.EqualValues(t, 20, fired.Load())
		close(r.set)
	})
}

func TestFarAway(t *testing.T) {
	q := &Queue{hz: 5_000_000_000}
	require.EqualValues(t, 5_000_000_000, q.ticks(time.Second))
	require.Less(t, q.ticks(1<<63-1), uint64(1)<<63)
}
