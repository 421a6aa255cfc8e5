package qemutests

import (
	"fmt"
	"io"
	"strings"
)

// maxLine bounds what is kept of one line; a guest may print without end.
const maxLine = 64 << 10

// maxLog bounds the log of one run.
const maxLog = 32 << 20

// keepLines is how much of the console a failure shows: whoever reads it may
// not have the log.
const keepLines = 40

// console follows the output of an emulator. It is written to by one
// goroutine, the one that reads the emulator's pipe.
type console struct {
	c     *compiled
	log   io.Writer // gets all of the output, up to maxLog
	input io.Writer // what the script types

	logged int
	recent []string // the last whole lines, at most keepLines
	line   []byte   // of the current line
	from   int      // where in the line the next step may match
	step   int      // next step of the script
	err    error    // a forbidden line, or input that failed
	done   bool     // every step has been seen
}

// Write takes output and plays the script. It never fails: the emulator must
// not stop for a full log.
func (k *console) Write(p []byte) (int, error) {
	k.record(p)
	for _, b := range p {
		switch {
		case b == '\r' || b == 0:
		case b == '\n':
			k.play()
			k.forbidden()
			k.keep()
			k.line, k.from = k.line[:0], 0
		case len(k.line) < maxLine:
			k.line = append(k.line, b)
		}
	}
	k.play() // a prompt ends without a new line
	return len(p), nil
}

// keep remembers the current line.
func (k *console) keep() {
	if len(k.recent) == keepLines {
		k.recent = append(k.recent[:0], k.recent[1:]...)
	}
	k.recent = append(k.recent, clip(string(k.line)))
}

func (k *console) record(p []byte) {
	n := min(len(p), maxLog-k.logged)
	k.logged += n
	_, _ = k.log.Write(p[:n])
}

// play looks for the next steps in the current line and answers them.
func (k *console) play() {
	for k.step < len(k.c.expect) {
		at := k.c.expect[k.step].FindIndex(k.line[k.from:])
		if at == nil {
			return
		}
		k.from += at[1]
		send := k.c.send[k.step]
		k.step++
		if send != "" {
			if _, err := io.WriteString(k.input, send); err != nil && k.err == nil {
				k.err = fmt.Errorf("typing %q: %w", send, err)
			}
		}
	}
	k.done = true
}

// forbidden checks a whole line.
func (k *console) forbidden() {
	for _, re := range k.c.forbid {
		if k.err == nil && re.Match(k.line) {
			k.err = fmt.Errorf("the console shows %q, which matches %q", clip(string(k.line)), re)
		}
	}
}

// finish checks the last line, which may lack its end, and says what is
// missing.
func (k *console) finish() error {
	k.forbidden()
	if k.err == nil && !k.done {
		k.err = fmt.Errorf("step %d of %d never appeared: %q (last line: %q)",
			k.step+1, len(k.c.expect), k.c.expect[k.step], clip(string(k.line)))
	}
	return k.err
}

// clip shortens text for a message.
func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}
