package node

import "time"

// Times of the restart of a VM that crashes again and again.
const (
	firstDelay = time.Second
	lastDelay  = time.Minute
	// calmAfter is how long a VM must have run for its next crash to count
	// as the first again.
	calmAfter = time.Minute
)

// backoff gives the delays before restarts: each twice the one before, up to
// lastDelay.
type backoff struct{ delay time.Duration }

// next is the delay before the restart of a VM that has run for so long.
func (b *backoff) next(ran time.Duration) time.Duration {
	if b.delay == 0 || ran >= calmAfter {
		b.delay = firstDelay
	} else {
		b.delay = min(2*b.delay, lastDelay)
	}
	return b.delay
}
