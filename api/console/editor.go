package console

import (
	"fmt"
	"strings"
)

const (
	prompt  = "ringo> "
	columns = 80
	// visible is how much of a line is shown; a longer one scrolls sideways.
	visible = columns - 1 - len(prompt)
	maxLine = 512

	bell       = "\a"
	eraseRight = "\x1b[K"
	eraseAll   = "\x1b[H\x1b[2J"
)

// editor edits one line. What the terminal must show for it goes to out.
type editor struct {
	keys     keyboard
	line     []byte
	at       int // the cursor
	history  history
	complete func(line string) (insert string, choices []string)
	out      strings.Builder
}

// press takes one byte. When it ends a line, that is the result.
func (e *editor) press(b byte) (line string, done bool) {
	k := e.keys.press(b)
	switch {
	case k == keyNone:
	case k == keyReturn, k == keyLineFeed:
		return e.enter(), true
	case k == keyTab:
		e.tab()
	case k >= ' ' && k < keyRubout:
		e.insert(string(rune(k)))
	default:
		e.edit(k)
	}
	return "", false
}

// flush gives what the terminal must show since the last call.
func (e *editor) flush() string {
	s := e.out.String()
	e.out.Reset()
	return s
}

// edit is a key that neither inserts nor ends the line.
func (e *editor) edit(k key) {
	switch k {
	case keyLeft, keyCtrlB:
		e.move(e.at - 1)
	case keyRight, keyCtrlF:
		e.move(e.at + 1)
	case keyHome, keyCtrlA:
		e.move(0)
	case keyEnd, keyCtrlE:
		e.move(len(e.line))
	case keyBackspace, keyRubout:
		e.remove(e.at-1, e.at)
	case keyDelete, keyCtrlD:
		e.remove(e.at, e.at+1)
	case keyCtrlW:
		e.remove(e.wordStart(), e.at)
	case keyCtrlU:
		e.remove(0, e.at)
	case keyCtrlK:
		e.remove(e.at, len(e.line))
	case keyUp, keyCtrlP:
		e.recall(e.history.older(string(e.line)))
	case keyDown, keyCtrlN:
		e.recall(e.history.newer())
	case keyCtrlC:
		e.out.WriteString("^C\r\n")
		e.replace("")
	case keyCtrlL:
		e.out.WriteString(eraseAll)
		e.draw()
	default:
		e.out.WriteString(bell)
	}
}

// enter ends the line.
func (e *editor) enter() string {
	line := string(e.line)
	e.out.WriteString("\r\n")
	e.history.add(strings.TrimSpace(line))
	e.line, e.at = e.line[:0], 0
	return line
}

// insert puts text at the cursor.
func (e *editor) insert(s string) {
	if len(e.line)+len(s) > maxLine {
		e.out.WriteString(bell)
		return
	}
	atEnd := e.at == len(e.line)
	e.line = append(e.line[:e.at], append([]byte(s), e.line[e.at:]...)...)
	e.at += len(s)
	if atEnd && len(e.line) <= visible {
		e.out.WriteString(s)
		return
	}
	e.draw()
}

// move puts the cursor somewhere.
func (e *editor) move(to int) {
	if to < 0 || to > len(e.line) {
		e.out.WriteString(bell)
		return
	}
	e.at = to
	e.draw()
}

// remove takes out line[from:to].
func (e *editor) remove(from, to int) {
	if from < 0 || to > len(e.line) || from == to {
		e.out.WriteString(bell)
		return
	}
	e.line = append(e.line[:from], e.line[to:]...)
	e.at = from
	e.draw()
}

// wordStart is where the word before the cursor starts.
func (e *editor) wordStart() int {
	at := e.at
	for at > 0 && e.line[at-1] == ' ' {
		at--
	}
	for at > 0 && e.line[at-1] != ' ' {
		at--
	}
	return at
}

func (e *editor) recall(line string, ok bool) {
	if !ok {
		e.out.WriteString(bell)
		return
	}
	e.replace(line)
}

// replace shows another line with the cursor at its end.
func (e *editor) replace(line string) {
	e.line = append(e.line[:0], line...)
	e.at = len(e.line)
	e.draw()
}

// tab completes the word before the cursor, or lists how it may go on.
func (e *editor) tab() {
	insert, choices := e.complete(string(e.line[:e.at]))
	switch {
	case insert != "":
		e.insert(insert)
	case len(choices) > 1:
		e.out.WriteString("\r\n" + strings.Join(choices, "  ") + "\r\n")
		e.draw()
	default:
		e.out.WriteString(bell)
	}
}

// draw shows prompt and line anew, with the cursor in its place.
func (e *editor) draw() {
	from := max(0, e.at-visible)
	to := min(len(e.line), from+visible)
	fmt.Fprintf(&e.out, "\r%s%s%s", prompt, e.line[from:to], eraseRight)
	if e.at < to {
		fmt.Fprintf(&e.out, "\r\x1b[%dC", len(prompt)+e.at-from)
	}
}
