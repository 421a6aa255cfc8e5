package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"ringo/hv"
)

// ShutdownTimeout is how long PowerOff waits for the guests.
const ShutdownTimeout = time.Minute

// PowerOff asks every guest to shut down by its power button, turns off those
// that have not after ShutdownTimeout, and then the machine. It returns only
// if ctx ends first, upon which the node stays up with the VMs that are still
// on, or if the machine does not turn off.
func (n *Node) PowerOff(ctx context.Context) error {
	n.setClosing(true)
	n.end()
	n.cancelRestarts()
	if err := n.shutdown(ctx); err != nil {
		n.setClosing(false)
		return err
	}
	n.log.Infof("powering off")
	n.host.PowerOff()
	return ErrStillOn
}

// Close turns every VM off at once and gives back what they hold. No VM can
// be started after that.
func (n *Node) Close() error {
	n.setClosing(true)
	n.end()
	n.cancelRestarts()
	var errs []error
	for _, v := range n.VMs() {
		errs = append(errs, v.close())
	}
	return errors.Join(errs...)
}

func (n *Node) cancelRestarts() {
	for _, v := range n.VMs() {
		_ = v.operate(func() error {
			v.cancelRestart()
			return nil
		})
	}
}

// shutdown brings every VM off, by its own will if it can.
func (n *Node) shutdown(ctx context.Context) error {
	w := n.Watch()
	defer w.Close()
	for _, v := range n.VMs() {
		if err := v.askOff(); err != nil {
			n.log.Errorf("%v", err)
		}
	}
	patience := time.NewTimer(ShutdownTimeout)
	defer patience.Stop()
	for waiting := true; waiting && len(n.names(on)) > 0; {
		select {
		case <-w.C:
		case <-patience.C:
			waiting = false
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if left := n.names(on); len(left) > 0 {
		n.log.Warnf("turned off, since they did not shut down in %s: %s", ShutdownTimeout, strings.Join(left, ", "))
	}
	for _, v := range n.VMs() {
		if err := v.close(); err != nil {
			n.log.Errorf("%v", err)
		}
	}
	return nil
}

// names lists the VMs whose state is of that kind.
func (n *Node) names(is func(hv.State) bool) (names []string) {
	for _, v := range n.VMs() {
		if is(v.machine.State()) {
			names = append(names, v.Name())
		}
	}
	return names
}

// askOff asks the guest to shut down. A paused one must run to do it.
func (v *VM) askOff() error {
	switch v.machine.State() {
	case hv.StatePaused:
		if err := v.Resume(); err != nil {
			return err
		}
	case hv.StateRunning:
	default:
		return nil
	}
	v.node.log.Infof("VM %s: is asked to shut down", v.def.Name)
	err := v.Shutdown()
	if errors.Is(err, hv.ErrState) {
		return nil // it stops by itself at this moment
	}
	return err
}

// close turns the VM off and gives back all that it holds.
func (v *VM) close() error {
	return v.operate(func() error {
		err := v.machine.Close()
		v.settle(err)
		return err
	})
}
