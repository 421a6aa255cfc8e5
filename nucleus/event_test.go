package nucleus

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
	"pgregory.net/rapid"
)

// resetDescriptors leaves the standard three.
func resetDescriptors() {
	clearBytes(uintptr(unsafe.Pointer(&fdTable)), unsafe.Sizeof(fdTable))
	fdReady = [eventWords]uint64{}
	pollHead, fdHint = 0, 3
	initDescriptors()
}

func TestFileDescriptors(t *testing.T) {
	resetDescriptors()
	require.EqualValues(t, 3, openFD(fdEvent, 0, 0))
	require.EqualValues(t, 4, openFD(fdEvent, 0, linux.O_NONBLOCK))
	require.Zero(t, sysClose(3))
	require.Equal(t, errno(syscall.EBADF), sysClose(3))
	require.Equal(t, errno(syscall.EBADF), sysClose(maxFDs))
	require.Equal(t, errno(syscall.EBADF), sysClose(^uint64(0)))
	require.EqualValues(t, 3, openFD(fdPoll, 0, 0), "the lowest number")
	require.Zero(t, sysClose(1), "the console stays")
	require.Equal(t, fdConsole, fdTable[1].kind)

	require.EqualValues(t, linux.O_NONBLOCK|linux.O_RDWR, sysFcntl(4, linux.F_GETFL, 0))
	require.Zero(t, sysFcntl(4, linux.F_SETFL, 0))
	require.EqualValues(t, linux.O_RDWR, sysFcntl(4, linux.F_GETFL, 0))
	require.Equal(t, errno(syscall.EBADF), sysFcntl(5, linux.F_GETFL, 0))
	require.Equal(t, errno(syscall.EBADF), sysFcntl(^uint64(0), linux.F_GETFL, 0))
	require.Equal(t, errno(syscall.EINVAL), sysFcntl(4, 99, 0))
}

func TestDescriptorsRunOut(t *testing.T) {
	resetDescriptors()
	for i := 3; i < maxFDs; i++ {
		require.EqualValues(t, i, openFD(fdEvent, 0, 0))
	}
	require.Equal(t, errno(syscall.EMFILE), openFD(fdEvent, 0, 0))
	require.Zero(t, sysClose(77))
	require.EqualValues(t, 77, openFD(fdEvent, 0, 0))
}

func TestCounter(t *testing.T) {
	resetDescriptors()
	buf := addressOf(mustMap(pageSize, pageSize))
	fd := openFD(fdEvent, 5, 0)
	require.EqualValues(t, 8, readFD(fd, buf, 8))
	require.EqualValues(t, 5, load64(buf))
	require.Equal(t, errno(syscall.EAGAIN), readFD(fd, buf, 8))
	store64(buf, 3)
	require.EqualValues(t, 8, writeFD(fd, buf, 8))
	require.EqualValues(t, 8, writeFD(fd, buf, 8))
	require.Equal(t, errno(syscall.EINVAL), readFD(fd, buf, 7), "too small a buffer loses nothing")
	require.Equal(t, errno(syscall.EINVAL), writeFD(fd, buf, 7))
	require.EqualValues(t, 8, readFD(fd, buf, 100))
	require.EqualValues(t, 6, load64(buf))

	store64(buf, ^uint64(0))
	require.Equal(t, errno(syscall.EINVAL), writeFD(fd, buf, 8))
	store64(buf, ^uint64(0)-1)
	require.EqualValues(t, 8, writeFD(fd, buf, 8))
	store64(buf, 1)
	require.Equal(t, errno(syscall.EAGAIN), writeFD(fd, buf, 8), "full")
	require.False(t, signalEvent(uint32(fd), 2), "no wrap")
	require.Equal(t, ^uint64(0)-1, fdTable[fd].count)

	for _, bad := range []uint64{fd + 1, maxFDs, ^uint64(0)} {
		require.Equal(t, errno(syscall.EBADF), readFD(bad, buf, 8))
		require.Equal(t, errno(syscall.EBADF), writeFD(bad, buf, 8))
	}
	require.Zero(t, readFD(0, buf, 8), "end of file")
	require.Equal(t, errno(syscall.EBADF), writeFD(0, buf, 8))
	require.False(t, signalEvent(1, 1), "the console is no counter")
}

// pollModel is epoll(7) for counters: what is registered for what.
type pollModel struct {
	poll, buf uintptr
	count     [6]uint64
	events    [6]uint32 // 0 is not registered
	data      [6]uint64
	fresh     [6]bool // changed since it was last reported
}

const firstEvent = 4

func (m *pollModel) ctl(t *rapid.T, op uint64) {
	i := rapid.IntRange(0, len(m.count)-1).Draw(t, "fd")
	ev := rapid.SampledFrom([]uint32{linux.EPOLLIN, linux.EPOLLIN | linux.EPOLLET, linux.EPOLLIN | linux.EPOLLOUT | linux.EPOLLET, linux.EPOLLOUT}).Draw(t, "events")
	data := rapid.Uint64().Draw(t, "data")
	store32(m.buf, ev)
	store64(m.buf+4, data)
	got := sysEpollCtl(uint64(m.poll), op, firstEvent+uint64(i), m.buf)
	switch {
	case op == linux.EPOLL_CTL_ADD && m.events[i] != 0:
		require.Equal(t, errno(syscall.EEXIST), got)
	case op != linux.EPOLL_CTL_ADD && m.events[i] == 0:
		require.Equal(t, errno(syscall.ENOENT), got)
	case op == linux.EPOLL_CTL_DEL:
		require.Zero(t, got)
		m.events[i] = 0
	default:
		require.Zero(t, got)
		m.events[i], m.data[i], m.fresh[i] = ev, data, true
	}
}

