package vmx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknownFeature says that a name is none of those that Options.Without
// takes.
var ErrUnknownFeature = errors.New("unknown VT-x feature")

// ParseWithout reads a list for Options.Without as a command line has it:
// names of Features as one word each, separated by commas.
func ParseWithout(list string) ([]string, error) {
	var names []string
	for _, w := range strings.Split(list, ",") {
		name, ok := findFeature(w)
		if !ok {
			return nil, fmt.Errorf("%w %q; there are %s", ErrUnknownFeature, w, strings.Join(Words(), ", "))
		}
		names = append(names, name)
	}
	return names, nil
}

// Features are the manual's names that Options.Without takes: the controls of
// each control field and what the capability MSRs say beside them.
func Features() []string {
	var names []string
	for _, f := range [...]*controlField{&pinField, &primaryField, &secondaryField, &exitField, &entryField} {
		for _, c := range f.controls {
			names = append(names, c.name)
		}
	}
	for _, c := range eptCapabilities {
		names = append(names, c.name)
	}
	return names
}

// Words are the same as one word each, sorted. Two controls may share one: the
// VM-exit and the VM-entry controls have some names in common.
func Words() []string {
	words := Features()
	for i, name := range words {
		words[i] = word(name)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// word is a feature's name in small letters with hyphens, without the verb
// that says no more than that the feature is used.
func word(name string) string {
	for _, verb := range [...]string{"enable ", "use ", "activate "} {
		name = strings.TrimPrefix(name, verb)
	}
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

func findFeature(w string) (name string, ok bool) {
	for _, name := range Features() {
		if word(name) == w {
			return name, true
		}
	}
	return "", false
}
