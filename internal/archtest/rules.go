package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// room is a folder with all below it, unless that has a row of its own. A
// package imports from its own room and from rooms of lower levels only.
type room struct {
	path  string
	level int
}

// rooms is the picture of docs/architecture.md, from the top down.
var rooms = []room{
	{"cmd", 10}, {"qemu-tests", 9}, {"internal", 9},
	{"api", 8}, {"cluster", 8},
	{"cluster/migrate", 7},
	{"hv", 6}, {"vmx", 6}, {"svm", 6}, {"hv/hvtest", 6},
	{"devices", 5}, {"boot", 5}, {"storage", 5}, {"network", 5}, {"drivers", 5},
	{"hv/vcpu", 4}, {"snapshot", 4},
	{"nucleus", 3}, {"memory/ept", 3}, {"memory/npt", 3},
	{"memory", 2}, {"x86/insn", 2}, {"x86/asm", 2},
	{"x86", 1}, {"nucleus/reg", 1},
}

// roomOf finds the room with the longest path that holds the package.
func roomOf(pkg string) (room, bool) {
	var best room
	for _, r := range rooms {
		if within(pkg, r.path) && len(r.path) > len(best.path) {
			best = r
		}
	}
	return best, best.path != ""
}

// within says whether a package is the folder or below it.
func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

// nucleusUsers are all that may import it. The rest of the project
// builds and runs on plain Linux.
var nucleusUsers = []string{"cmd/ringo", "vmx", "svm", "drivers", "boot/entry", "nucleus", "qemu-tests/image"}

// nucleusUses is all that the nucleus may import beside the standard
// library. Its paths begin with the module or a host.
var nucleusUses = []string{
	Module + "/memory", Module + "/x86", Module + "/nucleus", Module + "/nucleus/reg",
	"gvisor.dev/gvisor/pkg/abi/linux",
}

// leaves import nothing of the project but what is named here.
var leaves = map[string][]string{
	"x86":         {},
	"x86/asm":     {"x86"},
	"x86/insn":    {"x86"},
	"nucleus/reg": {},
	"memory":      {"x86"},
	"snapshot":    {},
	"api/bundle":  {},
}

// Check gives every import of the graph that the architecture forbids.
func Check(graph []Package) []string {
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range graph {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	var wrong []string
	for _, p := range graph {
		from, ok := local(p.ImportPath)
		if !ok {
			continue
		}
		if _, ok := roomOf(from); !ok {
			wrong = append(wrong, fmt.Sprintf("%s is in no room; give it one in archtest and docs/architecture.md", from))
			continue
		}
		for _, imported := range p.Imports {
			if why := forbidden(from, imported, standard[imported]); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", from, imported, why))
			}
		}
	}
	return wrong
}

// forbidden says why a package must not import another; "" if it may.
func forbidden(from, imported string, standard bool) string {
	if within(from, "nucleus") && !standard && !slices.Contains(nucleusUses, imported) {
		return "the nucleus imports only " + strings.Join(nucleusUses, ", ")
	}
	to, ok := local(imported)
	if !ok {
		return ""
	}
	return forbiddenLocal(from, to)
}

// forbiddenLocal judges an import between two packages of the project.
func forbiddenLocal(from, to string) string {
	a, _ := roomOf(from)
	b, ok := roomOf(to)
	if !ok {
		return "it is in no room"
	}
	if allowed, leaf := leaves[a.path]; leaf && a != b && !slices.Contains(allowed, b.path) {
		return fmt.Sprintf("%s may import only %q of the project", a.path, allowed)
	}
	inside := func(folder string) bool { return within(from, folder) }
	switch {
	case within(to, "nucleus") && !slices.ContainsFunc(nucleusUsers, inside):
		return "only " + strings.Join(nucleusUsers, ", ") + " may import the nucleus"
	case a == b:
		return ""
	case a.level == b.level:
		return fmt.Sprintf("%s and %s are siblings", a.path, b.path)
	case a.level < b.level:
		return fmt.Sprintf("%s is above %s", b.path, a.path)
	}
	return ""
}
