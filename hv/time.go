package hv

// setTSC gives every vCPU the same guest TSC. One sample of the host's is taken
// for all, so that they agree to the tick.
func (b *board) setTSC(guest uint64) {
	b.stopTSC = b.vm.host.TSC()
	for _, c := range b.cpus {
		c.area.TSCOffset = guest - b.stopTSC
	}
}
