package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// Report is all that one call has measured.
type Report struct {
	Date     string `json:"date"`
	Emulator string `json:"emulator"`
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
	fmt.Fprintf(out, "%s, %s, -icount shift=0\n", r.Date, r.Emulator)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "row\tmeasured\tmust\taim\tKVM+QEMU*\tratio\t\t")
	for _, row := range r.Rows {
		fmt.Fprintln(w, row.line())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	unmeasured, missed := r.problems()
	fmt.Fprintf(out, "%d rows miss what they must reach, %d were not measured.\n", missed, unmeasured)
	fmt.Fprintln(out, "* not measured in this run; see docs/benchmarks.md")
	for _, row := range r.Rows {
		if row.Problem != "" {
			fmt.Fprintf(out, "%s: %s\n", row.Name, row.Problem)
		}
	}
	return nil
}

// line is a row of the table, its cells ended by tabs.
func (r *Row) line() string {
	measured, mark := number(&r.Value)+" "+r.Unit, ""
	switch {
	case r.Problem != "":
		measured, mark = "-", "not measured"
	case r.Missed:
		mark = "MISSED"
	}
	ratio := "-"
	if r.Ratio != nil {
		ratio = strconv.FormatFloat(*r.Ratio, 'f', 2, 64)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t", r.Name, measured, number(r.Must), number(r.Aim), number(r.Peer), ratio, mark)
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
