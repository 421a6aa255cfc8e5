package clock_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/clock"
)

var (
	_ devices.Clock = (*clock.Real)(nil)
	_ devices.Clock = (*clock.Fake)(nil)
)

func TestRealPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewReal(nil)
		var fired atomic.Int32
		timer := c.NewTimer(func() { fired.Add(1) })
		timer.Reset(10 * time.Second)
		time.Sleep(4 * time.Second)
		c.Pause()
		c.Pause()
		require.Equal(t, 4*time.Second, c.Now())
		time.Sleep(time.Minute)
		require.Equal(t, 4*time.Second, c.Now())
		require.Zero(t, fired.Load())
		c.Resume()
		c.Resume()
		time.Sleep(6*time.Second - 1)
		require.Zero(t, fired.Load())
		time.Sleep(2 * time.Nanosecond)
		require.Equal(t, int32(1), fired.Load())
		time.Sleep(time.Hour)
		require.Equal(t, int32(1), fired.Load(), "once")
	})
}

func TestRealTimerStopAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewReal(nil)
		var at atomic.Int64
		timer := c.NewTimer(func() { at.Store(int64(c.Now())) })
		timer.Reset(time.Second)
		timer.Stop()
		time.Sleep(2 * time.Second)
		require.Zero(t, at.Load())
		timer.Reset(time.Hour)
		timer.Reset(time.Second)
		time.Sleep(2 * time.Second)
		require.Equal(t, int64(3*time.Second), at.Load())
		c.Pause()
		timer.Reset(-5)
		time.Sleep(time.Second)
		require.Equal(t, int64(3*time.Second), at.Load(), "paused")
		c.Resume()
		time.Sleep(time.Nanosecond)
		require.Equal(t, int64(4*time.Second), at.Load())
	})
}

func TestRealSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewReal(nil)
		c.Pause()
		c.Set(time.Hour)
		require.Equal(t, time.Hour, c.Now())
		c.Resume()
		time.Sleep(time.Second)
		require.Equal(t, time.Hour+time.Second, c.Now())
	})
}

func TestRealPanicIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Value
		c := clock.NewReal(func(v any) { got.Store(v) })
		c.NewTimer(func() { panic("boom") }).Reset(0)
		time.Sleep(time.Nanosecond)
		require.Equal(t, "boom", got.Load())
	})
}

func TestFakeOrder(t *testing.T) {
	c := clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var order []string
	b := c.NewTimer(func() { order = append(order, "b") })
	a := c.NewTimer(func() {
		order = append(order, "a")
		require.Equal(t, time.Second, c.Now())
		b.Reset(time.Second)
	})
	stopped := c.NewTimer(func() { order = append(order, "stopped") })
	a.Reset(time.Second)
	stopped.Reset(time.Second)
	stopped.Stop()
	require.Equal(t, 1, c.Armed())
	c.Advance(1999 * time.Millisecond)
	require.Equal(t, []string{"a"}, order)
	c.Advance(time.Millisecond)
	require.Equal(t, []string{"a", "b"}, order)
	require.Equal(t, 7, c.Wall().Second())
	c.SetWall(time.Unix(0, 0))
	require.Equal(t, int64(0), c.Wall().Unix())
}
