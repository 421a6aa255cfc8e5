package nucleusrules

import (
	"fmt"
	"slices"
	"strings"
)

// extent is how much stack a function takes with all that it calls.
type extent struct {
	bytes int
	via   string // the callee on the deepest way, "" if it is the function itself
	on    int    // which of the callee's stacks
}

// extents are for the stack of the entry and for the one switched to.
type extents [2]extent

// meter measures each function once.
type meter struct {
	*graph
	done  map[string]extents
	stack []string // functions under measurement, for recursion
	found []Finding
}

// measure adds the depths below all roots, those too deep, and recursion.
func (g *graph) measure(r *Report) {
	m := &meter{graph: g, done: map[string]extents{}}
	for _, root := range g.rules.Roots {
		e := m.extents(root.Name)
		r.check(root, m, 0, root.Used+e[0].bytes, root.Stack)
		r.check(root, m, 1, e[1].bytes, root.Other)
	}
	r.Findings = append(r.Findings, m.found...)
}

// check compares the depth on one of a root's stacks with the stack's size.
func (r *Report) check(root Root, m *meter, on, used, limit int) {
	if used == 0 || limit == 0 && used == root.Used {
		return
	}
	d := Depth{root.Name, used, limit, m.chain(root.Name, on)}
	r.Depths = append(r.Depths, d)
	if used > limit {
		what := fmt.Sprintf("%d bytes of %d", used, limit)
		r.Findings = append(r.Findings, Finding{RuleStack, d.Chain[len(d.Chain)-1], what, d.Chain})
	}
}

// extents measures a function. What the walk stops at counts nothing beyond
// its return address, and a function that calls itself counts once.
func (m *meter) extents(name string) extents {
	n := m.nodes[name]
	if n == nil {
		return extents{}
	}
	if e, ok := m.done[name]; ok {
		return e
	}
	if i := slices.Index(m.stack, name); i >= 0 {
		loop := append(slices.Clone(m.stack[i:]), name)
		m.found = append(m.found, Finding{RuleRecursion, name, strings.Join(loop, " -> "), m.stack[:i:i]})
		return extents{}
	}
	m.stack = append(m.stack, name)
	e := extents{{bytes: n.Own + m.rules.Patched[name]}, {bytes: n.Other}}
	for _, c := range n.calls {
		e.add(c, m.extents(c.To))
	}
	m.stack = m.stack[:len(m.stack)-1]
	m.done[name] = e
	return e
}

// add counts a call: what the callee has on the stack it is entered on comes
// on top of the caller's, and what it has on another one stands for itself.
func (e *extents) add(c Call, callee extents) {
	on := 0
	if c.Other {
		on = 1
	}
	e[on].atLeast(extent{c.Depth + callee[0].bytes, c.To, 0})
	e[1].atLeast(extent{callee[1].bytes, c.To, 1})
}

func (e *extent) atLeast(other extent) {
	if other.bytes > e.bytes {
		*e = other
	}
}

// chain is the way to the deepest place below a function.
func (m *meter) chain(name string, on int) []string {
	chain := []string{name}
	for len(chain) <= len(m.nodes) {
		e := m.done[name][on]
		if e.via == "" || m.nodes[e.via] == nil {
			break
		}
		name, on = e.via, e.on
		chain = append(chain, name)
	}
	return chain
}
