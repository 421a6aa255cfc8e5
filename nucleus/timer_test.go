package nucleus

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// timerModel is the heap as a table.
type timerModel struct {
	c    *CPU
	idle []*Thread
	due  map[*Thread]uint64
}

// newTimerModel gives CPU 0 no timers, and n alarms, which ring without a CPU
// of their own. Alarm i counts in descriptor 3+i.
func newTimerModel(t require.TestingT, n int) *timerModel {
	resetThreads()
	resetCPUs(2)
	resetDescriptors()
	m := &timerModel{c: &cpus[0], due: map[*Thread]uint64{}}
	for range n {
		id := newAlarm(openFD(fdEvent, 0, 0))
		require.NotNil(t, alarmAt(id))
		m.idle = append(m.idle, alarmAt(id))
	}
	return m
}

// earliest is the least time in the table.
func (m *timerModel) earliest() uint64 {
	least := ^uint64(0)
	for _, when := range m.due {
		least = min(least, when)
	}
	return least
}

// check walks the heap: all members once, no child before its parent, links
// right in both directions.
func (m *timerModel) check(t *rapid.T) {
	seen := map[uint32]bool{}
	var walk func(id, prev uint32, floor uint64)
	walk = func(id, prev uint32, floor uint64) {
		for parent := prev; id != 0; {
			th := threadAt(id)
			require.False(t, seen[id], "twice in the heap")
			seen[id] = true
			require.Equal(t, prev, th.timer.prev)
			require.Equal(t, m.due[th], th.timer.when)
			require.GreaterOrEqual(t, th.timer.when, floor, "below %d", parent)
			require.Equal(t, m.c.number+1, th.timer.cpu)
			walk(th.timer.child, id, th.timer.when)
			prev, id = id, th.timer.sibling
		}
	}
	walk(m.c.timers, 0, 0)
	require.Len(t, seen, len(m.due))
	if len(m.due) != 0 {
		require.Zero(t, threadAt(m.c.timers).timer.sibling)
		require.Equal(t, m.earliest(), threadAt(m.c.timers).timer.when)
	}
}

func (m *timerModel) add(t *rapid.T) {
	if len(m.idle) == 0 {
		t.Skip("all set")
	}
	th := m.idle[len(m.idle)-1]
	m.idle = m.idle[:len(m.idle)-1]
	m.due[th] = rapid.Uint64Range(1, 40).Draw(t, "when")
	m.c.addTimer(th, m.due[th])
}

func (m *timerModel) members() []*Thread {
	var list []*Thread
	for th := range m.due {
		list = append(list, th)
	}
	slices.SortFunc(list, func(a, b *Thread) int { return int(a.id) - int(b.id) })
	return list
}

func (m *timerModel) cancel(t *rapid.T) {
	if len(m.due) == 0 {
		t.Skip("none set")
	}
	th := rapid.SampledFrom(m.members()).Draw(t, "alarm")
	cancelTimer(th)
	require.Equal(t, timerNode{}, th.timer)
	cancelTimer(th) // a timer that is not set
	delete(m.due, th)
	m.idle = append(m.idle, th)
}

// expire rings what is due, and nothing else.
func (m *timerModel) expire(t *rapid.T) {
	now := rapid.Uint64Range(0, 41).Draw(t, "now")
	m.c.expire(now)
	for _, th := range m.members() {
		rung := m.due[th] <= now
		require.Equal(t, rung, fdTable[th.waitArg].count != 0, "set to %d, now %d", m.due[th], now)
		require.Equal(t, threadBlocked, th.state.Load())
		if rung {
			fdTable[th.waitArg].count = 0
			delete(m.due, th)
			m.idle = append(m.idle, th)
		}
	}
}

func TestTimerModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTimerModel(t, 24)
		t.Repeat(map[string]func(*rapid.T){"": m.check, "add": m.add, "more": m.add, "cancel": m.cancel, "expire": m.expire})
	})
}

// TestTimersExpireInOrder takes a large heap apart from its root.
func TestTimersExpireInOrder(t *testing.T) {
	m := newTimerModel(t, 500)
	for i, th := range m.idle {
		m.c.addTimer(th, uint64(i*7919%500+1))
	}
	for when := uint64(1); when <= 500; when++ {
		root := threadAt(m.c.timers)
		require.Equal(t, when, root.timer.when)
		m.c.expire(when)
		require.EqualValues(t, 1, fdTable[root.waitArg].count)
	}
	require.Zero(t, m.c.timers)
}

// TestExpireLeavesClaimed: a thread that somebody else woke at the same moment
// is taken out of the heap and left to that one.
func TestExpireLeavesClaimed(t *testing.T) {
	m := newTimerModel(t, 1)
	th := m.idle[0]
	m.c.addTimer(th, 5)
	th.state.Store(threadClaimed)
	m.c.expire(9)
	require.Zero(t, m.c.timers)
	require.Equal(t, threadClaimed, th.state.Load())
	require.Zero(t, fdTable[th.waitArg].count)
}

func TestAlarms(t *testing.T) {
	m := newTimerModel(t, 1)
	require.Equal(t, ^uint64(21), newAlarm(0), "EINVAL: the console is no counter")
	require.Equal(t, ^uint64(21), newAlarm(maxFDs))
	th := m.idle[0]
	m.c.addTimer(th, 5)
	require.Zero(t, setAlarm(uint64(th.id), 0), "stopped")
	m.c.expire(9)
	require.Zero(t, fdTable[th.waitArg].count)
	m.c.addTimer(th, 5)
	id := uint64(th.id)
	require.Zero(t, freeAlarm(id))
	require.Zero(t, m.c.timers)
	for _, bad := range []uint64{id, 0, id + 1, 1 << 40} {
		require.Nil(t, alarmAt(bad))
		require.Equal(t, ^uint64(21), freeAlarm(bad))
		require.Equal(t, ^uint64(21), setAlarm(bad, 0))
	}
}
