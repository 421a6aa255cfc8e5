package hv

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// restTimeout bounds how long Stop and Reset wait for vCPUs and devices. A
// vCPU leaves the guest in microseconds; only one that is stuck inside a
// failed device model takes longer.
const restTimeout = 5 * time.Second

// VM is one virtual machine: a definition, and while it is on a board with
// the hardware that the guest sees. Its methods may be called from any
// goroutine but not from a device model's call.
type VM struct {
	host    *Host
	cfg     Config
	console *Console

	ctl sync.Mutex // held by the operation that changes the state

	mu     sync.Mutex // guards what follows
	state  State
	reason Reason
	board  *board // nil while the VM holds nothing
	last   Stats  // of the board that was released last, without what it held
	since  time.Time
}

// New defines a VM. It takes no memory before Start.
func New(h *Host, c Config) (*VM, error) {
	if c.Machine == "" {
		c.Machine = MachineRingo1
	}
	if c.Weight == 0 {
		c.Weight = 100
	}
	if c.UUID == [16]byte{} {
		c.UUID = uuid(c.Name)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := newPolicy(h, &c); err != nil {
		return nil, err
	}
	return &VM{host: h, cfg: c, console: &Console{}}, nil
}

// Name is the VM's name.
func (vm *VM) Name() string { return vm.cfg.Name }

// Config is the VM's definition.
func (vm *VM) Config() Config { return vm.cfg }

// Console is the VM's serial console; it outlives resets and restarts.
func (vm *VM) Console() *Console { return vm.console }

// State is where the VM is in its life.
func (vm *VM) State() State {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.state
}

// Reason says why the VM last stopped, crashed or was paused by a deadline.
func (vm *VM) Reason() Reason {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.reason
}

// Uptime is how long ago the VM was started, 0 when it is off.
func (vm *VM) Uptime() time.Duration {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.board == nil || vm.state == StateCrashed {
		return 0
	}
	return time.Since(vm.since)
}

// Start turns the VM on: it takes memory, loads the kernel and runs.
func (vm *VM) Start() error {
	return vm.operate("start", func() error {
		if err := vm.in("start", StateCreated, StateStopped, StateCrashed); err != nil {
			return err
		}
		b, err := vm.build()
		if err != nil {
			return err
		}
		if err := b.powerOn(); err != nil {
			vm.release()
			return fmt.Errorf("VM %s: %w", vm.cfg.Name, err)
		}
		vm.become(StateRunning, Reason{}, b)
		b.spawn(modeRun)
		return nil
	})
}

// Stop turns the VM off at once, as by pulling the plug.
func (vm *VM) Stop() error {
	return vm.operate("stop", func() error {
		if err := vm.in("stop", StateRunning, StatePaused, StateCrashed); err != nil {
			return err
		}
		r := vm.Reason()
		if vm.State() != StateCrashed {
			r = Reason{Cause: CauseStop}
		}
		vm.release()
		vm.become(StateStopped, r, nil)
		return nil
	})
}

// Pause brings every vCPU and device to rest, or fails when ctx ends first;
// then the VM runs on.
func (vm *VM) Pause(ctx context.Context) error {
	return vm.operate("pause", func() error {
		if err := vm.in("pause", StateRunning); err != nil {
			return err
		}
		if err := vm.board.pause(ctx); err != nil {
			return fmt.Errorf("VM %s: pause: %w", vm.cfg.Name, err)
		}
		vm.become(StatePaused, vm.reason, vm.board)
		return nil
	})
}

// Resume lets a paused VM run on.
func (vm *VM) Resume() error {
	return vm.operate("resume", func() error {
		if err := vm.in("resume", StatePaused); err != nil {
			return err
		}
		if err := vm.board.resume(); err != nil {
			return fmt.Errorf("VM %s: resume: %w", vm.cfg.Name, err)
		}
		vm.become(StateRunning, Reason{}, vm.board)
		return nil
	})
}

// Reset restarts the machine as its reset button would. A paused VM stays
// paused, before its first instruction.
func (vm *VM) Reset() error {
	return vm.operate("reset", func() error {
		if err := vm.in("reset", StateRunning, StatePaused); err != nil {
			return err
		}
		return vm.reboot(vm.board)
	})
}

// NMI sends a non-maskable interrupt to every vCPU.
func (vm *VM) NMI() error {
	return vm.operate("nmi", func() error {
		if err := vm.in("nmi", StateRunning); err != nil {
			return err
		}
		vm.board.nmi()
		return nil
	})
}

// PowerButton presses the ACPI power button, which asks the guest to shut
// down. Whether and when it does is the guest's affair.
func (vm *VM) PowerButton() error {
	return vm.operate("shutdown", func() error {
		if err := vm.in("shutdown", StateRunning); err != nil {
			return err
		}
		vm.board.powerButton()
		return nil
	})
}

// RunUntil sets how long the VM may run from now without being told again; 0
// removes the limit. When it has passed the VM is paused with CauseDeadline.
// The limit holds even when all of Go stands still.
func (vm *VM) RunUntil(d time.Duration) error {
	return vm.operate("limit", func() error {
		if err := vm.in("limit", StateRunning, StatePaused); err != nil {
			return err
		}
		vm.board.runUntil(d)
		return nil
	})
}

// Close turns the VM off, if it is on, and gives back all that it holds.
func (vm *VM) Close() error {
	return vm.operate("close", func() error {
		vm.release()
		if vm.State() != StateCreated {
			vm.become(StateStopped, vm.Reason(), nil)
		}
		return nil
	})
}
