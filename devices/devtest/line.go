package devtest

import "sync"

// Line is a devices.Line that records what happens to it.
type Line struct {
	mu    sync.Mutex
	level bool
	rises int
}

// Set sets the level.
func (l *Line) Set(level bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if level && !l.level {
		l.rises++
	}
	l.level = level
}

// Level is the level now.
func (l *Line) Level() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level
}

// Rises is how often the level went up.
func (l *Line) Rises() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rises
}
