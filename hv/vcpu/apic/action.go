package apic

// Action tells the caller of a register access what is left to do. Bits 7:0
// carry the vector that ActionEOI speaks of.
type Action uint32

const (
	ActionGP    Action = 1 << (8 + iota) // raise #GP(0); nothing has changed
	ActionIPI                            // call Send with ICR
	ActionEOI                            // a level-triggered interrupt ended: tell the I/O APIC, vector in Vector
	ActionTimer                          // Area.TimerTSC has changed: set the wake-up again
	ActionLook                           // what Pending or ExtINT say may have changed
)

// Vector is the vector of ActionEOI.
func (x Action) Vector() uint8 { return uint8(x) }
