package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"text/tabwriter"
)

// Row is one line of the report, in ticks.
type Row struct {
	Name  string `json:"name"`
	Ticks uint64 `json:"ticks"`
	Peer  uint64 `json:"peer,omitempty"` // 0: not known
}

// peers are the ticks of KVM with QEMU on the same emulated processor.
// docs/testing.md says how they were taken.
var peers = map[string]uint64{
	"cpuid": 2841, "vmmcall": 2789, "port-read": 4971, "mmio-write": 6972,
	"tsc-adjust-write": 3321, "tsc-adjust-read": 2803,
	"self-ipi-xapic": 9065, "self-ipi-hlt-xapic": 11947, "eoi-xapic": 3340, "cr0-wp": 8700,
	"linux-boot": 1_629_000_000, "linux-boot-bare": 1_583_000_000,
}

var (
	exitLine     = regexp.MustCompile(`bench ([a-z0-9-]+) (\d+)`)
	initLine     = regexp.MustCompile(`RINGO-INIT tsc=([0-9a-f]{16})`)
	firmwareLine = regexp.MustCompile(`firmware (\d+) ticks`)
)

// exitRows reads the tiny benchmark's lines.
func exitRows(console []byte) ([]Row, error) {
	var rows []Row
	for _, m := range exitLine.FindAllSubmatch(console, -1) {
		ticks, err := strconv.ParseUint(string(m[2]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", m[0], err)
		}
		rows = append(rows, row(string(m[1]), ticks))
	}
	return rows, nil
}

func row(name string, ticks uint64) Row { return Row{Name: name, Ticks: ticks, Peer: peers[name]} }

// number finds the one number that a run prints.
func number(console []byte, line *regexp.Regexp, base int) (uint64, error) {
	m := line.FindSubmatch(console)
	if m == nil {
		return 0, fmt.Errorf("the console has no line %q", line)
	}
	return strconv.ParseUint(string(m[1]), base, 64)
}

// printTable writes the rows for people.
func printTable(out io.Writer, rows []Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tticks\tpeer\tof the peer\t")
	for _, r := range rows {
		if r.Peer == 0 {
			fmt.Fprintf(w, "%s\t%d\t-\t-\t\n", r.Name, r.Ticks)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f %%\t\n", r.Name, r.Ticks, r.Peer, 100*float64(r.Ticks)/float64(r.Peer))
	}
	return w.Flush()
}

// printJSON writes the rows for programs.
func printJSON(out io.Writer, rows []Row) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
