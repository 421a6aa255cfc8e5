package hv

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// operate runs one operation alone. A panic inside it is a failure of this
// VM only: the VM is crashed and what it held is not used again.
func (vm *VM) operate(name string, f func() error) (err error) {
	vm.ctl.Lock()
	defer vm.ctl.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = vm.fail(name, p)
		}
	}()
	return f()
}

// fail is the end of an operation that panicked.
func (vm *VM) fail(name string, p any) error {
	r := Reason{Cause: CauseHost, Detail: fmt.Sprintf("%s failed: %v", name, p)}
	vm.host.Log("VM %s: %s\n%s", vm.cfg.Name, r, debug.Stack())
	if b := vm.board; b != nil {
		b.poison()
		b.gate.set(modeQuit)
		b.kickAll()
	}
	vm.become(StateCrashed, r, vm.board)
	return fmt.Errorf("VM %s: %w: %s", vm.cfg.Name, ErrPoisoned, r.Detail)
}

// in checks that the state is one of those wanted.
func (vm *VM) in(op string, want ...State) error {
	s := vm.State()
	if slices.Contains(want, s) {
		if b := vm.board; b != nil && b.ended.Load() && s != StateCrashed && op != "stop" {
			return fmt.Errorf("VM %s: cannot %s: %w: it is stopping by itself", vm.cfg.Name, op, ErrState)
		}
		return nil
	}
	return fmt.Errorf("VM %s: cannot %s: %w: it is %s, and must be one of %v", vm.cfg.Name, op, ErrState, s, want)
}

// become enters a state. The caller holds ctl, so board may be read without
// mu by whoever holds ctl.
func (vm *VM) become(s State, r Reason, b *board) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.board != b && b != nil {
		vm.since = time.Now()
	}
	vm.state, vm.reason, vm.board = s, r, b
}

// build makes a new board in place of an old one. The VM has it from here on,
// so that a failure on the way to its first run can release it.
func (vm *VM) build() (*board, error) {
	vm.release()
	b, err := newBoard(vm)
	if err != nil {
		return nil, fmt.Errorf("VM %s: %w", vm.cfg.Name, err)
	}
	vm.become(vm.State(), vm.Reason(), b)
	return b, nil
}

// release stops and frees the board, if there is one. What cannot be freed is
// lost to the node and logged; the VM can go on without it.
func (vm *VM) release() {
	b := vm.board
	if b == nil {
		return
	}
	err := b.quit()
	last := b.stats()
	err = errors.Join(err, b.close())
	last.Tables, last.Memory = 0, 0
	vm.mu.Lock()
	vm.board, vm.last = nil, last
	vm.mu.Unlock()
	if err != nil {
		vm.host.Log("VM %s: %v", vm.cfg.Name, err)
	}
}

// finish completes what board.end began, on a goroutine of its own.
func (vm *VM) finish(b *board, run uint32, r Reason) {
	if !vm.settle(b, run, r) {
		return
	}
	if vm.cfg.OnStop != nil {
		vm.cfg.OnStop(vm, r)
	}
}

// settle brings a VM that ended by itself to rest, unless that run of its
// vCPUs is over already and they run anew.
func (vm *VM) settle(b *board, run uint32, r Reason) (mine bool) {
	_ = vm.operate("stopping", func() error {
		if vm.board != b || b.runs.Load() != run && !b.poisoned.Load() {
			return nil
		}
		mine = true
		if err := b.quit(); err != nil {
			vm.host.Log("VM %s: %v", vm.cfg.Name, err)
		}
		vm.host.Log("VM %s: %s", vm.cfg.Name, r)
		if r.Cause.Crash() {
			vm.become(StateCrashed, r, b)
			return nil
		}
		vm.release()
		vm.become(StateStopped, r, nil)
		return nil
	})
	return mine
}

// reboot resets the board and starts its vCPUs again. The caller holds ctl.
func (vm *VM) reboot(b *board) error {
	m := modeRun
	if vm.State() == StatePaused {
		m = modePause
	}
	err := b.quit()
	if err == nil {
		err = b.reset()
	}
	if err == nil && b.poisoned.Load() {
		err = ErrPoisoned
	}
	if err != nil {
		r := Reason{Cause: CauseHost, Detail: "reset: " + err.Error()}
		vm.become(StateCrashed, r, b)
		return fmt.Errorf("VM %s: reset: %w", vm.cfg.Name, err)
	}
	b.spawn(m)
	return nil
}

// guestReset completes what board.restart began.
func (vm *VM) guestReset(b *board, run uint32) {
	var err error
	_ = vm.operate("reset", func() error {
		if vm.board == b && b.runs.Load() == run && vm.State() != StateCrashed {
			vm.host.Log("VM %s: the guest asked for a reset", vm.cfg.Name)
			err = vm.reboot(b)
		}
		return nil
	})
	if err != nil {
		vm.host.Log("%v", err)
		if vm.cfg.OnStop != nil {
			vm.cfg.OnStop(vm, vm.Reason())
		}
	}
}

// expire pauses a VM whose run-until deadline has passed.
func (vm *VM) expire(b *board) {
	paused := false
	_ = vm.operate("deadline", func() error {
		if vm.board != b || vm.State() != StateRunning || b.ended.Load() {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), restTimeout)
		defer cancel()
		if err := b.pause(ctx); err != nil {
			vm.host.Log("VM %s: its deadline has passed, but it does not pause yet: %v", vm.cfg.Name, err)
			b.expired.Store(false) // the vCPUs come back here
			return err
		}
		vm.become(StatePaused, Reason{Cause: CauseDeadline}, b)
		paused = true
		return nil
	})
	if paused && vm.cfg.OnStop != nil {
		vm.cfg.OnStop(vm, vm.Reason())
	}
}
