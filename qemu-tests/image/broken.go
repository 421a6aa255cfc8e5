package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"ringo/hv"
	"ringo/qemu-tests/tiny"
)

// testBroken plants a Go panic in a device of one VM and wants that VM alone
// to end, the host and a VM beside it to go on, and the VM to start anew.
func testBroken(_ *rand.Rand, _ int) error {
	peers, end, err := startVMs(1, 1, equal, tiny.Spin())
	if err != nil {
		return err
	}
	defer end()
	h, err := host()
	if err != nil {
		return err
	}
	quiet := *h
	quiet.Log = func(string, ...any) {} // the stack that is logged looks like our own failure
	reasons := make(chan hv.Reason, 1)
	vm, err := hv.New(&quiet, hv.Config{
		Name: "broken", Machine: hv.MachineRingo1, Memory: 8 << 20, VCPUs: 1, Kernel: tiny.Hello(), DebugExit: true,
		OnStop: func(_ *hv.VM, why hv.Reason) { reasons <- why },
	})
	if err != nil {
		return err
	}
	defer vm.Close()
	vm.Console().SetOutput(func([]byte) { panic("planted in a device") })
	r, err := endOf(vm, reasons)
	if err != nil {
		return err
	}
	if r.Cause != hv.CauseHost || !strings.Contains(r.Detail, "planted in a device") {
		return fmt.Errorf("the VM whose device panicked ended with: %v", r)
	}
	before := peers[0].Stats().GuestTicks
	time.Sleep(20 * time.Millisecond)
	if peers[0].State() != hv.StateRunning || peers[0].Stats().GuestTicks == before {
		return fmt.Errorf("the VM beside it is %v and did not go on", peers[0].State())
	}
	vm.Console().SetOutput(nil)
	if r, err = endOf(vm, reasons); err != nil {
		return err
	}
	if r.Cause == hv.CauseHost {
		return fmt.Errorf("started anew it ended with: %v", r)
	}
	return nil
}

// endOf starts a VM, from the state in which it is left, and waits for its end.
func endOf(vm *hv.VM, reasons <-chan hv.Reason) (hv.Reason, error) {
	if vm.State() == hv.StateCrashed {
		if err := vm.Stop(); err != nil {
			return hv.Reason{}, err
		}
	}
	if err := vm.Start(); err != nil {
		return hv.Reason{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	select {
	case r := <-reasons:
		return r, nil
	case <-ctx.Done():
		return hv.Reason{}, errors.New("the VM did not end within 30 s")
	}
}
