// Package clock gives device models their time: Real over Go's timers, which
// stands still while the VM is paused, and Fake, which tests move by hand.
//
// Imports allowed: devices.
package clock
