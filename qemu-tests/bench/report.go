package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Report is all that one call has measured.
type Report struct {
	Date     string `json:"date"`
	Emulator string `json:"emulator"`
	Clock    string `json:"clock"` // what makes a tick one instruction
	Peer     string `json:"peer"`  // whose figures the rows have as the peer's
	Rows     []Row  `json:"rows"`
}

// problems counts the rows that could not be measured, and those that miss
// what they must reach.
func (r *Report) problems() (unmeasured, missed int) {
	for _, row := range r.Rows {
		switch {
		case row.Problem != "":
			unmeasured++
		case row.Missed:
			missed++
		}
	}
	return unmeasured, missed
}

// table writes the report for people. The mark at the end of a line says that
// the row misses its budget.
func (r *Report) table(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s, %s\n", r.Date, r.Emulator, r.Clock)
	if _, err := io.WriteString(out, r.lines()); err != nil {
		return err
	}
	unmeasured, missed := r.problems()
	fmt.Fprintf(out, "%d rows miss what they must reach, %d were not measured.\n", missed, unmeasured)
	fmt.Fprintln(out, "* not measured in this run; see docs/benchmarks.md")
	_, err := io.WriteString(out, r.reasons())
	return err
}

// reasons say why rows could not be measured: neighbours with the same reason
// in one line.
func (r *Report) reasons() string {
	var text strings.Builder
	for i, row := range r.Rows {
		if row.Problem == "" {
			continue
		}
		text.WriteString(row.Name)
		if i+1 < len(r.Rows) && r.Rows[i+1].Problem == row.Problem {
			text.WriteString(", ")
			continue
		}
		fmt.Fprintf(&text, ": %s\n", row.Problem)
	}
	return text.String()
}

// lines are the rows in columns.
func (r *Report) lines() string {
	width := 0
	for _, row := range r.Rows {
		width = max(width, len(row.Name))
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-*s\tmeasured\tmust\taim\t%s*\tratio\t\t\n", width, "row", r.Peer)
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%-*s\t%s\n", width, row.Name, row.cells())
	}
	_ = w.Flush() // a Builder takes everything
	var trimmed strings.Builder
	for line := range strings.Lines(text.String()) {
		trimmed.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return trimmed.String()
}

// cells are those of the table after the name, each ended by a tab.
func (r *Row) cells() string {
	measured, mark := number(&r.Value)+" "+r.Unit, ""
	switch {
	case r.Problem != "":
		measured, mark = "-", "not measured"
	case r.Missed:
		mark = "MISSED"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t", measured, number(r.Must), number(r.Aim), number(r.Peer), r.ratio(), mark)
}

// ratio writes Ratio with two decimals, or with one digit where these are 0.
func (r *Row) ratio() string {
	switch {
	case r.Ratio == nil:
		return "-"
	case *r.Ratio < 0.01:
		return strconv.FormatFloat(*r.Ratio, 'g', 1, 64)
	}
	return strconv.FormatFloat(*r.Ratio, 'f', 2, 64)
}

// number writes a figure with a decimal only where there is one.
func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(math.Round(*v*10)/10, 'f', -1, 64)
}

// json writes the report for programs.
func (r *Report) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
