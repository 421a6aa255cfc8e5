package node

import (
	"slices"
	"sync"
)

// Watch fires when something may have changed since it last fired. Several
// changes may give one firing; none is lost.
type Watch struct {
	// C receives; it is never closed.
	C      <-chan struct{}
	fire   chan struct{}
	signal *signal
}

// Close ends the watch.
func (w *Watch) Close() { w.signal.remove(w) }

// signal is the other end of watches. The zero value is ready.
type signal struct {
	mu      sync.Mutex
	watches []*Watch
}

// watch makes a watch.
func (s *signal) watch() *Watch {
	c := make(chan struct{}, 1)
	w := &Watch{C: c, fire: c, signal: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches = append(s.watches, w)
	return w
}

func (s *signal) remove(w *Watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches = slices.DeleteFunc(s.watches, func(x *Watch) bool { return x == w })
}

// notify fires every watch. It never waits for a reader.
func (s *signal) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		select {
		case w.fire <- struct{}{}:
		default: // it has not been seen since it last fired
		}
	}
}
