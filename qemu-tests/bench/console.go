package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// ErrSilent says that a console lacks a line that a row needs.
var ErrSilent = errors.New("the console does not tell")

var (
	exitLine     = regexp.MustCompile(`bench ([a-z0-9-]+) (\d+)`)
	initLine     = regexp.MustCompile(`RINGO-INIT tsc=([0-9a-f]{16})`)
	firmwareLine = regexp.MustCompile(`firmware tsc=([0-9a-f]{16})`)
	metricsLine  = regexp.MustCompile(metricsPattern(""))
	// metricsBreak is what a line of metrics puts into a guest's line that is
	// not at its end.
	metricsBreak = regexp.MustCompile(`\r?\n` + metricsPattern("") + `\r?\n`)
)

// metricsPattern matches a line of metrics that has come to its end, with text
// in it before the first inner brace.
func metricsPattern(text string) string {
	const flat, inner = `[^{}\r\n]*`, `(?:\{[^{}\r\n]*\}[^{}\r\n]*)*`
	return `ringo-metrics (\{` + flat + regexp.QuoteMeta(text) + flat + inner + `\})`
}

// exitRows reads the tiny benchmark's lines.
func exitRows(console []byte) ([]Row, error) {
	var rows []Row
	for _, m := range exitLine.FindAllSubmatch(metricsBreak.ReplaceAll(console, nil), -1) {
		ticks, err := strconv.ParseUint(string(m[2]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", m[0], err)
		}
		rows = append(rows, newRow(string(m[1]), unitTicks, float64(ticks)))
	}
	if rows == nil {
		return nil, fmt.Errorf("%w: no line %q", ErrSilent, exitLine)
	}
	return rows, nil
}

// counter reads the one value of the time stamp counter that a run prints.
func counter(console []byte, line *regexp.Regexp) (uint64, error) {
	m := line.FindSubmatch(metricsBreak.ReplaceAll(console, nil))
	if m == nil {
		return 0, fmt.Errorf("%w: no line %q", ErrSilent, line)
	}
	return strconv.ParseUint(string(m[1]), 16, 64)
}

// Events of metrics.
const (
	eventUp    = "up"    // the node is ready and has started no VM yet
	eventStart = "start" // a VM was started
	eventEnd   = "end"   // a VM has ended by itself
)

// metrics is what Ringo prints on a line "ringo-metrics {...}" if its command
// line has the word "metrics".
type metrics struct {
	Event string
	// Ticks are those since the image's first instruction, Idle those of them
	// in which the CPU had nothing to do. The host has only one CPU here.
	Ticks, Idle uint64
	// Free is the memory that is in use for nothing, in bytes.
	Free uint64

	// Memory and Tables are bytes of guest RAM and of stage-2 tables that all
	// VMs together have in use.
	Memory, Tables uint64

	// In start and end: the VM, and its exits by kind and ticks in the guest
	// since its start.
	VM    string
	Exits map[string]uint64
	Guest uint64
}

// metricsOf reads all metrics of a console.
func metricsOf(console []byte) ([]metrics, error) {
	var all []metrics
	for _, line := range metricsLine.FindAllSubmatch(console, -1) {
		var m metrics
		if err := json.Unmarshal(line[1], &m); err != nil {
			return nil, fmt.Errorf("%q: %w", line[0], err)
		}
		all = append(all, m)
	}
	return all, nil
}

// events gives the metrics of one kind of event.
func events(all []metrics, event string) []metrics {
	var some []metrics
	for _, m := range all {
		if m.Event == event {
			some = append(some, m)
		}
	}
	return some
}

// event gives the first of a kind.
func event(all []metrics, name string) (metrics, error) {
	if some := events(all, name); len(some) > 0 {
		return some[0], nil
	}
	return metrics{}, fmt.Errorf("%w: no whole line ringo-metrics with event %q; Ringo prints one with the option metrics", ErrSilent, name)
}
