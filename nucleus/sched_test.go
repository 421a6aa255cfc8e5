package nucleus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTakeIdle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := uint32(rapid.IntRange(1, MaxCPUs).Draw(t, "CPUs"))
		resetCPUs(n)
		number := rapid.Uint32Range(0, n-1)
		idle := map[uint32]bool{}
		for _, i := range rapid.SliceOfN(number, 0, 8).Draw(t, "idle") {
			setIdle(i)
			idle[i] = true
		}
		if i := number.Draw(t, "busy again"); idle[i] {
			clearIdle(i)
			delete(idle, i)
		}
		for len(idle) != 0 {
			prefer := number.Draw(t, "prefer")
			got, ok := takeIdle(prefer)
			require.True(t, ok)
			require.True(t, idle[got], "%d does not idle", got)
			require.True(t, got == prefer || !idle[prefer])
			delete(idle, got)
		}
		_, ok := takeIdle(number.Draw(t, "prefer"))
		require.False(t, ok)
	})
}

// TestRunQueues: threads run first come first served, and a CPU without any
// takes the first of another's.
func TestRunQueues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		resetThreads()
		resetCPUs(3)
		var queues [3][]*Thread
		take := func(t *rapid.T, q int, got *Thread) {
			require.Same(t, queues[q][0], got)
			queues[q] = queues[q][1:]
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			q := rapid.IntRange(0, 2).Draw(t, "CPU")
			c := &cpus[q]
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				th := mustThread(t)
				c.pushThread(th)
				queues[q] = append(queues[q], th)
			case 2:
				if th := c.popThread(); len(queues[q]) == 0 {
					require.Nil(t, th)
				} else {
					take(t, q, th)
				}
			case 3:
				switch th := c.steal(); {
				case len(queues[(q+1)%3]) != 0:
					take(t, (q+1)%3, th)
				case len(queues[(q+2)%3]) != 0:
					take(t, (q+2)%3, th)
				default:
					require.Nil(t, th)
				}
			}
			for i := range queues {
				require.EqualValues(t, len(queues[i]), cpus[i].runCount.Load())
			}
		}
	})
}

func TestLeastBusy(t *testing.T) {
	resetThreads()
	resetCPUs(4)
	busy := func(list ...int) {
		for i := range cpus[:4] {
			cpus[i].busy.Store(0)
		}
		for _, i := range list {
			cpus[i].busy.Store(1)
		}
	}
	for _, c := range []struct {
		busy []int
		want uint32
	}{{nil, 2}, {[]int{2}, 1}, {[]int{1, 2}, 0}, {[]int{0, 1, 2}, 3}, {[]int{0, 1, 2, 3}, 2}} {
		busy(c.busy...)
		require.Equal(t, c.want, leastBusy(2, &cpus[1]), "busy: %v", c.busy)
	}
	busy(0, 1, 2)
	cpus[3].pushThread(mustThread(t))
	require.EqualValues(t, 2, leastBusy(2, &cpus[1]), "one that has a thread waiting is not free")
}

func TestWeighted(t *testing.T) {
	for weight, want := range map[uint32]uint64{0: 600, 100: 600, 50: 1200, 200: 300, 300: 200} {
		g := Guest{Weight: weight}
		require.Equal(t, want, g.weighted(600), "weight %d", weight)
	}
}
