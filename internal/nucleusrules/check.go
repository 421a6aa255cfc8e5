package nucleusrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Finding is one broken rule.
type Finding struct {
	Rule  Rule
	Where string   // the function that breaks it
	What  string   // the function called, the instruction, the numbers
	Chain []string // how a root leads there
}

// String is the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s (%s) in %s", f.Rule, f.What, strings.Join(f.Chain, " -> "), f.Where)
}

// Depth is the deepest stack below a root, in bytes, of those it has.
type Depth struct {
	Root        string
	Used, Limit int
	Chain       []string
}

// Report is what Check found.
type Report struct {
	Findings []Finding
	// Reached are all functions walked, in order.
	Reached []string
	// Checks counts the compiler's checks (index, length, division) whose
	// failure would stop the machine, by function.
	Checks map[string]int
	Depths []Depth
}

// Check walks from the roots and judges all that they reach. The error says
// that some function is not there or cannot be read.
func Check(source Source, rules *Rules) (*Report, error) {
	g, err := load(source, rules)
	if err != nil {
		return nil, err
	}
	r := &Report{Reached: slices.Sorted(maps.Keys(g.nodes)), Checks: map[string]int{}}
	always, early := g.chains(false), g.chains(true)
	for _, f := range g.found {
		f.Chain = chainOf(f.Where, always, early)
		r.Findings = append(r.Findings, f)
	}
	for _, name := range r.Reached {
		n := g.nodes[name]
		_, strict := always[name]
		r.judge(n, strict, rules, chainOf(name, always, early))
	}
	g.measure(r)
	return r, nil
}

// judge adds what one function breaks.
func (r *Report) judge(n *node, strict bool, rules *Rules, chain []string) {
	add := func(rule Rule, what string) {
		if strict || !relaxed[rule] {
			r.Findings = append(r.Findings, Finding{rule, n.Name, what, chain})
		}
	}
	for _, f := range n.Faults {
		if f.Rule != RuleExtended || !slices.Contains(rules.Extended, n.Name) {
			add(f.Rule, f.What)
		}
	}
	seen := map[string]bool{}
	for _, c := range n.calls {
		rule, _ := judge(c.To)
		if rule != "" && !seen[c.To] {
			seen[c.To] = true
			add(rule, "calls "+c.To)
		}
		if isCheck(c.To) {
			r.Checks[n.Name]++
		}
	}
}

// chains gives each function that the roots of one kind reach the one that
// leads to it, by the shortest way.
func (g *graph) chains(early bool) map[string]string {
	from := map[string]string{}
	var todo []string
	reach := func(name, by string) {
		if _, seen := from[name]; !seen && g.nodes[name] != nil {
			from[name] = by
			todo = append(todo, name)
		}
	}
	for _, root := range g.rules.Roots {
		if root.Early == early {
			reach(root.Name, "")
		}
	}
	for len(todo) > 0 {
		n := g.nodes[todo[0]]
		todo = todo[1:]
		for _, c := range n.calls {
			reach(c.To, n.Name)
		}
		for _, ref := range n.Refs {
			reach(ref, n.Name)
		}
	}
	return from
}

// chainOf is the way from a root to name, in the first map that has one.
func chainOf(name string, maps ...map[string]string) []string {
	for _, from := range maps {
		if _, ok := from[name]; !ok {
			continue
		}
		var chain []string
		for ; name != ""; name = from[name] {
			chain = append(chain, name)
		}
		slices.Reverse(chain)
		return chain
	}
	return []string{name}
}
