package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ringo/hv"
	"ringo/nucleus"
	"ringo/qemu-tests/tiny"
)

// leastMoves is how often vCPUs have to change CPUs, in each round.
const leastMoves = 100

// testWander has more vCPUs than CPUs, with host threads beside them that take
// CPUs away for moments, so that vCPUs change CPUs all the time: between exits
// that need Go, while they are halted, and while they compute. The guests
// compare all their registers and the effect of each exit; each must end by
// itself and well. On VT-x each change is a VMCLEAR on one CPU and a VMPTRLD on
// another.
func testWander(r *rand.Rand, rounds int) error {
	if nucleus.CPUs() < 2 {
		return errors.New("there is one CPU; vCPUs that wander need two")
	}
	stop := make(chan struct{})
	var noise sync.WaitGroup
	for range nucleus.CPUs() {
		noise.Add(1)
		go func() {
			defer noise.Done()
			disturb(stop)
		}()
	}
	defer noise.Wait()
	defer close(stop)
	for range rounds {
		if err := wander(r); err != nil {
			return err
		}
	}
	return nil
}

// disturb computes for a moment, again and again.
func disturb(stop <-chan struct{}) {
	tick := time.NewTicker(700 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case start := <-tick.C:
			for time.Since(start) < 150*time.Microsecond {
			}
		}
	}
}

// wander runs a set of guests to their end and looks at what they did.
func wander(r *rand.Rand) error {
	set := guestSet{ended: make(chan *hv.VM, 8)}
	defer set.close()
	for i := range 2 * nucleus.CPUs() {
		o := tiny.CanaryOptions{Rounds: 400, Seed: r.Uint64() | 1, Port: 0x61, Tick: 200_000}
		if err := set.start(fmt.Sprint("canary", i), 1, tiny.Canary(o)); err != nil {
			return err
		}
	}
	if err := set.start("smp", 3, tiny.SMP(3, 100)); err != nil {
		return err
	}
	if err := set.wait(time.Minute); err != nil {
		return err
	}
	var s hv.Stats
	for _, vm := range set.vms {
		one := vm.Stats()
		s.Moves += one.Moves
		s.Recalls += one.Recalls
	}
	fmt.Printf("  vCPUs changed CPUs %d times; %d times the old CPU had to give up its state\n", s.Moves, s.Recalls)
	if s.Moves < leastMoves {
		return fmt.Errorf("vCPUs changed CPUs %d times, want at least %d: this test showed nothing", s.Moves, leastMoves)
	}
	if theHost.Backend.Name() == "vmx" && s.Recalls == 0 {
		return errors.New("no CPU had to give up the VMCS of a vCPU whose thread had moved: this test did not show it")
	}
	return nil
}

// guestSet is VMs that run beside each other until each ends by itself.
type guestSet struct {
	vms   []*hv.VM
	ended chan *hv.VM // has room for all of them
}

// start adds a VM.
func (s *guestSet) start(name string, vcpus uint32, kernel []byte) error {
	h, err := host()
	if err != nil {
		return err
	}
	vm, err := hv.New(h, hv.Config{
		Name: name, Machine: hv.MachineRingo1, Memory: 4 << 20, VCPUs: vcpus, Kernel: kernel, DebugExit: true,
		OnStop: func(vm *hv.VM, _ hv.Reason) { s.ended <- vm },
	})
	if err != nil {
		return err
	}
	s.vms = append(s.vms, vm)
	return vm.Start()
}

// wait waits until all have ended, and wants them to end well.
func (s *guestSet) wait(limit time.Duration) error {
	late := time.After(limit)
	for n := range s.vms {
		select {
		case vm := <-s.ended:
			if why := vm.Reason(); why.Cause != hv.CauseDebugExit || why.Code != tiny.ExitOK {
				return fmt.Errorf("VM %s ended with %v", vm.Name(), why)
			}
		case <-late:
			for _, vm := range s.vms {
				stats := vm.Stats()
				fmt.Printf("  VM %s, %v: %d exits, %v\n", vm.Name(), vm.State(), stats.Total(), stats.Exits)
			}
			return fmt.Errorf("%d of %d VMs have not ended after %v", len(s.vms)-n, len(s.vms), limit)
		}
	}
	return nil
}

func (s *guestSet) close() {
	for _, vm := range s.vms {
		vm.Stop()
		vm.Close()
	}
}
