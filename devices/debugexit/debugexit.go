package debugexit

import (
	"sync/atomic"

	"ringo/devices"
	"ringo/snapshot"
)

const (
	// Ports is the number of I/O ports.
	Ports = 4
	// WindowSize is the size of the MMIO window in bytes.
	WindowSize = 4096
	// ExitOffset is the offset in the window whose write ends the VM, as a
	// write of the port does. Writes elsewhere are only counted.
	ExitOffset = WindowSize - 4
)

// Device counts the reads and window writes of the guest, and reports exits.
type Device struct {
	devices.Passive
	onExit func(code uint32)
	count  atomic.Uint64
}

// New makes the device. onExit gets the value that the guest wrote.
func New(onExit func(code uint32)) *Device { return &Device{onExit: onExit} }

// Name is "debugexit".
func (d *Device) Name() string { return "debugexit" }

// Reset sets the counter to 0.
func (d *Device) Reset() { d.count.Store(0) }

// Count is the number of accesses so far, exits excluded.
func (d *Device) Count() uint64 { return d.count.Load() }

// Port serves the ports: a read gives the counter, a write ends the VM.
func (d *Device) Port() devices.Handler { return (*port)(d) }

// Window serves the MMIO window.
func (d *Device) Window() devices.Handler { return (*window)(d) }

type port Device

func (d *port) Read(_ uint64, p []byte) { devices.PutValue(p, d.count.Add(1)) }

func (d *port) Write(_ uint64, p []byte) { d.onExit(uint32(devices.Value(p))) }

type window Device

func (d *window) Read(_ uint64, p []byte) { devices.PutValue(p, d.count.Add(1)) }

func (d *window) Write(off uint64, p []byte) {
	if off == ExitOffset {
		d.onExit(uint32(devices.Value(p)))
		return
	}
	d.count.Add(1)
}

var schema = snapshot.Schema{Name: "debugexit", Version: 1}

// Schema names the saved state.
func (d *Device) Schema() snapshot.Schema { return schema }

// Save writes the counter.
func (d *Device) Save(e *snapshot.Encoder) error {
	e.Uint64("count", d.count.Load())
	return e.Err()
}

// Restore takes the counter back.
func (d *Device) Restore(from snapshot.Schema, dec *snapshot.Decoder) error {
	if err := from.Require(schema); err != nil {
		return err
	}
	n := dec.Uint64("count")
	if err := dec.Done(); err != nil {
		return err
	}
	d.count.Store(n)
	return nil
}
