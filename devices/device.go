package devices

import (
	"context"
	"time"

	"ringo/snapshot"
)

// Handler serves the accesses to one region of a bus. off is relative to the
// region's start; len(p) is the width of the access, 1, 2, 4 or 8 bytes, and
// off+len(p) never passes the region's end. p is little-endian and is valid
// only during the call. Several vCPUs may call at once.
type Handler interface {
	Read(off uint64, p []byte)
	Write(off uint64, p []byte)
}

// Device is one device model. Only Name may be called at any time; the other
// methods are called by the VM's owner, one at a time.
//
// Pause is bounded: it returns when no more guest memory is touched and no
// interrupt raised, with unfinished requests kept for Save or Resume. Activate
// makes a restored device own its backing resources; until then it touches
// nothing outside itself.
type Device interface {
	Name() string
	Start() error
	Pause(context.Context) error
	Resume() error
	Reset()
	Activate(context.Context) error
	Deactivate(context.Context) error
	Close() error
	snapshot.Snapshotter
}

// Line is an interrupt input of a controller. Level says whether the line is
// asserted; an edge-triggered input acts on the change to true. Setting the
// same level again has no effect.
type Line interface {
	Set(level bool)
}

// Clock is the time that device models see. The image gives one over Go's
// timers; tests give one that they move by hand.
type Clock interface {
	// Now is the time since an arbitrary start; it never runs backwards and
	// stands still while the VM is paused.
	Now() time.Duration
	// Wall is the time of day in UTC.
	Wall() time.Time
	// NewTimer makes a stopped timer that calls f, on a goroutine of its own,
	// once for each Reset that is not undone.
	NewTimer(f func()) Timer
}

// Timer calls its function once when it is due.
type Timer interface {
	Reset(d time.Duration) // d from now; a d of 0 or less fires at once
	Stop()
}
