package main

import "ringo/nucleus/reg"

// Registers of the first parallel port (IEEE 1284, compatibility mode).
const (
	lptData    = 0x378
	lptControl = 0x37A

	lptStrobe = 1 << 0
	lptInit   = 1 << 2 // 0 resets the printer
	lptSelect = 1 << 3
)

// parallelPort is LPT1: the way out of an emulated machine for bytes
// that are too many for the serial line. It takes every byte at once.
type parallelPort struct{}

// Write prints p.
func (parallelPort) Write(p []byte) (int, error) {
	const ready = lptInit | lptSelect
	reg.Out8(lptControl, ready)
	for _, b := range p {
		reg.Out8(lptData, b)
		reg.Out8(lptControl, ready|lptStrobe)
		reg.Out8(lptControl, ready)
	}
	return len(p), nil
}
