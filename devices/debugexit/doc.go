// Package debugexit is a port by which a test guest ends its VM with a code,
// and the cheapest device model there is: what an exit to a device costs is
// measured on it, by port and by MMIO.
//
// Imports allowed: devices, snapshot.
package debugexit
