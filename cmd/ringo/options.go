package main

import (
	"fmt"
	"strings"

	"ringo/vmx"
)

// options are the words of the kernel command line.
type options struct {
	mitigations string
	attach      bool
	metrics     bool     // print lines for programs that measure
	without     []string // VT-x features that count as absent
}

// parseOptions reads the words. What it does not understand is an error each,
// and the defaults hold.
func parseOptions(words []string) (options, []error) {
	opt := options{mitigations: "auto", attach: true}
	var problems []error
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "panic", "maxcpus": // the nucleus has read them
		case "BOOT_IMAGE", "initrd": // boot loaders add them
		case "metrics":
			opt.metrics = true
		case "mitigations":
			opt.mitigations = value
		case "attach":
			switch value {
			case "yes", "no":
				opt.attach = value == "yes"
			default:
				problems = append(problems, fmt.Errorf("option %s: attach takes yes or no", w))
			}
		case "without":
			names, err := vmx.ParseWithout(value)
			if err != nil {
				problems = append(problems, fmt.Errorf("option %s: %w", w, err))
			}
			opt.without = append(opt.without, names...)
		default:
			problems = append(problems, fmt.Errorf("option %s is not known; there are panic, maxcpus, mitigations, attach, metrics and without", w))
		}
	}
	return opt, problems
}
