package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// compare writes saved reports side by side, as a table in Markdown.
func compare(out io.Writer, names []string) error {
	reports := make([]*Report, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &reports[i]); err != nil {
			return fmt.Errorf("%s: not what --json writes: %w", name, err)
		}
	}
	_, err := io.WriteString(out, sideBySide(reports))
	return err
}

// sideBySide has a line for each row that one of the reports has.
func sideBySide(reports []*Report) string {
	var text strings.Builder
	text.WriteString("| Row |")
	for _, r := range reports {
		fmt.Fprintf(&text, " %s | must | aim | %s* | ratio |", r.Emulator, r.Peer)
	}
	text.WriteString("\n|---|" + strings.Repeat("--:|", 5*len(reports)) + "\n")
	for _, name := range allRows(reports) {
		fmt.Fprintf(&text, "| %s |", name)
		for _, r := range reports {
			i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == name })
			if i < 0 {
				text.WriteString(strings.Repeat(" |", 5))
				continue
			}
			text.WriteString(r.Rows[i].markdown())
		}
		text.WriteString("\n")
	}
	return text.String()
}

// allRows are the rows of all reports. One that the first reports lack comes
// after the row that it follows in its own.
func allRows(reports []*Report) []string {
	var names []string
	for _, r := range reports {
		at := 0
		for _, row := range r.Rows {
			if i := slices.Index(names, row.Name); i >= 0 {
				at = i + 1
				continue
			}
			names = slices.Insert(names, at, row.Name)
			at++
		}
	}
	return names
}

// markdown gives the row's cells; what misses its budget is in bold.
func (r *Row) markdown() string {
	measured := strings.TrimSpace(number(&r.Value) + " " + r.Unit)
	switch {
	case r.Problem != "":
		measured = "not measured"
	case r.Missed:
		measured = "**" + measured + "**"
	}
	cells := ""
	for _, cell := range []string{measured, number(r.Must), number(r.Aim), number(r.Peer), r.ratio()} {
		if cell == "-" {
			cell = ""
		}
		cells += " " + cell + " |"
	}
	return cells
}
