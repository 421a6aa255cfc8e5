package memory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWaitSeesLateReaders counts a reader in after the turn that it read has
// passed.
func TestWaitSeesLateReaders(t *testing.T) {
	for turn := range uint32(2) {
		var r readers
		r.turn.Store(turn)
		r.wait()
		r.shards[3].inside[turn].Add(1)
		done := make(chan struct{})
		go func() {
			r.wait()
			close(done)
		}()
		select {
		case <-done:
			require.Fail(t, "wait did not see the reader")
		case <-time.After(10 * time.Millisecond):
		}
		r.leave(Section(3<<1 | turn))
		<-done
	}
}
