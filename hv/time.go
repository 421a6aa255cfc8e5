package hv

import "ringo/hv/vcpu"

// setTSC gives every vCPU the same guest TSC. One sample of the host's is taken
// for all, so that they agree to the tick.
func (b *board) setTSC(guest uint64) {
	b.stopTSC = b.vm.host.TSC()
	for _, c := range b.cpus {
		c.area.SetGuestTSC(guest, b.stopTSC)
	}
}

// tscTolerance is how far two TSC frequencies may differ, as a part, and count
// as the same: measured frequencies are never quite the same.
const tscTolerance = 1000

// sameTSC tells whether hz and other are one frequency, measured twice.
func sameTSC(hz, other uint64) bool {
	return max(hz, other)-min(hz, other) <= hz/tscTolerance
}

// followTSC makes the TSC of a VM that has not run here yet advance at hz. It
// reports false if this host cannot do that; the guest's runs at the host's
// rate then.
func (b *board) followTSC(hz uint64) (bool, error) {
	here := b.vm.host.TSCHz
	if sameTSC(hz, here) {
		return true, nil
	}
	ratio := vcpu.TSCRatio(hz, here)
	if ratio == 0 || !b.vm.host.Backend.Caps().TSCScaling {
		return false, nil
	}
	b.tscHz = hz
	b.backVM.Area().TSCRatio = ratio
	b.parts.clock.SetTSCHz(hz)
	b.policy = b.policy.WithTSC(hz)
	for _, c := range b.cpus {
		if err := c.fillCPUID(); err != nil {
			return false, err
		}
	}
	return true, nil
}
