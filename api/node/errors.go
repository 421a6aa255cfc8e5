package node

import "errors"

var (
	// ErrHost says that New was given a Host that lacks something.
	ErrHost = errors.New("incomplete host")
	// ErrNoVM says that no VM has the name; the message lists those there are.
	ErrNoVM = errors.New("no such VM")
	// ErrMemory says that a VM needs more memory than the node has left.
	ErrMemory = errors.New("not enough memory")
	// ErrClosing says that the node is about to turn off.
	ErrClosing = errors.New("the node is powering off")
	// ErrStillOn says that the machine did not turn off when told to.
	ErrStillOn = errors.New("the machine did not turn off; all VMs are off, so its power may be cut")
)
