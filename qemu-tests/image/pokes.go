package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"ringo/hv"
	"ringo/nucleus"
	"ringo/qemu-tests/tiny"
	. "ringo/x86/asm"
)

// exitGuest executes CPUID for good: the loop in the nucleus serves it.
func exitGuest() []byte {
	return tiny.PVH(func(a *Asm) {
		a.Cli()
		a.Label("again")
		a.Xor(EAX, EAX)
		a.Cpuid()
		a.JmpShort("again")
	})
}

// testPokes interrupts CPUs from one another while a guest on each exits all
// the time, and wants every interrupt to be taken: one that is lost makes its
// sender wait until another comes, if one comes.
func testPokes(_ *rand.Rand, rounds int) error {
	vms, end, err := startVMs(nucleus.CPUs(), 1, equal, exitGuest())
	if err != nil {
		return err
	}
	defer end()
	worst := time.Duration(0)
	for i := 0; i < 500*rounds; i++ {
		start := time.Now()
		nucleus.OnEachCPU(nothing)
		worst = max(worst, time.Since(start))
	}
	for _, vm := range vms {
		if vm.State() != hv.StateRunning || vm.Stats().GuestTicks == 0 {
			return fmt.Errorf("a guest is %v", vm.State())
		}
	}
	if worst > 5*time.Second {
		return fmt.Errorf("an interrupt was served after %v", worst)
	}
	return nil
}

func nothing() {}
