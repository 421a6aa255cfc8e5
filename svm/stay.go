package svm

import (
	"sync/atomic"

	"ringo/hv/vcpu"
)

var _ vcpu.Stayer = (*VCPU)(nil)

// InsideSince implements vcpu.Stayer: an entry notes the TSC in entered, and
// the exit behind it a later one in left.
func (v *VCPU) InsideSince() uint64 {
	c := v.c
	if c == nil || c.active.Load() == 0 {
		return 0
	}
	entered := atomic.LoadUint64(&c.entered)
	if entered <= atomic.LoadUint64(&c.left) {
		return 0
	}
	return entered
}