func (m *pollModel) signal(t *rapid.T) {
	i := rapid.IntRange(0, len(m.count)-1).Draw(t, "fd")
	require.True(t, signalEvent(uint32(firstEvent+i), 1))
	m.count[i]++
	m.fresh[i] = true
}

func (m *pollModel) read(t *rapid.T) {
	i := rapid.IntRange(0, len(m.count)-1).Draw(t, "fd")
	got := readFD(firstEvent+uint64(i), m.buf, 8)
	if m.count[i] == 0 {
		require.Equal(t, errno(syscall.EAGAIN), got)
		return
	}
	require.Equal(t, m.count[i], load64(m.buf))
	m.count[i] = 0
}

// want is what epoll_wait reports of counter i: level-triggered as long as it
// is so, edge-triggered once for each change.
func (m *pollModel) want(i int) uint32 {
	ready := uint32(linux.EPOLLOUT)
	if m.count[i] != 0 {
		ready |= linux.EPOLLIN
	}
	ready &= m.events[i]
	if m.events[i]&linux.EPOLLET != 0 && !m.fresh[i] {
		ready = 0
	}
	return ready
}

func (m *pollModel) collect(t *rapid.T) {
	n := rapid.Uint64Range(0, 8).Draw(t, "room")
	store32(m.buf+uintptr(n)*12, 0xabcdabcd)
	got := collect(m.buf, n)
	require.EqualValues(t, 0xabcdabcd, load32(m.buf+uintptr(n)*12), "beyond the buffer")
	var seen uint64
	for i := range m.count {
		ev := m.want(i)
		if ev == 0 || seen == n {
			continue
		}
		at := m.buf + uintptr(seen)*12
		require.Less(t, seen, got, "counter %d is ready", i)
		require.Equal(t, ev, load32(at))
		require.Equal(t, m.data[i], load64(at+4))
		m.fresh[i] = false
		seen++
	}
	require.Equal(t, seen, got)
}

func TestEpollModel(t *testing.T) {
	buf := addressOf(mustMap(pageSize, pageSize))
	rapid.Check(t, func(t *rapid.T) {
		resetDescriptors()
		m := &pollModel{poll: uintptr(openFD(fdPoll, 0, 0)), buf: buf}
		for i := range m.count {
			require.EqualValues(t, firstEvent+i, openFD(fdEvent, 0, 0))
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":     func(t *rapid.T) { m.ctl(t, linux.EPOLL_CTL_ADD) },
			"mod":     func(t *rapid.T) { m.ctl(t, linux.EPOLL_CTL_MOD) },
			"del":     func(t *rapid.T) { m.ctl(t, linux.EPOLL_CTL_DEL) },
			"signal":  m.signal,
			"read":    m.read,
			"collect": m.collect,
		})
	})
}

func TestEpollCtlRefusals(t *testing.T) {
	resetDescriptors()
	buf := addressOf(mustMap(pageSize, pageSize))
	poll, ev := openFD(fdPoll, 0, 0), openFD(fdEvent, 0, 0)
	for _, c := range []struct {
		poll, fd uint64
		want     syscall.Errno
	}{{ev, ev, syscall.EBADF}, {poll, 9, syscall.EBADF}, {poll, maxFDs, syscall.EBADF}, {maxFDs, ev, syscall.EBADF}, {^uint64(0), ev, syscall.EBADF}, {poll, 0, syscall.EPERM}, {poll, poll, syscall.EPERM}} {
		require.Equal(t, errno(c.want), sysEpollCtl(c.poll, linux.EPOLL_CTL_ADD, c.fd, buf), "%+v", c)
	}
	th := new(Thread)
	require.Same(t, th, sysEpollWait(th, ev, buf, 1, 0))
	require.Equal(t, errno(syscall.EBADF), th.Regs.RAX)
	require.Same(t, th, sysEpollWait(th, poll, buf, 1, 0))
	require.Zero(t, th.Regs.RAX, "without waiting")
}

// TestCloseForgets: the number's next owner does not inherit events.
func TestCloseForgets(t *testing.T) {
	resetDescriptors()
	buf := addressOf(mustMap(pageSize, pageSize))
	poll, fd := openFD(fdPoll, 0, 0), openFD(fdEvent, 0, 0)
	store32(buf, linux.EPOLLIN|linux.EPOLLET)
	require.Zero(t, sysEpollCtl(poll, linux.EPOLL_CTL_ADD, fd, buf))
	require.True(t, signalEvent(uint32(fd), 1))
	require.True(t, anyReady())
	require.Zero(t, sysClose(fd))
	require.False(t, anyReady())
	require.Equal(t, fd, openFD(fdEvent, 0, 0))
	require.True(t, signalEvent(uint32(fd), 1))
	require.Zero(t, collect(buf, 8))
}

// TestPollersList takes waiters off in any order.
func TestPollersList(t *testing.T) {
	resetThreads()
	resetDescriptors()
	a, b, c := mustThread(t), mustThread(t), mustThread(t)
	for _, th := range []*Thread{a, b, c} {
		th.next, pollHead = pollHead, th.id
		th.state.Store(threadBlocked)
		th.Regs.RAX = 9
	}
	epollTimeout(b)
	require.Zero(t, b.Regs.RAX)
	epollTimeout(b) // gone already
	c.state.Store(threadClaimed)
	require.Same(t, a, takePoller(), "a claimed one is passed over")
	require.Equal(t, threadClaimed, a.state.Load())
	require.Nil(t, takePoller())
}
