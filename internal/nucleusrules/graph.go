package nucleusrules

import (
	"fmt"
	"maps"
	"slices"
)

// node is a function on the walk.
type node struct {
	*Function
	calls []Call // with targets; an indirect call is one for each
}

// graph is all that the roots reach, leaves and ends excluded.
type graph struct {
	source Source
	rules  *Rules
	nodes  map[string]*node
	found  []Finding // calls without a target
}

// load walks from the roots, then explains the indirect calls.
func load(source Source, rules *Rules) (*graph, error) {
	g := &graph{source: source, rules: rules, nodes: map[string]*node{}}
	var todo []string
	for _, r := range rules.Roots {
		todo = append(todo, r.Name)
	}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if g.nodes[name] != nil || g.stopsAt(name) {
			continue
		}
		f, err := source.Function(name)
		if err != nil {
			return nil, err
		}
		n := &node{Function: f}
		g.nodes[name] = n
		g.resolve(n)
		for _, c := range n.calls {
			todo = append(todo, c.To)
		}
		todo = append(todo, f.Refs...)
	}
	g.passParameters()
	return g, nil
}

// stopsAt tells whether the walk goes no further than to this function.
func (g *graph) stopsAt(name string) bool {
	_, leaf := judge(name)
	return leaf || slices.Contains(g.rules.Ends, name)
}

// resolve gives direct calls and those through variables their targets.
func (g *graph) resolve(n *node) {
	for _, c := range n.Calls {
		targets, known := g.rules.Variables[c.Through]
		switch {
		case c.To != "":
			n.calls = append(n.calls, c)
		case c.Through != "" && known:
			n.calls = append(n.calls, withTargets(c, targets)...)
		case c.Through != "":
			g.unexplained(n, c, "through the variable "+c.Through)
		case slices.Contains(g.rules.Parameters, n.Name), slices.Contains(g.rules.Leaves, n.Name):
		default:
			g.unexplained(n, c, "of a parameter or a computed address")
		}
	}
}

func withTargets(c Call, targets []string) []Call {
	var list []Call
	for _, to := range targets {
		c.To = to
		list = append(list, c)
	}
	return list
}

func (g *graph) unexplained(n *node, c Call, what string) {
	g.found = append(g.found, Finding{Rule: RuleIndirect, Where: n.Name, What: fmt.Sprintf("at %#x, %s", c.Site, what)})
}

// passParameters gives the functions of Rules.Parameters their targets. They
// are in the graph already: a caller that takes an address leads to it.
func (g *graph) passParameters() {
	for _, name := range g.rules.Parameters {
		n := g.nodes[name]
		if n == nil {
			continue
		}
		targets := g.passedTo(name, map[string]bool{})
		for _, c := range n.Calls {
			if c.To != "" || c.Through != "" {
				continue
			}
			if len(targets) == 0 {
				g.unexplained(n, c, "of a parameter, for which no caller takes a function's address")
			}
			n.calls = append(n.calls, withTargets(c, targets)...)
		}
	}
}

// passedTo gives all functions whose addresses are taken by those that call
// or make the function of that name, or by those that gave them to these.
// seen are the functions that were asked about already.
func (g *graph) passedTo(name string, seen map[string]bool) []string {
	seen[name] = true
	set := map[string]bool{}
	for _, n := range g.nodes {
		calls := slices.ContainsFunc(n.calls, func(c Call) bool { return c.To == name })
		if !calls && !slices.Contains(n.Refs, name) {
			continue
		}
		given := n.Refs
		if !seen[n.Name] && slices.Contains(g.rules.Parameters, n.Name) {
			given = append(g.passedTo(n.Name, seen), given...)
		}
		for _, ref := range given {
			if ref != name && g.nodes[ref] != nil {
				set[ref] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
