package node

import (
	"errors"

	"ringo/hv"
)

// promise takes the VM's memory from the ledger unless it has it already, as
// a VM that is on or was kept after a crash. The caller holds op.
func (v *VM) promise() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.holds {
		return nil
	}
	if err := v.node.ledger.take(v.def); err != nil {
		return err
	}
	v.holds = true
	return nil
}

// settle gives the memory back after an operation that turned the VM off, or
// that failed to turn it on. The caller holds op.
func (v *VM) settle(err error) {
	if on(v.machine.State()) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.holds {
		return
	}
	v.holds = false
	// These errors say that parts of the VM may still be at work in it.
	lost := errors.Is(err, hv.ErrPoisoned) || errors.Is(err, hv.ErrTimeout)
	v.node.ledger.give(v.def.Memory, lost)
}
