package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What can be wrong with a bundle. Errors of this package wrap one of these.
var (
	ErrArchive    = errors.New("broken archive")
	ErrNoConfig   = errors.New("no " + ConfigName)
	ErrSyntax     = errors.New("not valid YAML")
	ErrUnknownKey = errors.New("unknown key")
	ErrDuplicate  = errors.New("given twice")
	ErrType       = errors.New("wrong type")
	ErrValue      = errors.New("bad value")
	ErrMissing    = errors.New("missing key")
	ErrNoFile     = errors.New("no such file in the bundle")
	ErrTooMuch    = errors.New("too much")
)

// maxProblems bounds a report: who has made this many mistakes reads the
// first ones and tries again.
const maxProblems = 50

// Problem is one thing that is wrong in ringo.yaml.
type Problem struct {
	Line int    // from 1; 0: the file as a whole
	Key  string // such as vms[0].memory; "": the file as a whole
	Msg  string // what was found and what is allowed
	Err  error  // its kind, one of this package's sentinels
}

// Error gives "ringo.yaml:12: vms[0].memory: ...".
func (p *Problem) Error() string {
	var s strings.Builder
	s.WriteString(ConfigName)
	if p.Line > 0 {
		fmt.Fprintf(&s, ":%d", p.Line)
	}
	if p.Key != "" {
		s.WriteString(": " + p.Key)
	}
	fmt.Fprintf(&s, ": %v: %s", p.Err, p.Msg)
	return s.String()
}

// Unwrap gives the kind of the problem.
func (p *Problem) Unwrap() error { return p.Err }

// Problems is everything that is wrong in ringo.yaml.
type Problems []*Problem

// Error gives one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each problem.
func (ps Problems) Unwrap() []error {
	list := make([]error, len(ps))
	for i, p := range ps {
		list[i] = p
	}
	return list
}

// sorted puts problems in the order of their lines and cuts a long report.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(x, y *Problem) int { return x.Line - y.Line })
	if len(ps) <= maxProblems {
		return ps
	}
	left := len(ps) - maxProblems
	return append(ps[:maxProblems:maxProblems], &Problem{
		Line: ps[maxProblems].Line, Err: ErrTooMuch,
		Msg: fmt.Sprintf("%d further problems are not shown", left),
	})
}

// position says where a VM's keys stand in ringo.yaml.
type position struct {
	prefix string         // vms[3]
	line   int            // of the definition
	lines  map[string]int // by key without the prefix
}

// Problem makes an error about a key of the VM's definition, for those who
// find out later that a value cannot be served: v.Problem("memory",
// ErrTooMuch, "asked 8 GiB, the node has 2 GiB"). For a key that ringo.yaml
// does not give, the line is that of the definition.
func (v *VM) Problem(key string, err error, format string, args ...any) *Problem {
	line, ok := v.at.lines[key]
	if !ok {
		line = v.at.line
	}
	full := v.at.prefix
	if key != "" {
		full += "." + key
	}
	return &Problem{Line: line, Key: full, Err: err, Msg: fmt.Sprintf(format, args...)}
}
