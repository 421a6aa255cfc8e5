package devices

import "context"

// Passive is the life of a device that owns nothing outside itself and does
// nothing by itself: it acts only when it is accessed, or by timers of a Clock
// that stands still while the VM is paused. A model embeds it and overrides
// what differs.
type Passive struct{}

func (Passive) Start() error                     { return nil }
func (Passive) Pause(context.Context) error      { return nil }
func (Passive) Resume() error                    { return nil }
func (Passive) Activate(context.Context) error   { return nil }
func (Passive) Deactivate(context.Context) error { return nil }
func (Passive) Close() error                     { return nil }
