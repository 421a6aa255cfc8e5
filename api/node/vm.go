package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ringo/api/bundle"
	"ringo/hv"
)

// machine is what a VM needs of an *hv.VM.
type machine interface {
	State() hv.State
	Reason() hv.Reason
	Uptime() time.Duration
	Stats() hv.Stats
	CPUStats() []hv.Stats
	Start() error
	Stop() error
	Reset() error
	Pause(context.Context) error
	Resume() error
	NMI() error
	PowerButton() error
	Close() error
}

var _ machine = (*hv.VM)(nil)

// VM is one VM of a node. Its operations are those of hv.VM with the node's
// memory accounts and the policies of its definition around them.
type VM struct {
	node     *Node
	def      *bundle.VM
	machine  machine
	terminal *Terminal

	op sync.Mutex // held by an operation, and by the policy after an end

	mu        sync.Mutex // guards what follows
	holds     bool       // its memory is promised in the ledger
	asked     bool       // somebody asked the guest to shut down
	over      bool       // the end of the last run is dealt with
	starts    uint64
	ends      uint64
	startedAt time.Time
	backoff   backoff
	restart   *restart // nil unless a restart is due
}

// restart is a start to come.
type restart struct {
	at    time.Time
	timer *time.Timer
}

func newVM(n *Node, b *bundle.Bundle, d *bundle.VM) (*VM, error) {
	c, err := config(b, d)
	if err != nil {
		return nil, err
	}
	v := &VM{node: n, def: d, over: true}
	c.OnStop = func(_ *hv.VM, r hv.Reason) { v.ended(r) }
	m, err := hv.New(&n.host.HV, c)
	if err != nil {
		return nil, d.Problem("", bundle.ErrValue, "%v", err)
	}
	v.machine, v.terminal = m, newTerminal(m.Console(), d.Console.Scrollback)
	return v, nil
}

// Status is where a VM is in its life.
type Status struct {
	State  hv.State
	Reason hv.Reason // of the last end
	Uptime time.Duration
	// Starts counts how often the VM was started, Ends how often it has come
	// to an end with all that the definition says about it done.
	Starts, Ends uint64
	RestartAt    time.Time // when it starts again by itself; zero: it does not
}

// Name is the VM's name.
func (v *VM) Name() string { return v.def.Name }

// Definition is the VM's definition. It must not be changed.
func (v *VM) Definition() *bundle.VM { return v.def }

// Terminal is the VM's serial console.
func (v *VM) Terminal() *Terminal { return v.terminal }

// Stats counts exits and time since the last start, over all vCPUs.
func (v *VM) Stats() hv.Stats { return v.machine.Stats() }

// CPUStats is Stats for each vCPU; nil while the VM is off.
func (v *VM) CPUStats() []hv.Stats { return v.machine.CPUStats() }

// Status tells where the VM is in its life.
func (v *VM) Status() Status {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := Status{
		State: v.machine.State(), Reason: v.machine.Reason(), Uptime: v.machine.Uptime(),
		Starts: v.starts, Ends: v.ends,
	}
	if v.restart != nil {
		s.RestartAt = v.restart.at
	}
	return s
}

// Start turns the VM on.
func (v *VM) Start() error {
	return v.request("start", func() error {
		v.cancelRestart()
		v.mu.Lock()
		v.backoff = backoff{}
		v.mu.Unlock()
		return v.start()
	})
}

// Shutdown presses the power button, which asks the guest to turn itself off.
// The VM then stays off whatever its definition says.
func (v *VM) Shutdown() error {
	return v.request("shutdown", func() error {
		if v.cancelRestart() {
			return nil // it is off already
		}
		if err := v.machine.PowerButton(); err != nil {
			return err
		}
		v.setAsked(true)
		return nil
	})
}

// Stop turns the VM off at once. For a VM that waits to be started again it
// means that it is not.
func (v *VM) Stop() error {
	return v.request("stop", func() error {
		canceled := v.cancelRestart()
		err := v.machine.Stop()
		if canceled && errors.Is(err, hv.ErrState) {
			return nil
		}
		v.settle(err)
		if v.dealt() {
			v.countEnd()
		}
		return err
	})
}

// Reset restarts the guest as a reset button does.
func (v *VM) Reset() error {
	return v.request("reset", func() error {
		err := v.machine.Reset()
		if err == nil {
			v.setAsked(false)
		}
		return err
	})
}

// Pause brings the VM to rest, or fails when ctx ends first.
func (v *VM) Pause(ctx context.Context) error {
	return v.request("pause", func() error { return v.machine.Pause(ctx) })
}

// Resume lets a paused VM run on.
func (v *VM) Resume() error { return v.request("resume", v.machine.Resume) }

// NMI sends a non-maskable interrupt to every vCPU.
func (v *VM) NMI() error { return v.request("nmi", v.machine.NMI) }

// request is operate for what somebody asked for.
func (v *VM) request(name string, f func() error) error {
	v.node.log.Debugf("VM %s: %s was asked for", v.def.Name, name)
	return v.operate(f)
}

// operate runs an operation alone and tells those who watch. If the VM came to
// an end, by the operation or by itself, what its definition says is done.
func (v *VM) operate(f func() error) error {
	v.op.Lock()
	defer v.node.changed.notify()
	defer v.op.Unlock()
	err := f()
	v.finish()
	return err
}

// autostart is the first start, unless somebody was faster.
func (v *VM) autostart() error {
	return v.operate(func() error {
		if v.Status().Starts > 0 {
			return nil
		}
		return v.start()
	})
}

// start turns the VM on with its memory promised. The caller holds op.
func (v *VM) start() error {
	if err := v.node.open(); err != nil {
		return fmt.Errorf("VM %s: cannot start: %w", v.def.Name, err)
	}
	if err := v.promise(); err != nil {
		return err
	}
	if !on(v.machine.State()) {
		v.terminal.forget()
	}
	err := v.machine.Start()
	if err != nil {
		v.settle(err)
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.starts++
	v.startedAt, v.asked, v.over = time.Now(), false, false
	return nil
}

func (v *VM) setAsked(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = on
}
