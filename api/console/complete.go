package console

import (
	"slices"
	"strings"
)

// complete says how the last word of a line may go on: the text to insert, or
// all choices if nothing is common to them.
func (k *Console) complete(line string) (insert string, choices []string) {
	words := strings.Fields(line)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(line, " ") {
		last = words[len(words)-1]
		words = words[:len(words)-1]
	}
	for _, word := range k.candidates(words) {
		if strings.HasPrefix(word, last) {
			choices = append(choices, word)
		}
	}
	slices.Sort(choices)
	choices = slices.Compact(choices)
	switch len(choices) {
	case 0:
		return "", nil
	case 1:
		return choices[0][len(last):] + " ", nil
	}
	return commonPrefix(choices)[len(last):], choices
}

// candidates are the words that may follow words.
func (k *Console) candidates(words []string) (next []string) {
	for i := range commands {
		c := &commands[i]
		name := strings.Fields(c.name)
		switch {
		case len(words) < len(name):
			if slices.Equal(words, name[:len(words)]) {
				next = append(next, name[len(words)])
			}
		case slices.Equal(words[:len(name)], name):
			if n := len(words) - len(name); n < len(c.args) {
				next = append(next, k.values(c.args[n].kind)...)
			}
		}
	}
	return next
}

// values are all that an argument may be.
func (k *Console) values(kind argKind) (all []string) {
	switch kind {
	case argVM:
		for _, v := range k.cfg.Node.VMs() {
			all = append(all, v.Name())
		}
	case argCommand:
		for i := range commands {
			word, _, _ := strings.Cut(commands[i].name, " ")
			all = append(all, word)
		}
	}
	return all
}

// commonPrefix is what all of some words start with.
func commonPrefix(words []string) string {
	p := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, p) {
			p = p[:len(p)-1]
		}
	}
	return p
}
