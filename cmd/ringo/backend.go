package main

import (
	"errors"
	"fmt"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/svm"
	"ringo/vmx"
)

// errWithout says that an option has no meaning on this processor.
var errWithout = errors.New("the option without= takes away features of VT-x, which this processor lacks; leave it out")

// openBackend chooses the backend for this processor by CPUID and turns it on.
// The error says why there is none; the node then comes up without.
func openBackend(opt options) (vcpu.Backend, error) {
	if vmx.Present() {
		b, err := vmx.New(vmx.Options{
			Mitigations: opt.mitigations, PatchText: nucleus.PatchText, Without: opt.without,
		})
		return enable("VT-x", b, err)
	}
	if len(opt.without) > 0 {
		return nil, errWithout
	}
	b, err := svm.New(svm.Options{Mitigations: opt.mitigations, PatchText: nucleus.PatchText})
	if errors.Is(err, svm.ErrNoSVM) {
		return nil, fmt.Errorf("the processor offers neither VT-x (CPUID 01H ECX bit 5) nor AMD-V: %w", err)
	}
	return enable("AMD-V", b, err)
}

// enable turns a backend on that was made without error.
func enable(name string, b vcpu.Backend, err error) (vcpu.Backend, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := b.EnableCPU(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}
