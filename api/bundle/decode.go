package bundle

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decoder turns YAML nodes into the types of this package and collects what
// is wrong on the way.
type decoder struct {
	files    *archive // nil: whether files are there is not checked
	problems Problems
}

// field is a YAML node and the key that leads to it.
type field struct {
	d    *decoder
	key  string
	node *yaml.Node
}

// key binds a key of a mapping to what reads its value.
type key[T any] struct {
	name string
	read func(f field, to *T)
}

func (f field) problem(err error, format string, args ...any) {
	f.d.problems = append(f.d.problems, &Problem{
		Line: f.node.Line, Key: f.key, Err: err, Msg: fmt.Sprintf(format, args...),
	})
}

// maxDepth bounds the nesting of the YAML; the schema needs 4.
const maxDepth = 32

// limits is the loader's plug-in that refuses deep nesting and every alias:
// the schema has no use for them and a few lines of them make gigabytes.
type limits struct{}

// CheckDepth refuses what is nested deeper than maxDepth.
func (limits) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	return nil
}

// CheckAlias refuses aliases.
func (limits) CheckAlias(aliases, _ int) error {
	if aliases > 0 {
		return errors.New("aliases are not allowed")
	}
	return nil
}

// parse gives the top node of the text, or nil after reporting a problem.
func (d *decoder) parse(text []byte) *yaml.Node {
	var doc yaml.Node
	err := yaml.Load(text, &doc, yaml.WithPlugin(limits{}))
	if err != nil {
		p := &Problem{Err: ErrSyntax, Msg: err.Error()}
		var le *yaml.LoadError
		if errors.As(err, &le) {
			p.Line, p.Msg = max(le.Mark.Line, le.ContextMark.Line), strings.TrimSpace(le.ContextMsg+" "+le.Message)
		}
		d.problems = append(d.problems, p)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		d.problems = append(d.problems, &Problem{Err: ErrSyntax, Msg: "it is empty; expected the keys node and vms"})
		return nil
	}
	return doc.Content[0]
}

// mapping reads a mapping by the table of its keys and gives the line of
// each key that it has.
func mapping[T any](f field, keys []key[T], to *T) map[string]int {
	if f.node.Kind != yaml.MappingNode {
		f.problem(ErrType, "found %s, expected a mapping of keys to values", describe(f.node))
		return nil
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		k, v := f.node.Content[i], f.node.Content[i+1]
		name := k.Value
		sub := field{f.d, joinKey(f.key, name), v}
		at := field{f.d, sub.key, k}
		entry := find(keys, name)
		switch {
		case k.Kind != yaml.ScalarNode:
			field{f.d, f.key, k}.problem(ErrType, "found %s where a key is expected", describe(k))
		case entry == nil:
			at.problem(ErrUnknownKey, "expected one of %s", names(keys))
		case lines[name] != 0:
			at.problem(ErrDuplicate, "the first time is in line %d", lines[name])
		default:
			lines[name] = k.Line
			entry.read(sub, to)
		}
	}
	return lines
}

func find[T any](keys []key[T], name string) *key[T] {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

func names[T any](keys []key[T]) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return strings.Join(list, ", ")
}

// list gives the elements of a sequence, at most limit.
func (f field) list(limit int) []field {
	if f.node.Kind != yaml.SequenceNode {
		f.problem(ErrType, "found %s, expected a list", describe(f.node))
		return nil
	}
	if n := len(f.node.Content); n > limit {
		f.problem(ErrTooMuch, "%d entries, at most %d are allowed", n, limit)
		return nil
	}
	var fields []field
	for i, n := range f.node.Content {
		fields = append(fields, field{f.d, fmt.Sprintf("%s[%d]", f.key, i), n})
	}
	return fields
}

func joinKey(prefix, name string) string {
	if len(name) > 40 {
		name = name[:40] + "..." // not more of a damaged file than a message bears
	}
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

// describe names a node for "found ...".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return "nothing"
		}
		return quote(n.Value)
	}
	return "an alias"
}

// quote shows a value, cut to a length that a message bears.
func quote(s string) string {
	if len(s) > 64 {
		return fmt.Sprintf("%q...", s[:64])
	}
	return fmt.Sprintf("%q", s)
}
