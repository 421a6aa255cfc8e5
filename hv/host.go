package hv

import (
	"fmt"
	"time"

	"ringo/devices"
	"ringo/devices/clock"
	"ringo/hv/vcpu"
	"ringo/memory"
)

// Host is what a VM needs from the machine that it runs on. One Host serves
// every VM of a node; all of its parts may be used by several at once.
type Host struct {
	Backend vcpu.Backend
	Frames  memory.PageAllocator
	// NewClock makes the clock of one VM's devices, running; onPanic takes
	// the value of a panic in a timer's function. Nil means a clock over Go's
	// own (devices/clock).
	NewClock func(onPanic func(any)) Clock
	// TSCHz is the host's time stamp counter's frequency in Hz.
	TSCHz uint64
	// TSC reads the host's time stamp counter.
	TSC func() uint64
	// CPUID executes CPUID on the host.
	CPUID func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
	// Log takes one line for the node's log.
	Log func(format string, args ...any)
}

// Clock is a devices.Clock that its VM can stop and set.
type Clock interface {
	devices.Clock
	Pause()
	Resume()
	// Set moves a stopped clock to the time of a restored VM.
	Set(now time.Duration)
}

// newClock makes the clock of one VM, stopped.
func (h *Host) newClock(onPanic func(any)) Clock {
	var c Clock
	if h.NewClock != nil {
		c = h.NewClock(onPanic)
	} else {
		c = clock.NewReal(onPanic)
	}
	c.Pause()
	c.Set(0)
	return c
}

func (h *Host) check() error {
	switch {
	case h.Backend == nil:
		return fmt.Errorf("%w: the host has no backend to run guests with", ErrConfig)
	case h.Frames == nil, h.TSC == nil, h.CPUID == nil, h.Log == nil:
		return fmt.Errorf("%w: the host lacks frames, TSC, CPUID or log", ErrConfig)
	case h.TSCHz == 0:
		return fmt.Errorf("%w: the frequency of the host's TSC is not known", ErrConfig)
	}
	return nil
}
