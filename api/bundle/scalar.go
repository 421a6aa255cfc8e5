package bundle

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// The functions of this file read one scalar. After a problem they give the
// zero value; the bundle is refused anyway.

// scalar gives the text of a scalar that is there.
func (f field) scalar(what string) (string, bool) {
	if f.node.Kind != yaml.ScalarNode || f.node.ShortTag() == "!!null" {
		f.problem(ErrType, "found %s, expected %s", describe(f.node), what)
		return "", false
	}
	return f.node.Value, true
}

func (f field) text(what string) string {
	s, _ := f.scalar(what)
	return s
}

func (f field) boolean() bool {
	s, ok := f.scalar("true or false")
	if ok && s != "true" && s != "false" {
		f.problem(ErrType, "found %s, expected true or false", quote(s))
	}
	return s == "true"
}

// integer reads a decimal number from lo to hi.
func (f field) integer(lo, hi int) int {
	what := fmt.Sprintf("a number from %d to %d", lo, hi)
	s, ok := f.scalar(what)
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		f.problem(ErrType, "found %s, expected %s", quote(s), what)
		return 0
	case v < int64(lo) || v > int64(hi):
		f.problem(ErrValue, "found %d, expected %s", v, what)
		return 0
	}
	return int(v)
}

// size reads a number of bytes from lo to hi in steps of step.
func (f field) size(lo, hi, step uint64) uint64 {
	s, ok := f.scalar("a size such as 256M")
	if !ok {
		return 0
	}
	v, err := ParseSize(s)
	switch {
	case err != nil:
		f.problem(ErrValue, "%v", err)
		return 0
	case v < lo || v > hi:
		f.problem(ErrValue, "found %s, expected %s to %s", quote(s), FormatSize(lo), FormatSize(hi))
		return 0
	case v%step != 0:
		f.problem(ErrValue, "found %s, expected a multiple of %s", quote(s), FormatSize(step))
		return 0
	}
	return v
}

// duration reads a Go duration from 0 to hi.
func (f field) duration(hi time.Duration) time.Duration {
	s, ok := f.scalar("a time such as 2s")
	if !ok {
		return 0
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 || v > hi {
		f.problem(ErrValue, "found %s, expected a time with its unit, such as 500ms or 2s, from 0s to %v", quote(s), hi)
		return 0
	}
	return v
}

// choice reads one of a few words.
func choice[T ~string](f field, allowed ...T) T {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	what := "one of " + strings.Join(words, ", ")
	s, ok := f.scalar(what)
	if !ok {
		return ""
	}
	for _, a := range allowed {
		if string(a) == s {
			return a
		}
	}
	f.problem(ErrValue, "found %s, expected %s", quote(s), what)
	return ""
}

// word reads a name: a letter or digit, then letters, digits, '.', '_', '-'.
func (f field) word(limit int) string {
	what := fmt.Sprintf("a name of 1 to %d letters, digits, '.', '_' and '-' that begins with a letter or digit", limit)
	s, ok := f.scalar(what)
	if !ok {
		return ""
	}
	if len(s) > limit || !isWord(s) {
		f.problem(ErrValue, "found %s, expected %s", quote(s), what)
		return ""
	}
	return s
}

func isWord(s string) bool {
	for i, c := range []byte(s) {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return false
		}
	}
	return s != ""
}

// control reads a control character in caret notation: ^] is 0x1d.
func (f field) control() byte {
	const what = "a control character such as ^] (^A to ^Z, ^\\, ^], ^^, ^_)"
	s, ok := f.scalar(what)
	if !ok {
		return 0
	}
	if len(s) != 2 || s[0] != '^' || !(s[1] >= 'A' && s[1] <= 'Z' || s[1] >= '\\' && s[1] <= '_') {
		f.problem(ErrValue, "found %s, expected %s", quote(s), what)
		return 0
	}
	return s[1] & 0x1f
}

// file reads the name of a file and checks that the bundle has it.
func (f field) file() string {
	s, ok := f.scalar("the name of a file of the bundle")
	if !ok {
		return ""
	}
	name := cleanName(s)
	if name == "" || strings.HasPrefix(s, "/") || hasParent(s) || name == ConfigName {
		f.problem(ErrValue, "found %s, expected a path below the folder of %s", quote(s), ConfigName)
		return ""
	}
	if f.d.files == nil {
		return name
	}
	switch e, ok := f.d.files.lookup(name); {
	case !ok:
		f.problem(ErrNoFile, "%s", quote(s))
	case e.kind != kindFile:
		f.problem(ErrNoFile, "%s is a %v", quote(s), e.kind)
	case len(e.data) == 0:
		f.problem(ErrNoFile, "%s is empty", quote(s))
	}
	return name
}

func hasParent(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}
