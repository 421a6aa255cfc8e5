package hv

import "errors"

var (
	// ErrState says that the VM is not in a state in which the operation
	// makes sense; the message names both.
	ErrState = errors.New("wrong state for this operation")
	// ErrConfig says that a VM's definition cannot be met.
	ErrConfig = errors.New("bad VM definition")
	// ErrPoisoned says that a failure inside the VM left something of it in
	// an unknown condition, so that it cannot be used again.
	ErrPoisoned = errors.New("the VM is poisoned by an earlier failure")
	// ErrTimeout says that a vCPU or a device did not come to rest in time.
	ErrTimeout = errors.New("the VM did not come to rest in time")
)
