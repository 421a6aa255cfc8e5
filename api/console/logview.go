package console

import (
	"fmt"
	"strings"

	"ringo/api/node"
)

// maxBurst bounds the lines of the log that come by themselves at once.
const maxBurst = 50

// logLine is an entry for people; the time, in UTC, is in the layout given.
func logLine(e *node.Entry, layout string) string {
	text := strings.ReplaceAll(e.Text, "\n", "\n    ")
	if e.Repeats > 0 {
		text += fmt.Sprintf(" (%d times more)", e.Repeats)
	}
	return fmt.Sprintf("%s %-5s %s\n", e.Time.UTC().Format(layout), e.Level, text)
}

// news gives the lines of the log since the last call, from a level on.
func (k *Console) news(least node.Level) string {
	var lines []string
	for _, e := range k.cfg.Node.Log().Since(k.seen) {
		k.seen = e.Seq + 1
		if e.Level >= least {
			lines = append(lines, logLine(&e, "15:04:05"))
		}
	}
	skipped := ""
	if n := len(lines) - maxBurst; n > 0 {
		lines = lines[n:]
		skipped = fmt.Sprintf("(%d earlier lines; see log)\n", n)
	}
	return skipped + strings.Join(lines, "")
}
