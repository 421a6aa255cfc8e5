// Package debugcon is the debug console port of emulators: bytes written to it
// are output, and reading it gives its own usual number, which tells a guest
// that it is there.
//
// Imports allowed: devices, snapshot.
package debugcon
