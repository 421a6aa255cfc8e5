package node

import "bytes"

// scrollback keeps the newest bytes of a stream. It grows with the stream up
// to its limit. Positions count the bytes of the whole stream, so they stay
// right when old bytes go.
type scrollback struct {
	// ring holds the byte of position p at p%limit.
	ring  []byte
	limit int
	end   uint64 // position after the newest byte
}

// start is the position of the oldest byte that is kept.
func (s *scrollback) start() uint64 { return s.end - uint64(len(s.ring)) }

// write appends p.
func (s *scrollback) write(p []byte) {
	if n := min(s.limit-len(s.ring), len(p)); n > 0 {
		s.ring = append(s.ring, p[:n]...)
		s.end += uint64(n)
		p = p[n:]
	}
	for len(p) > 0 {
		n := copy(s.ring[s.index(s.end):], p)
		s.end += uint64(n)
		p = p[n:]
	}
}

// index is where the byte of a position is in the ring.
func (s *scrollback) index(position uint64) int { return int(position % uint64(s.limit)) }

// read copies bytes from position at on, or from the oldest one kept if that
// is newer, and gives the position of the first byte copied.
func (s *scrollback) read(p []byte, at uint64) (n int, first uint64) {
	at = min(max(at, s.start()), s.end)
	for n < len(p) && at+uint64(n) < s.end {
		i := s.index(at + uint64(n))
		run := s.ring[i:]
		if left := s.end - at - uint64(n); uint64(len(run)) > left {
			run = run[:left]
		}
		n += copy(p[n:], run)
	}
	return n, at
}

// tail is the position at which the newest lines start. Bytes after the last
// line feed are a line too.
func (s *scrollback) tail(lines int) uint64 {
	at := s.end
	if at > s.start() && s.ring[s.index(at-1)] == '\n' {
		at-- // ends the last line; starts none
	}
	for ; lines > 0; lines-- {
		feed := s.lastFeed(at)
		if feed < 0 {
			return s.start()
		}
		at = uint64(feed)
	}
	return min(at+1, s.end)
}

// line is the position after the last line feed.
func (s *scrollback) line() uint64 {
	if feed := s.lastFeed(s.end); feed >= 0 {
		return uint64(feed) + 1
	}
	return s.start()
}

// lastFeed is the position of the last line feed before at, or -1.
func (s *scrollback) lastFeed(at uint64) int64 {
	for at > s.start() {
		// The run of the ring that ends before at.
		to := s.index(at-1) + 1
		run := s.ring[max(0, to-int(min(at-s.start(), uint64(to)))):to]
		if i := bytes.LastIndexByte(run, '\n'); i >= 0 {
			return int64(at) - int64(len(run)) + int64(i)
		}
		at -= uint64(len(run))
	}
	return -1
}
