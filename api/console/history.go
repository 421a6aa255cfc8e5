package console

// historySize bounds the lines that are kept.
const historySize = 100

// history is the lines typed before, and a place among them.
type history struct {
	lines []string
	at    int    // len(lines): the line that is being typed
	draft string // that line, while another is shown
}

// add keeps a line and goes back to the end.
func (h *history) add(line string) {
	n := len(h.lines)
	if line != "" && (n == 0 || h.lines[n-1] != line) {
		h.lines = append(h.lines, line)
	}
	if len(h.lines) > historySize {
		h.lines = append(h.lines[:0], h.lines[1:]...)
	}
	h.at, h.draft = len(h.lines), ""
}

// older gives the line before the one shown, which is current.
func (h *history) older(current string) (string, bool) {
	if h.at == 0 {
		return "", false
	}
	if h.at == len(h.lines) {
		h.draft = current
	}
	h.at--
	return h.lines[h.at], true
}

// newer gives the line after the one shown; the last is the draft.
func (h *history) newer() (string, bool) {
	if h.at == len(h.lines) {
		return "", false
	}
	h.at++
	if h.at == len(h.lines) {
		return h.draft, true
	}
	return h.lines[h.at], true
}
