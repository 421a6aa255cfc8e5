package node

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"ringo/api/bundle"
)

// Bounds of the log. Guests cause lines, so no one of them may fill memory.
const (
	maxLogEntries = 1024
	maxLogBytes   = 512 << 10
	maxLogText    = 8 << 10
	// repeatWindow is how soon the same line again only counts up.
	repeatWindow = time.Second
)

// Level is how important a line of the log is.
type Level uint8

// Levels, from least to most.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

// levels are the levels in the words of ringo.yaml.
var levels = [...]bundle.LogLevel{bundle.LogDebug, bundle.LogInfo, bundle.LogWarn, bundle.LogError}

// String is the level's name.
func (l Level) String() string {
	if int(l) < len(levels) {
		return string(levels[l])
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// Entry is one line of the log, or a report of several lines.
type Entry struct {
	Seq     uint64 // counts entries from 0
	Time    time.Time
	Level   Level
	Text    string // lines end with \n but for the last; no other control characters
	Repeats int    // how often it came again right after
}

// Log is the node's log: the newest entries, in memory. Any goroutine may use
// it.
type Log struct {
	changed signal

	mu      sync.Mutex
	least   Level
	entries []Entry // ascending Seq, without a gap
	next    uint64
	bytes   int
}

// Debugf logs what only somebody who looks for a fault wants to read.
func (l *Log) Debugf(format string, args ...any) { l.add(LevelDebug, format, args) }

// Infof logs what happened.
func (l *Log) Infof(format string, args ...any) { l.add(LevelInfo, format, args) }

// Warnf logs what is not as it should be.
func (l *Log) Warnf(format string, args ...any) { l.add(LevelWarn, format, args) }

// Errorf logs what failed.
func (l *Log) Errorf(format string, args ...any) { l.add(LevelError, format, args) }

// SetLevel sets the least important level that is still logged.
func (l *Log) SetLevel(least Level) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.least = least
}

// Since gives a copy of the entries that are kept, from number seq on.
func (l *Log) Since(seq uint64) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.next - uint64(len(l.entries))
	skip := min(max(seq, first)-first, uint64(len(l.entries)))
	return append([]Entry(nil), l.entries[skip:]...)
}

// Watch fires when an entry was added.
func (l *Log) Watch() *Watch { return l.changed.watch() }

func (l *Log) add(level Level, format string, args []any) {
	if l.put(level, printable(fmt.Sprintf(format, args...))) {
		l.changed.notify()
	}
}

// put adds an entry; false if it is below the level or only a repetition.
func (l *Log) put(level Level, text string) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if level < l.least {
		return false
	}
	if n := len(l.entries); n > 0 {
		last := &l.entries[n-1]
		if last.Level == level && last.Text == text && now.Sub(last.Time) < repeatWindow {
			last.Repeats++
			last.Time = now
			return false
		}
	}
	l.entries = append(l.entries, Entry{Seq: l.next, Time: now, Level: level, Text: text})
	l.next++
	l.bytes += len(text)
	for len(l.entries) > maxLogEntries || l.bytes > maxLogBytes {
		l.bytes -= len(l.entries[0].Text)
		l.entries[0].Text = "" // the array stays until append makes a new one
		l.entries = l.entries[1:]
	}
	return true
}

// printable makes a text safe for a terminal and bounds its length.
func printable(s string) string {
	const cut = "..."
	if len(s) > maxLogText {
		s = s[:maxLogText-len(cut)] + cut
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && (r < ' ' || r >= 0x7F && r < 0xA0):
			return '?'
		}
		return r
	}, s)
	return strings.TrimRight(s, "\n")
}

// levelOf is the level that ringo.yaml names.
func levelOf(name bundle.LogLevel) Level {
	for i, n := range levels {
		if n == name {
			return Level(i)
		}
	}
	return LevelInfo
}
