package vmx

import (
	"ringo/memory"
	"ringo/nucleus"
)

// The nucleus's services for the Go side. Tests replace them; the loop calls
// the nucleus directly.
var (
	allocContiguous = nucleus.AllocContiguous
	freeContiguous  = nucleus.FreeContiguous
	frames          = func() memory.PageAllocator { return nucleus.Frames() }
	enterGuest      = (*nucleus.Guest).Enter
	kickGuest       = (*nucleus.Guest).Kick
	tscFrequency    = nucleus.TSCFrequency
	onEachCPU       = nucleus.OnEachCPU
)
