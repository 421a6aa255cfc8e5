package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"ringo/hv"
	"ringo/qemu-tests/tiny"
)

// resetPorts would end a chaos guest early: ACPI PM1a control, the reset
// register, the keyboard controller, port 92H, and the debug exit.
var resetPorts = []uint16{0x604, 0x605, 0xcf9, 0x64, 0x92, 0xf4}

// testHostile runs guests that misbehave at random, one after another, beside a
// guest that computes, and wants the host and that guest to go on.
func testHostile(r *rand.Rand, rounds int) error {
	peers, end, err := startVMs(1, 1, equal, tiny.Spin())
	if err != nil {
		return err
	}
	defer end()
	ends := map[string]int{}
	for i := 0; i < 8*rounds; i++ {
		before := peers[0].Stats().GuestTicks
		how, err := runHostile(hostileKernel(r, i))
		if err != nil {
			return err
		}
		ends[how]++
		if peers[0].State() != hv.StateRunning || peers[0].Stats().GuestTicks == before {
			return fmt.Errorf("the guest beside hostile guest %d is %v and did not go on", i, peers[0].State())
		}
	}
	fmt.Println("  hostile guests ended:", ends)
	return nil
}

func hostileKernel(r *rand.Rand, i int) []byte {
	seed := r.Uint32() | 1
	switch i % 3 {
	case 0:
		return tiny.ChaosReal(seed, 300)
	case 1:
		return tiny.Chaos(tiny.ChaosOptions{Seed: uint64(seed), RAM: 8 << 20, Rounds: 400, AvoidPorts: resetPorts})
	}
	return tiny.Chaos(tiny.ChaosOptions{Seed: uint64(seed), RAM: 8 << 20, Rounds: 400, Kernel: true, AvoidPorts: resetPorts})
}

// runHostile gives a guest some time and says how it ended. Many never end by
// themselves: they halt, or run in a circle. The option limit says how much,
// because a second of Bochs' clock is many of ours.
func runHostile(kernel []byte) (string, error) {
	limit, err := time.ParseDuration(cmp.Or(options()["limit"], "5s"))
	if err != nil {
		return "", fmt.Errorf("limit: %w", err)
	}
	h, err := host()
	if err != nil {
		return "", err
	}
	var cause atomic.Value
	done := make(chan struct{})
	quiet := *h
	quiet.Log = func(string, ...any) {}
	vm, err := hv.New(&quiet, hv.Config{
		Name: "hostile", Machine: hv.MachineRingo1, Memory: 8 << 20, VCPUs: 1, Kernel: kernel, DebugExit: true,
		OnStop: func(_ *hv.VM, why hv.Reason) {
			cause.Store(why.Cause)
			close(done)
		},
	})
	if err != nil {
		return "", err
	}
	defer vm.Close()
	if err := vm.Start(); err != nil {
		return "", err
	}
	select {
	case <-done:
		c := cause.Load().(hv.Cause)
		if c == hv.CauseHost {
			return "", fmt.Errorf("a hostile guest led to a failure of the host: %v", vm.Reason())
		}
		return c.String(), nil
	case <-time.After(limit):
		return "still running", vm.Stop()
	}
}
