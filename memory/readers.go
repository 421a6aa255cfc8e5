package memory

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Section is a stretch of code in which frames that it has seen stay, from
// Enter to Leave. It is short: nothing in it waits.
type Section uint32

// readers lets whoever frees frames wait for the Sections that may still use
// them. Each Section counts itself in one of two counters, which take turns,
// so that new Sections cannot hold the wait up. The counters are spread over
// cache lines by where the caller's stack is.
type readers struct {
	turn   atomic.Uint32
	shards [readerShards]readerShard

	mu sync.Mutex // one waits at a time
}

const readerShards = 16

type readerShard struct {
	inside [2]atomic.Int64
	_      [48]byte // to fill a cache line
}

func (r *readers) enter() Section {
	turn := r.turn.Load() & 1
	n := stackNumber() % readerShards
	r.shards[n].inside[turn].Add(1)
	return Section(n<<1 | turn)
}

func (r *readers) leave(s Section) {
	r.shards[s>>1%readerShards].inside[s&1].Add(-1)
}

// wait returns when every Section that was open at the call has been left.
// Both counters are waited for: a Section may have read the turn long before
// it counted itself.
func (r *readers) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 2 {
		old := (r.turn.Add(1) - 1) & 1
		for i := range r.shards {
			r.shards[i].drain(old)
		}
	}
}

func (s *readerShard) drain(turn uint32) {
	for tries := 0; s.inside[turn].Load() != 0; tries++ {
		if tries < 100 {
			runtime.Gosched()
			continue
		}
		time.Sleep(10 * time.Microsecond)
	}
}

// Enter opens a Section: until Leave, what View gives stays valid.
func (s *Space) Enter() Section { return s.readers.enter() }

// Leave closes a Section.
func (s *Space) Leave(n Section) { s.readers.leave(n) }
