package svm

// This file is part of the loop in the nucleus: a guest whose time stamp
// counter runs at another rate than the host's.

import (
	"ringo/hv/vcpu"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// tscRatioOne is the ratio of guests whose counter runs at the host's rate. A
// VMArea.TSCRatio has the layout of the register.
const tscRatioOne = 1 << vcpu.TSCFraction

// tscRatio is the value of TSC_RATIO for the vCPU's VM.
func (c *vcpuMem) tscRatio() uint64 {
	if r := c.area.VMArea().TSCRatio; r != 0 {
		return r
	}
	return tscRatioOne
}

// useTSCRatio makes the CPU scale the TSC as the guest wants it. It has no
// effect on the host's (APM volume 2, section 15.30.5 "TSC Ratio MSR").
func (c *vcpuMem) useTSCRatio(p *perCPU) {
	if r := c.tscRatio(); p.tscRatio != r {
		reg.WriteMSR(x86.MSRTscRatio, r)
		p.tscRatio = r
	}
}
