package main

import (
	"fmt"
	"strings"
)

// options are the words of the kernel command line.
type options struct {
	mitigations string
	attach      bool
	metrics     bool // print lines for programs that measure
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
		default:
			problems = append(problems, fmt.Errorf("option %s is not known; there are panic, maxcpus, mitigations, attach and metrics", w))
		}
	}
	return opt, problems
}
