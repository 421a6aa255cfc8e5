package hv

import (
	"errors"
	"fmt"
	"sync/atomic"

	"ringo/boot/layout"
	"ringo/devices"
	"ringo/hv/cpuid"
	"ringo/hv/msr"
	"ringo/hv/vcpu"
	"ringo/memory"
)

// board is the hardware of one VM while it is on: memory, vCPUs and devices.
// Its methods are called by the VM's owner, one at a time, unless they say
// otherwise.
type board struct {
	vm     *VM
	policy *cpuid.Policy
	efer   uint64 // bits that the guest may set in EFER
	cr4    uint64 // and in CR4
	clock  Clock
	gate   *gate
	stage2 memory.Stage2
	layout *layout.Layout
	space  *memory.Space
	backVM vcpu.VM
	pio    *devices.Bus
	mmio   *devices.Bus
	cpus   []*cpu
	parts  *parts             // the devices by name
	all    []devices.Device   // the devices in the order of their start
	waker  func(a *vcpu.Area) // wake, as a value that is made only once

	unknown msr.Counter // accesses to MSRs that do not exist

	ended    atomic.Bool // the VM ends or resets by itself; only one does
	expired  atomic.Bool // the run-until deadline was seen
	poisoned atomic.Bool // a device or vCPU failed halfway: use nothing again
	starving atomic.Bool // a vCPU had to wait for memory
}

// APIC timer ticks are nanoseconds (vcpu.VMArea.TSCPerSec).
const apicTimerHz = 1_000_000_000

// newPolicy is what CPUID answers in a VM of that definition.
func newPolicy(h *Host, c *Config) (*cpuid.Policy, error) {
	p, err := cpuid.New(h.CPUID, cpuid.Config{
		VCPUs: c.VCPUs, Hide: c.HideCPUID, TSCHz: h.TSCHz, APICHz: apicTimerHz,
		PhysAddrBits: h.Backend.Caps().PhysAddrBits,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: VM %s: %w", ErrConfig, c.Name, err)
	}
	return p, nil
}

// stats adds up the counters of all vCPUs. Any goroutine may call it.
func (b *board) stats() Stats {
	s := Stats{
		UnknownMSRs: b.unknown.Total(), UnclaimedPIO: b.pio.Unclaimed(), UnclaimedMMIO: b.mmio.Unclaimed(),
		Tables: b.stage2.Tables(),
	}
	for _, c := range b.cpus {
		s.add(c.area)
	}
	return s
}

// close frees everything. A poisoned board keeps its memory for good, since
// somebody may still be at work in it.
func (b *board) close() error {
	if b.poisoned.Load() {
		return fmt.Errorf("%w: %d MiB stay in use", ErrPoisoned, b.vm.cfg.Memory>>20)
	}
	b.vm.console.connect(nil)
	var errs []error
	for _, d := range b.all {
		errs = append(errs, d.Close())
	}
	for _, c := range b.cpus {
		errs = append(errs, c.v.Close())
	}
	if b.backVM != nil {
		errs = append(errs, b.backVM.Close())
	}
	if b.space != nil {
		errs = append(errs, b.space.Close())
	}
	if b.stage2 != nil {
		errs = append(errs, b.stage2.Close())
	}
	return errors.Join(errs...)
}
