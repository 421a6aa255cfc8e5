// Package uart is the 16550A serial port. Characters take no time on the wire:
// what the guest sends is out at once, and what arrives waits in a bounded
// queue behind the receive FIFO, so that nothing is lost to overrun.
//
// Imports allowed: devices, snapshot.
//
// Source: National Semiconductor PC16550D datasheet, section 8.0 "Registers".
package uart
