package vcpu

// Sharer is a further ability of a VCPU: its share of CPU time can be set. A
// backend whose vCPUs are scheduled by the nucleus has it.
type Sharer interface {
	// SetShare sets the share against other guests (100 is usual) and the
	// part of one CPU in percent that the vCPU may use, 0 for all of it. It
	// is called while the vCPU is outside Run.
	SetShare(weight, capPercent uint32)
}
