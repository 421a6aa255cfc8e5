package hv

import (
	"sync/atomic"

	"ringo/hv/vcpu"
)

// Stats counts what a VM did since it was last started.
type Stats struct {
	// Exits by kind, and those of them that the nucleus finished without Go.
	Exits, Fast [vcpu.NumKinds]uint64
	// GuestTicks and HostTicks are TSC ticks spent in the guest and for it.
	GuestTicks, HostTicks uint64
	// Moves and Recalls count how vCPUs changed CPUs; see vcpu.Area.
	Moves, Recalls uint64
	// UnknownMSRs counts accesses to registers that do not exist.
	UnknownMSRs uint64
	// UnclaimedPIO and UnclaimedMMIO count accesses that no device answers.
	UnclaimedPIO, UnclaimedMMIO uint64
	// Tables is what the stage-2 tables take, in bytes.
	Tables uint64
	// Memory is guest RAM that is in use, in bytes.
	Memory uint64
}

// Total is the number of all exits.
func (s *Stats) Total() uint64 {
	n := uint64(0)
	for _, e := range s.Exits {
		n += e
	}
	return n
}

// add takes over the counters of one vCPU, which may be running: then the time
// since its last exit counts too.
func (s *Stats) add(c *cpu) {
	a := c.area
	s.GuestTicks += c.guestTicks()
	for k := range s.Exits {
		s.Exits[k] += atomic.LoadUint64(&a.Exits[k])
		s.Fast[k] += atomic.LoadUint64(&a.Fast[k])
	}
	s.HostTicks += atomic.LoadUint64(&a.HostTicks)
	s.Moves += atomic.LoadUint64(&a.Moves)
	s.Recalls += atomic.LoadUint64(&a.Recalls)
}

// guestTicks is the time that the vCPU has spent inside.
func (c *cpu) guestTicks() uint64 {
	v, ok := c.v.(vcpu.Stayer)
	if !ok {
		return atomic.LoadUint64(&c.area.GuestTicks)
	}
	for range 3 {
		since := v.InsideSince()
		ticks := atomic.LoadUint64(&c.area.GuestTicks)
		if since == 0 {
			return ticks
		}
		now := c.tsc()
		if since == v.InsideSince() { // no exit has added this stay meanwhile
			return ticks + max(now, since) - since
		}
	}
	return atomic.LoadUint64(&c.area.GuestTicks) // it exits all the time
}

// Stats gives the sum over all vCPUs; while it is off, what they were at its end.
func (vm *VM) Stats() Stats {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.board == nil {
		return vm.last
	}
	return vm.board.stats()
}

// CPUStats gives the counters of each vCPU; nil while the VM is off.
func (vm *VM) CPUStats() []Stats {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.board == nil {
		return nil
	}
	all := make([]Stats, len(vm.board.cpus))
	for i, c := range vm.board.cpus {
		all[i].add(c)
	}
	return all
}
