package nucleus

import (
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// queue gives the threads of a bucket, first to last.
func (b *futexBucket) queue(t require.TestingT) (list []uint32) {
	prev := uint32(0)
	for id := b.head; id != 0; id = threadAt(id).next {
		require.Equal(t, prev, threadAt(id).prevWait)
		list = append(list, id)
		prev = id
	}
	require.Equal(t, prev, b.tail)
	return list
}

func TestFutexBucketModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		resetThreads()
		const addr = 0x1000
		b := bucketOf(addr)
		*b = futexBucket{}
		var idle []*Thread
		for range 12 {
			idle = append(idle, mustThread(t))
		}
		var waiting []uint32
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { require.Equal(t, waiting, b.queue(t)) },
			"push": func(t *rapid.T) {
				if len(idle) == 0 {
					t.Skip("all wait")
				}
				th := idle[0]
				idle = idle[1:]
				th.futexAddr = addr
				b.push(th)
				waiting = append(waiting, th.id)
			},
			"timeout": func(t *rapid.T) {
				if len(waiting) == 0 {
					t.Skip("none waits")
				}
				i := rapid.IntRange(0, len(waiting)-1).Draw(t, "waiter")
				th := threadAt(waiting[i])
				futexTimeout(th)
				require.Equal(t, errno(syscall.ETIMEDOUT), th.Regs.RAX)
				require.Zero(t, th.next|th.prevWait)
				if waiting = slices.Delete(waiting, i, i+1); len(waiting) == 0 {
					waiting = nil
				}
				idle = append(idle, th)
			},
		})
	})
}

func TestFutexWakesNobodyElse(t *testing.T) {
	resetThreads()
	const addr = 0x1000
	b := bucketOf(addr)
	*b = futexBucket{}
	th := mustThread(t)
	th.futexAddr = addr + 4096 // another word of the same bucket
	th.state.Store(threadBlocked)
	b.push(th)
	require.Zero(t, futexWake(addr, 100))
	th.futexAddr = addr
	require.Zero(t, futexWake(addr, 0))
	th.state.Store(threadClaimed) // its timeout came first
	require.Zero(t, futexWake(addr, 1))
	require.Equal(t, []uint32{th.id}, b.queue(t))
}

func TestBucketsSpread(t *testing.T) {
	used := map[*futexBucket]int{}
	for i := range uintptr(4 * futexBuckets) {
		used[bucketOf(0xc000100000+i*64)]++
	}
	require.Greater(t, len(used), futexBuckets/2)
	for _, n := range used {
		require.Less(t, n, 32)
	}
}

func TestFutexRefusals(t *testing.T) {
	word := addressOf(mustMap(pageSize, pageSize))
	call := func(addr uintptr, op, val uint64, timeout uintptr) uint64 {
		th := &Thread{Regs: Registers{RDI: uint64(addr), RSI: op, RDX: val, R10: uint64(timeout)}}
		require.Same(t, th, sysFutex(th))
		return th.Regs.RAX
	}
	store32(word, 7)
	require.Equal(t, errno(syscall.EAGAIN), call(word, 0, 8, 0), "the word differs")
	require.Equal(t, errno(syscall.EAGAIN), call(word, 128, 8, 0), "private")
	require.Equal(t, errno(syscall.EINVAL), call(word+1, 0, 7, 0))
	require.Equal(t, errno(syscall.ENOSYS), call(word, 9, 7, 0))
	store64(word+16, 1)
	store64(word+24, 1_000_000_000)
	require.Equal(t, errno(syscall.EINVAL), call(word, 0, 7, word+16), "the timeout")
	require.Zero(t, call(word, 1, 1, 0), "nobody to wake")
}
