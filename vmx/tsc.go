package vmx

// This file is part of the loop in the nucleus: a guest whose time stamp
// counter runs at another rate than the host's.

import "ringo/hv/vcpu"

// multiplierShift makes the multiplier, which has 48 fraction bits, of a ratio.
const multiplierShift = 48 - vcpu.TSCFraction

// scaleTSC turns TSC scaling on for a VM that asks for it (SDM volume 3C,
// section 26.3 "Changes to Instruction Behavior in VMX Non-Root Operation").
func (c *vcpuMem) scaleTSC() {
	ratio := c.area.VMArea().TSCRatio
	if ratio == 0 {
		return
	}
	c.setSecondary(SecondaryTSCScaling, true)
	vmwrite(uint64(FieldTSCMultiplier), ratio<<multiplierShift)
}
