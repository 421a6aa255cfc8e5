package main

import (
	"fmt"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/svm"
)

// openBackend chooses the backend for this processor and turns it on. The
// error says why there is none; the node then comes up without.
func openBackend(opt options) (vcpu.Backend, error) {
	b, err := svm.New(svm.Options{Mitigations: opt.mitigations, PatchText: nucleus.PatchText})
	if err != nil {
		return nil, err
	}
	if err := b.EnableCPU(); err != nil {
		return nil, fmt.Errorf("AMD-V: %w", err)
	}
	return b, nil
}
