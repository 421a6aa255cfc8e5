package hv

import (
	"errors"
	"fmt"
	"slices"
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

	stuck    bool   // a vCPU did not stop in time
	restored bool   // from a snapshot, and not yet resumed
	stopTSC  uint64 // host TSC at which a paused VM stopped
	tscHz    uint64 // frequency of the guest's TSC

	unknown msr.Counter // accesses to MSRs that do not exist

	runs     atomic.Uint32 // how often vCPUs were started
	ended    atomic.Bool   // the VM ends or resets by itself; only one does
	expired  atomic.Bool   // the run-until deadline was seen
	poisoned atomic.Bool   // a device or vCPU failed halfway: use nothing again
	starving atomic.Bool   // a vCPU had to wait for memory
}

// APIC timer ticks are nanoseconds (vcpu.VMArea.TSCPerSec).
const apicTimerHz = 1_000_000_000

// newPolicy is what CPUID answers in a VM of that definition.
func newPolicy(h *Host, c *Config) (*cpuid.Policy, error) {
	caps := h.Backend.Caps()
	config := cpuid.Config{
		VCPUs: c.VCPUs, Hide: slices.Concat(caps.HideCPUID, c.HideCPUID), TSCHz: h.TSCHz, APICHz: apicTimerHz,
		PhysAddrBits: caps.PhysAddrBits,
	}
	var p *cpuid.Policy
	var err error
	if c.CPU != nil {
		p, err = cpuid.NewFrozen(h.CPUID, config, *c.CPU)
	} else {
		p, err = cpuid.New(h.CPUID, config)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: VM %s: %w", ErrConfig, c.Name, err)
	}
	return p, nil
}

// stats adds up the counters of all vCPUs. Any goroutine may call it.
func (b *board) stats() Stats {
	s := Stats{
		UnknownMSRs: b.unknown.Total(), UnclaimedPIO: b.pio.Unclaimed(), UnclaimedMMIO: b.mmio.Unclaimed(),
		Tables: b.stage2.Tables(), Memory: b.space.Used(),
	}
	for _, c := range b.cpus {
		s.add(c)
	}
	return s
}

// close frees everything that can be freed. After a failure halfway somebody
// may still hold a lock or an Area for good: then only guest RAM, which checks
// each access, is given back; and nothing if a vCPU may still run.
func (b *board) close() error {
	b.vm.console.connect(nil)
	switch {
	case b.stuck:
		return fmt.Errorf("%w: a vCPU did not stop, so its %d MiB of memory stay in use", ErrPoisoned, b.vm.cfg.Memory>>20)
	case b.poisoned.Load():
		b.vm.host.Log("VM %s: what it held besides its RAM stays in use", b.vm.cfg.Name)
		return b.closeMemory()
	}
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
	errs = append(errs, b.closeMemory())
	if b.stage2 != nil {
		errs = append(errs, b.stage2.Close())
	}
	return errors.Join(errs...)
}

func (b *board) closeMemory() error {
	if b.space == nil {
		return nil
	}
	return b.space.Close()
}
